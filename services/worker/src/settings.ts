/**
 * Every setting of the processes: where it may come from, its default, its meaning. One table for the code, for `--help`
 * and for docs/reference/configuration.md, which a test compares with it.
 *
 * One order, everywhere: flag, then environment, then config file, then default. An empty variable counts as absent.
 */
import { resolve } from 'node:path';
import type { TroupeConfig } from '@troupe/agent';
import { TroupeError } from '@troupe/wire';

/** Every setting, resolved. */
export interface Settings {
  readonly natsUrl: string;
  readonly user: string | undefined;
  readonly pass: string | undefined;
  readonly passFile: string | undefined;
  readonly token: string | undefined;
  readonly creds: string | undefined;
  readonly ca: string | undefined;
  readonly inboxPrefix: string | undefined;
  readonly natsWaitMs: number;
  readonly prefix: string;
  readonly partitions: number;
  readonly journalStreams: number;
  readonly replicas: number | undefined;
  readonly replyPrefixes: string | undefined;
  readonly logLevel: string;
  readonly logLevels: string | undefined;
  readonly tracesEndpoint: string | undefined;
  readonly tracesUrl: string | undefined;
  readonly tracesProtocol: string;
  readonly tracesHeaders: string | undefined;
  readonly tracesService: string;
  readonly tracesSampler: string;
  readonly tracesSamplerArg: string;
  readonly workerId: string | undefined;
  readonly drainMs: number;
  readonly residentBytesMax: number | undefined;
  readonly processes: number | 'auto' | undefined;
  readonly stuckMs: number;
  readonly healthHost: string;
  readonly healthPort: number | undefined;
  readonly natsPort: number;
  readonly dataDir: string;
  readonly listen: string;
  readonly tokensFile: string | undefined;
  readonly allowHosts: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
}

export type SettingName = keyof Settings;

/** Where a value came from. */
export type Origin = 'flag' | 'environment' | 'config file' | 'default';

/** One row of the table. */
export interface Setting {
  readonly name: SettingName;
  /** Without the dashes. */
  readonly flag?: string;
  /** What `--help` calls the flag's value. */
  readonly placeholder?: string;
  readonly env?: string;
  /** Path in the config file. */
  readonly config?: string;
  readonly default: string | number | undefined;
  /** Shown in the place of a default that isn't a value. */
  readonly defaultText?: string;
  readonly kind: 'text' | 'path' | 'pairs' | { readonly min: number; readonly max: number; readonly word?: string };
  readonly meaning: string;
}

const DAY_MS = 86_400_000;

export const SETTINGS: readonly Setting[] = [
  {
    name: 'natsUrl',
    flag: 'nats-url',
    placeholder: 'URL',
    env: 'TROUPE_NATS_URL',
    config: 'nats.url',
    default: 'nats://127.0.0.1:4222',
    kind: 'text',
    meaning: 'Server, or several of one cluster with commas between them.',
  },
  {
    name: 'user',
    env: 'TROUPE_NATS_USER',
    config: 'nats.user',
    default: undefined,
    kind: 'text',
    meaning: 'User name at NATS.',
  },
  {
    name: 'pass',
    env: 'TROUPE_NATS_PASS',
    config: 'nats.pass',
    default: undefined,
    kind: 'text',
    meaning: 'Password of the user.',
  },
  {
    name: 'passFile',
    env: 'TROUPE_NATS_PASS_FILE',
    config: 'nats.passFile',
    default: undefined,
    kind: 'path',
    meaning: 'File that holds the password, in place of it; read again at every reconnect.',
  },
  {
    name: 'token',
    env: 'TROUPE_NATS_TOKEN',
    config: 'nats.token',
    default: undefined,
    kind: 'text',
    meaning: 'Token, in place of user and password.',
  },
  {
    name: 'creds',
    flag: 'creds',
    placeholder: 'FILE',
    env: 'TROUPE_NATS_CREDS',
    config: 'nats.creds',
    default: undefined,
    kind: 'path',
    meaning: 'Credentials file (JWT and seed), in place of user or token.',
  },
  {
    name: 'ca',
    env: 'TROUPE_NATS_CA',
    config: 'nats.ca',
    default: undefined,
    defaultText: 'the authorities of Node',
    kind: 'path',
    meaning: 'Certificate of the authority that vouches for the servers, PEM. Given, the connection is always TLS.',
  },
  {
    name: 'inboxPrefix',
    env: 'TROUPE_NATS_INBOX_PREFIX',
    config: 'nats.inboxPrefix',
    default: undefined,
    defaultText: '`_INBOX`; a client with a user name: `_INBOX.<user>`',
    kind: 'text',
    meaning: 'First tokens of reply subjects, as the permissions want them.',
  },
  {
    name: 'natsWaitMs',
    flag: 'nats-wait-ms',
    placeholder: 'MS',
    env: 'TROUPE_NATS_WAIT_MS',
    default: 30_000,
    kind: { min: 0, max: DAY_MS },
    meaning: 'How long a worker tries for its first connection, ms.',
  },
  {
    name: 'prefix',
    flag: 'prefix',
    placeholder: 'TOKENS',
    env: 'TROUPE_PREFIX',
    config: 'prefix',
    default: 'troupe',
    kind: 'text',
    meaning: 'First tokens of every subject.',
  },
  {
    name: 'partitions',
    flag: 'partitions',
    placeholder: 'COUNT',
    env: 'TROUPE_PARTITIONS',
    config: 'partitions',
    default: 64,
    kind: { min: 1, max: 1_024 },
    meaning: 'Partitions of the journal; fixed once it exists.',
  },
  {
    name: 'journalStreams',
    env: 'TROUPE_JOURNAL_STREAMS',
    config: 'streams.journalStreams',
    default: 1,
    kind: { min: 1, max: 16 },
    meaning:
      'Journal streams that share the partitions; the servers have to map subjects for it. Fixed once they exist.',
  },
  {
    name: 'replicas',
    env: 'TROUPE_REPLICAS',
    config: 'streams.replicas',
    default: undefined,
    defaultText: '1; streams that exist stay as they are',
    kind: { min: 1, max: 5 },
    meaning: 'Copies of every stream: 1, 3 or 5.',
  },
  {
    name: 'replyPrefixes',
    env: 'TROUPE_REPLY_PREFIXES',
    config: 'worker.replyPrefixes',
    default: undefined,
    defaultText: 'none',
    kind: 'text',
    meaning:
      'Subjects besides inboxes under which answers are sent, with commas; `_R_` where clients have an account of their own.',
  },
  {
    name: 'logLevel',
    flag: 'log-level',
    placeholder: 'LEVEL',
    env: 'TROUPE_LOG_LEVEL',
    config: 'logLevel',
    default: 'info',
    kind: 'text',
    meaning: 'debug, info, warn, error or silent.',
  },
  {
    name: 'logLevels',
    env: 'TROUPE_LOG_LEVELS',
    config: 'logLevels',
    default: undefined,
    defaultText: 'as above',
    kind: 'pairs',
    meaning:
      'Levels of actor types that differ, with commas: `order=debug,support=warn`; an object in the config file.',
  },
  {
    name: 'tracesEndpoint',
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    config: 'traces.endpoint',
    default: undefined,
    defaultText: 'no traces',
    kind: 'text',
    meaning: 'Collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`; `/v1/traces` is added.',
  },
  {
    name: 'tracesUrl',
    env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    default: undefined,
    defaultText: 'from the endpoint',
    kind: 'text',
    meaning: 'The whole URL to which spans are sent, in place of that.',
  },
  {
    name: 'tracesProtocol',
    env: 'OTEL_EXPORTER_OTLP_PROTOCOL',
    config: 'traces.protocol',
    default: 'http/protobuf',
    kind: 'text',
    meaning: 'How spans are written: http/protobuf or http/json.',
  },
  {
    name: 'tracesHeaders',
    env: 'OTEL_EXPORTER_OTLP_HEADERS',
    default: undefined,
    defaultText: 'none',
    kind: 'text',
    meaning: 'Headers for the collector, with commas between them: `name=value`, URL-encoded.',
  },
  {
    name: 'tracesService',
    env: 'OTEL_SERVICE_NAME',
    config: 'traces.service',
    default: 'troupe',
    kind: 'text',
    meaning: 'Name of the service in traces.',
  },
  {
    name: 'tracesSampler',
    env: 'OTEL_TRACES_SAMPLER',
    config: 'traces.sampler',
    default: 'parentbased_always_on',
    kind: 'text',
    meaning:
      'Which traces are exported: always_on, always_off, traceidratio, or those with `parentbased_` before them.',
  },
  {
    name: 'tracesSamplerArg',
    env: 'OTEL_TRACES_SAMPLER_ARG',
    config: 'traces.ratio',
    default: '1',
    kind: 'text',
    meaning: 'Share of the traces for `traceidratio`, 0 to 1; text in the config file.',
  },
  {
    name: 'workerId',
    flag: 'id',
    placeholder: 'ID',
    env: 'TROUPE_WORKER_ID',
    default: undefined,
    defaultText: 'random',
    kind: 'text',
    meaning: 'Name of the worker, unique among those alive: letters, digits, - and _.',
  },
  {
    name: 'drainMs',
    flag: 'drain-ms',
    placeholder: 'MS',
    env: 'TROUPE_DRAIN_MS',
    config: 'worker.drainDeadlineMs',
    default: 10_000,
    kind: { min: 1, max: DAY_MS },
    meaning: 'How long a worker may take to finish after SIGTERM, ms.',
  },
  {
    name: 'residentBytesMax',
    env: 'TROUPE_RESIDENT_BYTES_MAX',
    config: 'worker.residentBytesMax',
    default: undefined,
    defaultText: "a quarter of the heap's limit",
    kind: { min: 1, max: Number.MAX_SAFE_INTEGER },
    meaning: 'What the actors in memory of a worker may take together, by estimate, bytes; the longest idle go first.',
  },
  {
    name: 'processes',
    flag: 'processes',
    placeholder: 'COUNT',
    env: 'TROUPE_PROCESSES',
    config: 'process.count',
    default: undefined,
    defaultText: 'one, without a parent',
    kind: { min: 1, max: 256, word: 'auto' },
    meaning: 'Worker processes under one parent that starts them again; `auto` is one per core that may be used.',
  },
  {
    name: 'stuckMs',
    flag: 'stuck-ms',
    placeholder: 'MS',
    env: 'TROUPE_STUCK_MS',
    config: 'process.stuckMs',
    default: 10_000,
    kind: { min: 0, max: DAY_MS },
    meaning: 'A process whose event loop has not turned for so long is killed, ms; 0: never.',
  },
  {
    name: 'healthHost',
    flag: 'health-host',
    placeholder: 'ADDRESS',
    env: 'TROUPE_HEALTH_HOST',
    config: 'process.healthHost',
    default: '127.0.0.1',
    kind: 'text',
    meaning: 'Where `/livez` and `/readyz` listen.',
  },
  {
    name: 'healthPort',
    flag: 'health-port',
    placeholder: 'PORT',
    env: 'TROUPE_HEALTH_PORT',
    config: 'process.healthPort',
    default: undefined,
    defaultText: 'no endpoints',
    kind: { min: 0, max: 65_535 },
    meaning: 'Port of `/livez` and `/readyz`; 0 takes a free one and logs it.',
  },
  {
    name: 'natsPort',
    flag: 'nats-port',
    placeholder: 'PORT',
    env: 'TROUPE_NATS_PORT',
    config: 'dev.natsPort',
    default: 4222,
    kind: { min: 0, max: 65_535 },
    meaning: 'Port of the nats-server that `troupe dev` starts; 0 takes a free one.',
  },
  {
    name: 'dataDir',
    flag: 'data',
    placeholder: 'DIR',
    env: 'TROUPE_DATA',
    config: 'dev.dataDir',
    default: '.troupe/data',
    kind: 'path',
    meaning: 'Where that server keeps its streams.',
  },
  {
    name: 'listen',
    flag: 'listen',
    placeholder: 'HOST:PORT',
    env: 'TROUPE_GATEWAY_LISTEN',
    default: '127.0.0.1:4280',
    kind: 'text',
    meaning: 'Where the gateway listens; port 0 takes a free one. Beyond this machine only with tokens.',
  },
  {
    name: 'tokensFile',
    flag: 'tokens',
    placeholder: 'FILE',
    env: 'TROUPE_GATEWAY_TOKENS_FILE',
    default: undefined,
    kind: 'path',
    meaning:
      'Who may use the gateway: a line each, `<role> <name> <token>`, role `read` or `operate`; readable by its owner only.',
  },
  {
    name: 'allowHosts',
    flag: 'allow-host',
    placeholder: 'NAMES',
    env: 'TROUPE_GATEWAY_ALLOW_HOSTS',
    default: undefined,
    kind: 'text',
    meaning: 'Further names under which the gateway is reached, with commas between them: `name` or `name:port`.',
  },
  {
    name: 'tlsCert',
    flag: 'tls-cert',
    placeholder: 'FILE',
    env: 'TROUPE_GATEWAY_TLS_CERT',
    default: undefined,
    kind: 'path',
    meaning: 'Certificate chain of the gateway, PEM; with its key it speaks HTTPS.',
  },
  {
    name: 'tlsKey',
    flag: 'tls-key',
    placeholder: 'FILE',
    env: 'TROUPE_GATEWAY_TLS_KEY',
    default: undefined,
    kind: 'path',
    meaning: 'Key of that certificate, PEM.',
  },
];

/** Variables that aren't settings of a config file. */
export const OTHER_VARIABLES: readonly { readonly env: string; readonly meaning: string }[] = [
  {
    env: 'TROUPE_CONFIG',
    meaning:
      'Path of the config file; `--config` goes before it. Default: `troupe.config.ts`, `.mts`, `.js` or `.mjs`, looked for from the current folder upward.',
  },
  {
    env: 'TROUPE_NATS_SERVER',
    meaning: 'Path of the `nats-server` binary that `troupe dev` and the tests start. Default: `nats-server` of PATH.',
  },
  {
    env: 'TROUPE_GATEWAY_READ_TOKEN',
    meaning: 'A token of the gateway with the role `read`, beside those of the file; at least 24 characters.',
  },
  { env: 'TROUPE_GATEWAY_OPERATE_TOKEN', meaning: 'The same with the role `operate`.' },
  { env: 'TROUPE_CACHE_DIR', meaning: 'Where a checkout keeps the tools it fetches. Default: `.cache`.' },
  { env: 'NO_COLOR', meaning: 'Any value turns colours off. They are used only on a terminal.' },
];

/** What settings are made of. */
export interface SettingSources {
  /** By flag name. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly config?: TroupeConfig | undefined;
  /** Folder of the config file: paths in it count from there. */
  readonly configDir?: string | undefined;
  /** Other paths count from here. */
  readonly cwd: string;
}

/** Settings, and where each came from. */
export interface ResolvedSettings {
  readonly settings: Settings;
  readonly origins: Readonly<Record<SettingName, Origin>>;
}

/**
 * Resolves every setting.
 *
 * @throws TroupeError `ConfigInvalid` naming the setting as it was given, what was seen and what is allowed.
 * @example resolveSettings({ flags: { 'nats-url': 'nats://nats:4222' }, env: process.env, cwd: process.cwd() })
 */
export function resolveSettings(sources: SettingSources): ResolvedSettings {
  const settings: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  for (const setting of SETTINGS) {
    const { value, origin } = pick(setting, sources);
    settings[setting.name] = value;
    origins[setting.name] = origin;
  }
  return { settings: settings as unknown as Settings, origins: origins as Record<SettingName, Origin> };
}

function pick(
  setting: Setting,
  { flags = {}, env = {}, config, configDir, cwd }: SettingSources,
): { value: unknown; origin: Origin } {
  const flag = setting.flag === undefined ? undefined : flags[setting.flag];
  if (flag !== undefined) return { value: read(setting, flag, `--${setting.flag}`, cwd), origin: 'flag' };
  const variable = setting.env === undefined ? undefined : env[setting.env];
  if (variable !== undefined && variable !== '') {
    return { value: read(setting, variable, setting.env!, cwd), origin: 'environment' };
  }
  const configured = setting.config === undefined ? undefined : at(config, setting.config);
  if (configured !== undefined) {
    return {
      value: read(setting, configured, `${setting.config} of the config file`, configDir ?? cwd),
      origin: 'config file',
    };
  }
  const base =
    setting.kind === 'path' && setting.default !== undefined
      ? resolve(configDir ?? cwd, String(setting.default))
      : setting.default;
  return { value: base, origin: 'default' };
}

function read(setting: Setting, given: unknown, where: string, folder: string): unknown {
  const { kind } = setting;
  if (typeof kind === 'object') return given === kind.word ? given : wholeNumber(given, where, kind);
  const text = Array.isArray(given) ? given.join(',') : kind === 'pairs' ? pairs(given) : given;
  if (typeof text !== 'string' || text === '') throw refuse(where, given, 'some text');
  return kind === 'path' ? resolve(folder, text) : text;
}

function pairs(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given;
  return Object.entries(given)
    .map((pair) => pair.join('='))
    .join(',');
}

function wholeNumber(given: unknown, where: string, kind: Exclude<Setting['kind'], string>): number {
  const { min, max, word } = kind;
  const number = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= min && number <= max) return number;
  throw refuse(where, given, `a whole number from ${min} to ${max}${word === undefined ? '' : `, or ${word}`}`);
}

function at(config: object | undefined, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, field) => (value as Record<string, unknown> | undefined)?.[field], config);
}

function refuse(where: string, seen: unknown, wanted: string): TroupeError {
  return new TroupeError('ConfigInvalid', `${where} is ${JSON.stringify(seen)}: use ${wanted}.`, {
    details: { where },
  });
}
