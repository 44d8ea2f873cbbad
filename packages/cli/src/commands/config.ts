import { OTHER_VARIABLES, SETTINGS, type SettingName } from '@troupe/service-worker/internal';
import type { Command } from '../command.ts';
import { showShort, table } from '../output/format.ts';

/** Never shown. */
const SECRETS: ReadonlySet<SettingName> = new Set(['pass', 'token', 'tracesHeaders']);

export const config: Command = {
  name: 'config',
  summary: 'Show every setting and where it comes from.',
  description: `Flags go before the environment, that before the config file, and defaults come last. Variables that are no settings: ${OTHER_VARIABLES.map(({ env }) => env).join(', ')}.`,
  args: [],
  options: {},
  reach: 'dev',
  examples: [{ line: 'troupe config', meaning: 'What the other commands go by, here and now.' }],
  async run(context) {
    const { settings, origins, loaded } = await context.project();
    const shown = SETTINGS.map(({ name }) => ({ name, value: hide(name, settings[name]), from: origins[name] }));
    const file = loaded?.file ?? null;
    const rows = shown.map(({ name, value, from }) => [name, value === undefined ? '-' : showShort(value), from]);
    context.out.answer(
      { file, settings: shown },
      `${table(['SETTING', 'VALUE', 'FROM'], rows)}\n\nconfig file: ${file ?? 'none'}`,
    );
    return undefined;
  },
};

function hide(name: SettingName, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (SECRETS.has(name)) return '(set)';
  return name === 'natsUrl' ? String(value).replace(/\/\/[^@/]*@/g, '//***@') : value;
}
