/** Every panel, in the order of the tabs. */
import { chartPanel } from './chart.tsx';
import { deadLettersPanel } from './dead-letters.tsx';
import { mailboxPanel } from './mailbox.tsx';
import type { ActorPanel, GlobalPanel } from './panel.ts';
import { sequencePanel } from './sequence.tsx';
import { statePanel } from './state.tsx';
import { timelinePanel } from './timeline.tsx';
import { workersPanel } from './workers.tsx';

export const ACTOR_PANELS: readonly ActorPanel[] = [chartPanel, timelinePanel, statePanel, sequencePanel, mailboxPanel];

export const GLOBAL_PANELS: readonly GlobalPanel[] = [deadLettersPanel, workersPanel];
