/**
 * What `troupe dev` can be told to run besides a project's own config: an example, a demonstration. A preset is one flag of
 * `dev`; a new one is a file and a line in `PRESETS`.
 */
import type { OptionSpec } from '../command.ts';
import { docsPreset } from './docs-preset.ts';

/** What a preset gets. */
export interface PresetInput {
  /** What stood behind its flag. */
  readonly value: string;
  readonly cwd: string;
}

/** What a preset makes of it. */
export interface PresetPlan {
  /** Config file that the worker runs; in place of the project's own. */
  readonly configFile: string;
  /** Added to the worker's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** In place of the suggested `ask`: what to send to whom. */
  readonly suggestion?: { readonly address: string; readonly input: string };
  /** Called once the first worker is ready; what it returns is shown as a URL. May serve something until `close`. */
  readonly serve?: (place: {
    readonly url: string;
    readonly prefix: string;
  }) => Promise<{ readonly url?: string; close(): Promise<void> }>;
}

export interface Preset {
  /** Name of the flag. */
  readonly flag: string;
  readonly option: OptionSpec & { readonly placeholder: string };
  /** @throws TroupeError `Usage`, `ConfigInvalid` */
  plan(input: PresetInput): Promise<PresetPlan>;
}

/** All there are. */
export const PRESETS: readonly Preset[] = [docsPreset];
