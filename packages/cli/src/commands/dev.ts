import { findConfigFile, loadConfig } from '@troupe/service-worker/internal';
import { TroupeError } from '@troupe/wire';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { commandName } from '../dev/banner.ts';
import { DevLog } from '../dev/dev-log.ts';
import { DevSession, watchedPaths } from '../dev/dev-session.ts';
import { PRESETS, type PresetPlan } from '../dev/preset.ts';
import { usageError } from '../usage-error.ts';

export const dev: Command = {
  name: 'dev',
  summary: 'Run the actors of troupe.config.ts with a nats-server and an inspector of their own, and reload on change.',
  description:
    'The server listens on loopback only and keeps its streams, so actors are still there tomorrow. A server that runs already is used with --nats-url; the address in environment and config file is not, so that dev never touches a deployment by accident. A change of code loads the new code first, then drains the old worker and starts the new one; code that can not be loaded changes nothing. A worker that ends by itself is started again, after waits that grow.',
  args: [],
  options: {
    ...Object.fromEntries(PRESETS.map(({ flag, option }) => [flag, option])),
    'no-gateway': {
      meaning:
        'Without HTTP and the inspector, which are served on --listen; on the next free port where the usual one is taken.',
    },
  },
  reach: 'dev',
  examples: [
    {
      line: 'troupe dev',
      meaning: 'Prints a `troupe ask` and a `nats req` to paste, a link to the inspector, then a log of outcomes.',
    },
    { line: 'troupe dev --nats-port 0 --data /tmp/try', meaning: 'A free port, another folder.' },
    { line: 'troupe dev --json', meaning: 'One JSON object an event: ready, published, reloaded ...' },
  ],
  exitCodes: {
    0: 'Stopped by Ctrl-C or SIGTERM, in good order.',
    2: 'Arguments or config file can not be used, or port or folder are taken.',
    3: 'nats-server was not found, or ended by itself.',
  },
  async run(context) {
    const plan = await presetPlan(context);
    const configFile = plan?.configFile ?? (await ownConfigFile(context));
    const { settings, origins } = await context.project();
    const session = new DevSession({
      settings,
      serverUrl: context.text('nats-url'),
      configFile,
      watch: watchedPaths(configFile, plan === undefined ? await watchOf(configFile) : undefined),
      plan,
      env: context.io.env,
      cwd: context.io.cwd,
      command: commandName(context.io.env),
      log: new DevLog(context.out),
      signal: context.io.signal,
      gateway: context.has('no-gateway') ? undefined : { chosen: origins.listen !== 'default' },
    });
    await session.run();
    return undefined;
  },
};

async function presetPlan(context: CommandContext): Promise<PresetPlan | undefined> {
  const wanted = PRESETS.filter(({ flag }) => context.has(flag));
  if (wanted.length > 1)
    throw usageError(`${wanted.map(({ flag }) => `--${flag}`).join(' and ')} can't be run together: give one.`);
  return wanted[0]?.plan({ value: context.text(wanted[0].flag)!, cwd: context.io.cwd });
}

async function ownConfigFile(context: CommandContext): Promise<string> {
  const file = findConfigFile(context.io.cwd, context.text('config') ?? context.io.env.TROUPE_CONFIG);
  if (file !== undefined) return file;
  throw new TroupeError(
    'ConfigInvalid',
    `There is no troupe.config.ts in ${context.io.cwd} or above. Write one:\n\n  import { defineAgent, defineConfig } from '@troupe/agent';\n  import { order } from './agents/order.ts';\n  export default defineConfig({ actors: [defineAgent({ type: 'order', version: 1, machine: order })] });\n`,
  );
}

async function watchOf(configFile: string): Promise<readonly string[] | undefined> {
  const { config } = await loadConfig(configFile);
  return config.dev?.watch;
}
