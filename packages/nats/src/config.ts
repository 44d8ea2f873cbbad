/**
 * What is stored where, and how much of it: loose options in, total configuration out, refused early.
 *
 * Defaults and their reasons
 * - `journal.bytesMax` 4 GiB: at 300 bytes per turn about 14 million turns between two purges; less where the server has
 *   less to give.
 * - `journal.messageBytesMax` the server's `max_payload` less 16 KiB, so that every accepted entry also fits into a dead
 *   letter together with the reason.
 * - dead letters 30 days and 1 GiB, outs 24 h and 1 GiB: the oldest go first.
 */
import { createSubjects, PARTITIONS_DEFAULT, PREFIX_DEFAULT, type Subjects, TroupeError } from '@troupe/wire';

export interface JournalOptions {
  /** Size at which the journal stream refuses more, bytes. Default 4 GiB. */
  readonly bytesMax?: number;
  /** Largest entry, payload and headers, bytes. */
  readonly messageBytesMax?: number;
}

/** A stream that ages: the oldest go first. */
export interface RetentionOptions {
  readonly bytesMax?: number;
  readonly ageMaxMs?: number;
}

export interface NatsConfigOptions {
  /** First tokens of every subject. Default `troupe`. */
  readonly prefix?: string;
  /** Where the JetStream API is; `$JS.<domain>.API` behind a leaf node. Default `$JS.API`. */
  readonly apiPrefix?: string;
  /** Partitions per journal stream, fixed for the stream's life. Default 64. */
  readonly partitions?: number;
  /** Copies of every stream: 1, 3 or 5. Default 1. */
  readonly replicas?: number;
  /** Default `file`. */
  readonly storage?: 'file' | 'memory';
  /**
   * Several journal streams, each with the types it takes. No stream takes a type that none lists. Default: one stream
   * for all types.
   */
  readonly journals?: readonly { readonly types: readonly string[] }[];
  /**
   * Several journal streams over which every type is spread by the hash of the actor's address, 1 to 16; `partitions` is
   * their total. The server has to map subjects as `journalMappings` says. Fixed once the streams exist. Default 1.
   */
  readonly journalStreams?: number;
  readonly journal?: JournalOptions;
  /** Default 4 GiB. */
  readonly snapshots?: { readonly bytesMax?: number };
  /** Default 30 days, 1 GiB. */
  readonly deadLetters?: RetentionOptions;
  /** Entries of suspended actors, and of types that nobody defines now. Default 1 GiB; beyond, they stay in the journal. */
  readonly parked?: { readonly bytesMax?: number };
  /** Types whose outs are kept (`out: 'keep'`). Default none; 24 h, 1 GiB. */
  readonly outs?: RetentionOptions & { readonly types?: readonly string[] };
}

/** One journal stream. */
export interface JournalStream {
  readonly name: string;
  /** Undefined: all types. */
  readonly types: readonly string[] | undefined;
  /** Its partitions, when all types are spread over several streams by hash. Undefined: all of them. */
  readonly partitions?: readonly number[] | undefined;
}

export interface NatsConfig {
  readonly options: NatsConfigOptions;
  readonly subjects: Subjects;
  readonly apiPrefix: string;
  /** Per journal stream; where streams are split by hash, of all of them together. */
  readonly partitions: number;
  /** Several streams share the partitions: see `journalStreams`. */
  readonly splitByHash: boolean;
  readonly replicas: number;
  readonly storage: 'file' | 'memory';
  readonly journals: readonly JournalStream[];
  readonly outTypes: readonly string[];
  readonly streams: {
    readonly snapshots: string;
    readonly records: string;
    readonly ticks: string;
    readonly deadLetters: string;
    readonly parked: string;
    readonly outs: string;
  };
}

/** Most partitions of one stream: each one owned costs a consumer. */
const PARTITIONS_MAX = 1_024;
const JOURNAL_STREAMS_MAX = 16;

/** Throws `ConfigInvalid`, naming the option, what was seen and what is allowed. */
export function resolveConfig(options: NatsConfigOptions = {}): NatsConfig {
  const subjects = createSubjects(options.prefix ?? PREFIX_DEFAULT);
  const partitions = whole('partitions', options.partitions ?? PARTITIONS_DEFAULT, 1, PARTITIONS_MAX);
  const replicas = options.replicas ?? 1;
  if (replicas !== 1 && replicas !== 3 && replicas !== 5) throw invalid('replicas', replicas, '1, 3 or 5');
  const stream = (noun: string): string => `${streamPrefix(subjects.prefix)}_${noun}`;
  return {
    options,
    subjects,
    apiPrefix: options.apiPrefix ?? '$JS.API',
    partitions,
    replicas,
    storage: options.storage ?? 'file',
    splitByHash: (options.journalStreams ?? 1) > 1,
    journals: journalStreams(options, stream('JOURNAL'), partitions),
    outTypes: [...new Set(options.outs?.types ?? [])].sort(),
    streams: {
      snapshots: stream('SNAPSHOTS'),
      records: stream('RECORDS'),
      ticks: stream('TICKS'),
      deadLetters: stream('DEAD'),
      parked: stream('PARKED'),
      outs: stream('OUTS'),
    },
  };
}

/** `TROUPE` of the prefix `troupe`. */
export function streamPrefix(prefix: string): string {
  return prefix.toUpperCase().replaceAll('.', '_');
}

function journalStreams(options: NatsConfigOptions, name: string, partitions: number): JournalStream[] {
  const { journals } = options;
  const count = whole('journalStreams', options.journalStreams ?? 1, 1, Math.min(JOURNAL_STREAMS_MAX, partitions));
  if (count > 1) {
    if (journals !== undefined) throw invalid('journals', journals, 'nothing beside journalStreams: split one way');
    return Array.from({ length: count }, (_, stream) => ({
      name: stream === 0 ? name : `${name}_${stream}`,
      types: undefined,
      partitions: Array.from({ length: partitions }, (__, p) => p).filter((p) => p % count === stream),
    }));
  }
  if (journals === undefined || journals.length === 0) return [{ name, types: undefined }];
  const seen = new Set<string>();
  for (const type of journals.flatMap((journal) => journal.types)) {
    if (seen.has(type)) throw invalid('journals', type, 'each type in one journal only');
    seen.add(type);
  }
  return journals.map(({ types }, i) => {
    if (types.length === 0) throw invalid('journals', `entry ${i}`, 'at least one type per journal');
    return { name: i === 0 ? name : `${name}_${i}`, types: [...types].sort() };
  });
}

function whole(option: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(option, value, `a whole number from ${min} to ${max}`);
}

function invalid(option: string, value: unknown, allowed: string): TroupeError {
  return new TroupeError('ConfigInvalid', `nats.${option} is ${JSON.stringify(value)}: allowed is ${allowed}.`, {
    details: { option, value },
  });
}
