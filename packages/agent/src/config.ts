/** The config file of a project: which actors it has and where they live. */
import type { ActorDefinition } from '@troupe/core';
import type { WorkerOptions } from '@troupe/runtime';

/** How to reach NATS. */
export interface NatsConfig {
  /** Server or servers. Default `nats://127.0.0.1:4222`; `TROUPE_NATS_URL` and `--nats-url` go before it. */
  readonly url?: string | readonly string[];
  readonly user?: string;
  /** Better in the environment: `TROUPE_NATS_PASS`, or in a file. */
  readonly pass?: string;
  /** Path of a file that holds the password, from the config file's folder. */
  readonly passFile?: string;
  /** Better in the environment: `TROUPE_NATS_TOKEN`. */
  readonly token?: string;
  /** Path of a `.creds` file, from the config file's folder. */
  readonly creds?: string;
  /** Path of the certificate of the authority that vouches for the servers, PEM. Default: Node's authorities. */
  readonly ca?: string;
  /** First tokens of reply subjects, as the user's permissions want them. Default `_INBOX`. */
  readonly inboxPrefix?: string;
}

/** How the streams are made. What exists already is changed only where something is set here. */
export interface StreamsConfig {
  /** Copies of every stream: 1, 3 or 5. Default 1. */
  readonly replicas?: number;
  /** Default `file`. */
  readonly storage?: 'file' | 'memory';
  /** Several journal streams, each with the types it takes. Default: one for all types. */
  readonly journals?: readonly { readonly types: readonly string[] }[];
  /** Journal streams that share the partitions, 1 to 16; the servers have to map subjects for it. Default 1. */
  readonly journalStreams?: number;
  /** Size at which the journal refuses more, bytes. Default 4 GiB. */
  readonly journal?: { readonly bytesMax?: number };
  /** Default 4 GiB. */
  readonly snapshots?: { readonly bytesMax?: number };
  /** Default 30 days and 1 GiB. */
  readonly deadLetters?: { readonly bytesMax?: number; readonly ageMaxMs?: number };
  /** Kept outcomes of types with `out: 'keep'`. Default 24 h and 1 GiB. */
  readonly outs?: { readonly bytesMax?: number; readonly ageMaxMs?: number };
}

/** How `troupe worker` runs as processes. */
export interface ProcessConfig {
  /** Worker processes under one parent; `auto`: one per core that may be used. Default: one, without a parent. */
  readonly count?: number | 'auto';
  /** A process whose event loop hasn't turned for so long is killed, ms; 0: never. Default 10,000. */
  readonly stuckMs?: number;
  /** Where `/livez` and `/readyz` listen. Default `127.0.0.1`. */
  readonly healthHost?: string;
  /** Their port; 0 takes a free one. Default: no endpoints. */
  readonly healthPort?: number;
}

/** Where spans of what workers do are sent. */
export interface TracesConfig {
  /** Collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`. Default: no traces. */
  readonly endpoint?: string;
  /** How spans are written: `http/protobuf` or `http/json`. Default `http/protobuf`. */
  readonly protocol?: string;
  /** Name of the service. Default `troupe`. */
  readonly service?: string;
  /** `always_on`, `always_off`, `traceidratio`, or one of them with `parentbased_` before it. Default `parentbased_always_on`. */
  readonly sampler?: string;
  /** Share of the traces for `traceidratio`: `'0'` to `'1'`. Default `'1'`. */
  readonly ratio?: string;
}

/** From where on `troupe doctor` complains; its flags go before these. */
export interface DoctorConfig {
  /** How full disk, account and streams may be, 0 to 100. Default 90. */
  readonly usageMaxPercent?: number;
  /** How far clocks may be apart, beyond what the answer took. Default 1,000. */
  readonly clockMaxMs?: number;
  /** Entries that an owner may be behind, or that a takeover may have to read. Default 20,000. */
  readonly lagMax?: number;
  /** How long a turn may be open. Default 300,000. */
  readonly turnMaxMs?: number;
  /** How long the slowest probe question may take. Default 1,000. */
  readonly responseMaxMs?: number;
  /** Share of turns that may fail, of a type with 100 turns or more, 0 to 100. Default 10. */
  readonly errorsMaxPercent?: number;
  /** Dead letters that may lie there. Default 0. */
  readonly deadMax?: number;
  /** Entries that may be parked. Default 0. */
  readonly parkedMax?: number;
  /** Resident memory that a worker process may take, MiB. Default 1,024. */
  readonly memoryMaxMib?: number;
  /** How late timers of a worker may be, 99th percentile of ten seconds. Default 200. */
  readonly delayMaxMs?: number;
  /** Actors whose states are restored and folded again. Default 20. */
  readonly sample?: number;
}

/** What `troupe dev` does. */
export interface DevConfig {
  /** Port of the nats-server that it starts. Default 4222. */
  readonly natsPort?: number;
  /** Where that server keeps its streams, from the config file's folder. Default `.troupe/data`. */
  readonly dataDir?: string;
  /** Folders and files that reload the worker, from the config file's folder. Default: that folder. */
  readonly watch?: readonly string[];
}

/** What `defineConfig` takes. */
export interface TroupeConfigOptions {
  /** What this project's workers host. */
  readonly actors: readonly ActorDefinition[];
  /** Types that have ended: what is sent to their actors is refused, `ActorTypeRetired`. Default none. */
  readonly retired?: readonly string[];
  /** Names that types had before, with those they have now: actors made under the old one go on. Default none. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** First tokens of every subject. Default `troupe`. */
  readonly prefix?: string;
  /** Partitions of the journal, fixed when it is made. Default 64. */
  readonly partitions?: number;
  readonly nats?: NatsConfig;
  readonly streams?: StreamsConfig;
  /** Limits of a worker. */
  readonly worker?: WorkerOptions;
  readonly process?: ProcessConfig;
  /** `debug`, `info`, `warn`, `error` or `silent`. Default `info`. */
  readonly logLevel?: LogLevel;
  /** Levels of actor types that differ. Default none. */
  readonly logLevels?: Readonly<Record<string, LogLevel>>;
  /** Default: none. */
  readonly traces?: TracesConfig;
  /** Default: those of `DoctorConfig`. */
  readonly doctor?: DoctorConfig;
  readonly dev?: DevConfig;
}

/** How much is logged. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** A checked config. */
export interface TroupeConfig extends TroupeConfigOptions {
  /** What this project's workers host, an alias for each old name of `renamed` among them. */
  readonly actors: readonly ActorDefinition[];
  /** Marks what `defineConfig` made. */
  readonly kind: 'troupe-config';
}
