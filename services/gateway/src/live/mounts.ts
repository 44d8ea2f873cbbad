/** What looks inside through WebSockets: the page's own, and those that other inspectors read. */
import type { MakeMount } from '../mount.ts';
import { makeLive } from './live.ts';
import { makeStately, makeXStateInspect } from './stately.ts';

/** @example startGateway({ page: await inspectorPage(), mounts: INSPECTOR_MOUNTS }); */
export const INSPECTOR_MOUNTS: readonly MakeMount[] = [makeLive, makeStately, makeXStateInspect];
