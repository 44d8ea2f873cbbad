/** Flags that every command has, and which settings each kind of command takes. */
import { SETTINGS, type Setting } from '@troupe/service-worker/internal';
import type { OptionSpec, Reach } from './command.ts';

export const COMMON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  json: { meaning: 'Write JSON to stdout, and nothing else: one value, or one a line where there may be many.' },
  config: { meaning: 'Config file. Default: troupe.config.ts, looked for from here upward.', placeholder: 'FILE' },
  help: { meaning: 'This text.', short: 'h' },
};

const CLIENT = ['nats-url', 'creds', 'prefix'];
const FLAGS: Readonly<Record<Reach, readonly string[]>> = {
  none: [],
  client: CLIENT,
  operator: CLIENT,
  worker: [
    ...CLIENT,
    'nats-wait-ms',
    'partitions',
    'log-level',
    'id',
    'drain-ms',
    'processes',
    'stuck-ms',
    'health-host',
    'health-port',
  ],
  gateway: [...CLIENT, 'nats-wait-ms', 'log-level', 'listen', 'tokens', 'allow-host', 'tls-cert', 'tls-key'],
  dev: ['nats-url', 'nats-port', 'data', 'creds', 'prefix', 'partitions', 'log-level', 'drain-ms', 'listen'],
};

/** Settings with a flag that commands of this kind take, in the order of the table. */
export function settingsOf(reach: Reach): readonly Setting[] {
  return SETTINGS.filter(({ flag }) => flag !== undefined && FLAGS[reach].includes(flag));
}
