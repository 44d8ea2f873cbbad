/**
 * The streams as they should be. Stream features are the security boundary (clients choose their headers freely), so the
 * journal, the only stream that clients publish to, has none of them: no schedules, no rollup, no per-message TTL, no
 * atomic batches.
 */
import type { JournalStream, NatsConfig } from './config.ts';
import type { StreamConfig } from './js-api.ts';

/** A stream, and which of its fields the user set: those are updated, defaults only apply at creation. */
export interface WantedStream {
  readonly config: StreamConfig;
  readonly chosen: readonly string[];
  readonly kind: 'journal' | 'internal' | 'outs';
}

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const DAY_MS = 86_400_000;
const NANOS_PER_MS = 1_000_000;
/** The server's minimum is 100 ms; nothing of ours relies on message ids. */
const DUPLICATE_WINDOW_NS = 100 * NANOS_PER_MS;
/** Room for the reason in a dead letter. */
export const DEAD_LETTER_HEADROOM_BYTES = 16 * 1024;
/** Parked entries at once: each is a subject, which takes memory of the server. */
const PARKED_MAX = 1_000_000;
/** Snapshots kept of an actor. */
export const SNAPSHOTS_KEPT = 10;
/** Subjects of records, below the prefix. */
export const RECORD_TOKEN = 'record';
/** Entries on their way to one of several journal streams: `<prefix>.share.<partition>.<verb>.<type>.<key>`. */
const SHARE_TOKEN = 'share';
/** What is published under the first comes out under the second, with its partition, when the server maps subjects. */
export const PROBE_TOKEN = 'probe';
export const PROBED_TOKEN = 'probed';

/** All streams, the journals first. */
export function wantedStreams(config: NatsConfig, payloadBytesMax: number): WantedStream[] {
  return [
    ...journals(config, payloadBytesMax),
    snapshots(config),
    records(config),
    ticks(config),
    dead(config),
    parked(config),
    ...outs(config),
  ];
}

function journals(config: NatsConfig, payloadBytesMax: number): WantedStream[] {
  const { options } = config;
  return config.journals.map((journal) => ({
    kind: 'journal',
    chosen: chosen(options, { max_bytes: options.journal?.bytesMax, max_msg_size: options.journal?.messageBytesMax }),
    config: {
      ...common(config, journal.name),
      ...journalSubjects(config, journal),
      discard: 'new',
      max_bytes: options.journal?.bytesMax ?? 4 * GIB,
      max_msg_size: options.journal?.messageBytesMax ?? payloadBytesMax - DEAD_LETTER_HEADROOM_BYTES,
    },
  }));
}

/** What a journal takes, and under which subject it stores that. */
function journalSubjects(
  config: NatsConfig,
  { types, partitions }: JournalStream,
): Record<string, unknown> & { subjects: string[] } {
  const { subjects } = config;
  if (partitions !== undefined) {
    const share = partitions.map((partition) => `${subjects.prefix}.${SHARE_TOKEN}.${partition}.>`);
    // What no mapping matches has a wrong number of tokens; it is kept for the dead letters, as anywhere.
    const unmapped = partitions[0] === 0 ? [subjects.every('task'), subjects.every('signal')] : [];
    return { subjects: [...share, ...unmapped], subject_transform: shareTransform(config) };
  }
  return {
    subjects: types === undefined ? subjects.journalSubjects() : types.flatMap((type) => typeSubjects(config, type)),
    subject_transform: subjects.journalTransform(config.partitions),
  };
}

/** One subject that the server has to map before it looks for subscribers and streams. */
export interface SubjectMapping {
  readonly from: string;
  readonly to: string;
}

/**
 * What the server has to map, in the account of the workers, where journals are split by hash: the partition goes in front,
 * and with it each entry to its stream. Empty without a split. The last one serves only to find out whether the server
 * maps at all, and with the same partitions.
 */
export function journalMappings(config: NatsConfig): SubjectMapping[] {
  if (!config.splitByHash) return [];
  const { prefix } = config.subjects;
  const partition = `{{partition(${config.partitions},1,2)}}`;
  return [
    ...['task', 'signal', 'event'].map((verb) => ({
      from: `${prefix}.${verb}.*.*`,
      to: `${prefix}.${SHARE_TOKEN}.${partition}.${verb}.{{wildcard(1)}}.{{wildcard(2)}}`,
    })),
    {
      from: `${prefix}.${PROBE_TOKEN}.*.*`,
      to: `${prefix}.${PROBED_TOKEN}.${partition}.{{wildcard(1)}}.{{wildcard(2)}}`,
    },
  ];
}

/** Whether a journal stream takes one partition's entries under it, and only because journals are split by hash. */
export function isShareSubject(subject: string): boolean {
  return subject.split('.').at(-3) === SHARE_TOKEN;
}

function shareTransform({ subjects: { prefix } }: NatsConfig): { src: string; dest: string } {
  return {
    src: `${prefix}.${SHARE_TOKEN}.*.*.*.*`,
    dest: `${prefix}.journal.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}.{{wildcard(4)}}`,
  };
}

function typeSubjects({ subjects }: NatsConfig, type: string): string[] {
  return [subjects.ofType('task', type), subjects.ofType('signal', type), `${subjects.prefix}.event.${type}.*`];
}

function snapshots(config: NatsConfig): WantedStream {
  const { options, streams, subjects } = config;
  return internal(
    options,
    { max_bytes: options.snapshots?.bytesMax },
    {
      ...common(config, streams.snapshots),
      subjects: [subjects.every('snapshot')],
      discard: 'new',
      discard_new_per_subject: false,
      max_msgs_per_subject: SNAPSHOTS_KEPT,
      max_bytes: options.snapshots?.bytesMax ?? 4 * GIB,
    },
  );
}

/**
 * One message per subject: with more, an expired lease would uncover the one before it, and delete markers would stretch
 * short TTLs.
 */
function records(config: NatsConfig): WantedStream {
  const { options, streams, subjects } = config;
  return internal(
    options,
    {},
    {
      ...common(config, streams.records),
      subjects: [`${subjects.prefix}.${RECORD_TOKEN}.>`],
      discard: 'new',
      max_msgs_per_subject: 1,
      allow_msg_ttl: true,
      max_bytes: 256 * MIB,
    },
  );
}

/**
 * Schedules and what they become are one message per subject each, so at most two per actor: that is the bound. A limit
 * in bytes would drop the oldest wake-ups, for the server refuses "discard new" together with schedules.
 */
function ticks(config: NatsConfig): WantedStream {
  const { options, streams, subjects } = config;
  return internal(
    options,
    {},
    {
      ...common(config, streams.ticks),
      subjects: [subjects.every('tick')],
      discard: 'old',
      max_msgs_per_subject: 1,
      allow_msg_schedules: true,
      max_bytes: -1,
    },
  );
}

function dead(config: NatsConfig): WantedStream {
  const { options, streams, subjects } = config;
  const { bytesMax, ageMaxMs } = options.deadLetters ?? {};
  return internal(
    options,
    { max_bytes: bytesMax, max_age: ageMaxMs },
    {
      ...common(config, streams.deadLetters),
      subjects: [subjects.every('dead')],
      discard: 'old',
      max_msgs_per_subject: 1,
      max_bytes: bytesMax ?? GIB,
      max_age: (ageMaxMs ?? 30 * DAY_MS) * NANOS_PER_MS,
    },
  );
}

/** One message per entry. What doesn't fit stays in the journal, so nothing is dropped here. */
function parked(config: NatsConfig): WantedStream {
  const { options, streams, subjects } = config;
  return internal(
    options,
    { max_bytes: options.parked?.bytesMax },
    {
      ...common(config, streams.parked),
      subjects: [subjects.every('parked')],
      discard: 'new',
      max_msgs_per_subject: 1,
      max_msgs: PARKED_MAX,
      max_bytes: options.parked?.bytesMax ?? GIB,
    },
  );
}

/** Captures exactly the types that want it, so that the outs of others cost nothing. */
function outs(config: NatsConfig): WantedStream[] {
  const { options, streams, subjects, outTypes } = config;
  if (outTypes.length === 0) return [];
  const { bytesMax, ageMaxMs } = options.outs ?? {};
  const stream: StreamConfig = {
    ...common(config, streams.outs),
    subjects: outTypes.map((type) => subjects.ofType('out', type)),
    discard: 'old',
    max_bytes: bytesMax ?? GIB,
    max_age: (ageMaxMs ?? DAY_MS) * NANOS_PER_MS,
  };
  return [{ kind: 'outs', chosen: chosen(options, { max_bytes: bytesMax, max_age: ageMaxMs }), config: stream }];
}

function internal(options: NatsConfig['options'], set: Record<string, unknown>, config: StreamConfig): WantedStream {
  return { kind: 'internal', chosen: chosen(options, set), config };
}

function common(config: NatsConfig, name: string): { name: string; [field: string]: unknown } {
  return {
    name,
    retention: 'limits',
    storage: config.storage,
    num_replicas: config.replicas,
    duplicate_window: DUPLICATE_WINDOW_NS,
    allow_direct: false,
    deny_delete: false,
    deny_purge: false,
    allow_rollup_hdrs: false,
  };
}

function chosen(options: NatsConfig['options'], set: Record<string, unknown>): string[] {
  const fields = Object.keys(set).filter((field) => set[field] !== undefined);
  return options.replicas === undefined ? fields : [...fields, 'num_replicas'];
}
