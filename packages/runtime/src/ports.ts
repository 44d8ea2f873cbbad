/**
 * Everything the runtime needs of the world, and nothing of NATS. Two implementations exist: in
 * memory (`memory/`, with a virtual clock) and on JetStream (`@troupe/nats`); both pass
 * `conformance/`.
 *
 * Invariants every implementation keeps
 * 1. `append` resolves only when the entry is durable. It never stores twice for one call that
 *    resolved; after a rejection the entry may or may not be stored (the step deduplicates).
 * 2. A reader hands over the entries of its partition in sequence order, each once, without a gap
 *    except what purge removed; when it can't, it calls `onLost` and stops.
 * 3. What is called "from the leader" is never stale: it reflects every write acknowledged before.
 * 4. A compare-and-set answers a conflict as a result, not as an exception. A lost acknowledgement
 *    is resolved by reading back from the leader before it is reported.
 * 5. Every call ends within `PortError`'s deadline (default 5 s): with a result or a `PortError`.
 */
import type { ActorAddress, InternalBody, JournalVerb, StoredMessage } from '@troupe/wire';

/** Why a port call failed. `no-responders`: nobody listens where a bus request was sent to. */
export type PortFailureKind =
  | 'timeout'
  | 'disconnected'
  | 'full'
  | 'too-large'
  | 'denied'
  | 'closed'
  | 'no-responders'
  | 'other';

/** Time, injected everywhere: real in production, virtual in tests and simulations. */
export interface Clock {
  /** Wall clock, Unix ms. May jump. */
  now(): number;
  /** Monotonic ms, for leases, deadlines and durations. */
  monotonic(): number;
  setTimer(callback: () => void, delayMs: number): Timer;
  /** Runs the callback after what is queued now (setImmediate). */
  defer(callback: () => void): void;
}
export interface Timer {
  cancel(): void;
}

/** Where a partition lives. One journal stream by default; several by configuration. */
export interface PartitionId {
  /** Journal stream index, from 0. */
  readonly stream: number;
  /** Partition within the stream, from 0. */
  readonly partition: number;
}

export interface ReaderOptions {
  readonly partition: number;
  /** First sequence wanted; 0 or 1 for everything. */
  readonly fromSeq: number;
  /** Called synchronously per entry, in order. Must not throw. */
  onMessage(message: StoredMessage): void;
  /** The last handed-over entry was the partition's last one at the moment the server sent it. */
  onHead(): void;
  /** The reader can't go on without a gap, or was closed by the server for good. It has stopped. */
  onLost(reason: string): void;
}
export interface JournalReader {
  /** Stops handing over (bounded buffering: at most `readAheadMax` entries, default 512). Idempotent. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

export interface JournalInfo {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly messages: number;
  readonly bytes: number;
  /** -1 without a limit. */
  readonly bytesMax: number;
  /** When this was so, by the server's clock, Unix ms. */
  readonly at: number;
}

/** Which entries of an actor. */
export interface ActorRange {
  /** First sequence, included. */
  readonly fromSeq?: number;
  /** Last sequence, included. */
  readonly toSeq?: number;
  /** Only the newest so many of them, oldest first, without reading those before. */
  readonly last?: number;
}

/** The journal: the ordered, durable inputs of all actors. */
export interface JournalPort {
  /** How many partitions the journal has; fixed for its life. */
  readonly partitions: number;
  /** The partition that an actor's entries are stored in. Throws `InvalidType` or `InvalidKey`. */
  partitionOf(address: ActorAddress): number;
  /** Whether entries of a type can be in a partition. Absent: of every type. */
  takes?(partition: number, type: string): boolean;
  /** Publishes an internal entry to an actor's event subject. Resolves with its sequence. */
  append(address: ActorAddress, body: InternalBody): Promise<{ readonly seq: number }>;
  /** Publishes a task or signal as a client does (the `ask` responder needs it). */
  publish(
    verb: Exclude<JournalVerb, 'event'>,
    address: ActorAddress,
    payload: Uint8Array,
    headers: Record<string, string>,
  ): Promise<{ readonly seq: number; readonly duplicate: boolean }>;
  read(options: ReaderOptions): Promise<JournalReader>;
  /** Sequence of the partition's last stored entry, from the leader; 0 when there is none. */
  headSeq(partition: number): Promise<number>;
  /** One actor's entries, oldest first, for history and tools; never on a hot path. */
  readActor(address: ActorAddress, range: ActorRange): AsyncIterable<StoredMessage>;
  /** First sequence stored at or after this time (Unix ms), or one past the head when there is none. */
  firstSeqSince(partition: number, atMs: number): Promise<number>;
  /** Removes the partition's entries below `beforeSeq`. Resolves with how many went. */
  purge(partition: number, beforeSeq: number): Promise<number>;
  info(): Promise<JournalInfo>;
}

/** An actor's stored state. */
export interface StoredSnapshot {
  /** Compare-and-set token; also orders snapshots of one actor. */
  readonly revision: number;
  readonly at: number;
  /** Sequence the state stands for. */
  readonly seq: number;
  /** Entries folded since the actor's beginning. */
  readonly count: number;
  /** Hash of the state, as `core` computes it. */
  readonly hash: string;
  readonly bytes: Uint8Array;
}
export type SaveResult = { readonly kind: 'saved'; readonly revision: number } | { readonly kind: 'conflict' };

export interface SnapshotPort {
  /** The newest snapshot, from the leader; undefined for an actor that never had one. */
  load(partition: number, address: ActorAddress): Promise<StoredSnapshot | undefined>;
  /** Compare-and-set: `expectedRevision` 0 means there must be none yet. */
  save(
    partition: number,
    address: ActorAddress,
    snapshot: Omit<StoredSnapshot, 'revision' | 'at'>,
    expectedRevision: number,
  ): Promise<SaveResult>;
  /** Newest first, at most the ten that are kept. */
  history(partition: number, address: ActorAddress): Promise<StoredSnapshot[]>;
  /** Addresses that have a snapshot, paged by the caller taking what it needs. */
  list(filter: {
    readonly type?: string;
    readonly partition?: number;
  }): AsyncIterable<{ readonly partition: number; readonly address: ActorAddress }>;
}

/** A small worker-only store of records with revisions: leases, partition owners, checkpoints. */
export interface RecordPort {
  /** From the leader. */
  get(key: string): Promise<{ readonly revision: number; readonly value: unknown } | undefined>;
  /** `expectedRevision` 0: must not exist; undefined: last write wins. `ttlMs` at least 1,000. */
  put(
    key: string,
    value: unknown,
    options?: { readonly expectedRevision?: number; readonly ttlMs?: number },
  ): Promise<SaveResult>;
  remove(key: string): Promise<void>;
  /** Keys are dot-separated tokens; from the leader or as fresh as it. */
  list(prefix: string): Promise<ReadonlyMap<string, { readonly revision: number; readonly value: unknown }>>;
}

/**
 * Wake-ups that the server keeps while every worker is down: at most one per actor and epoch. An owner sets, moves and
 * cancels those of its own epoch (default 0), so that one whose time has passed can't take away what a later one has set.
 */
export interface TickPort {
  /** Sets or moves the actor's wake-up. Resolves when durable. `dueAt` Unix ms. */
  schedule(partition: number, address: ActorAddress, dueAt: number, epoch?: number): Promise<void>;
  cancel(partition: number, address: ActorAddress, epoch?: number): Promise<void>;
  /** Hands over fired wake-ups, at least once each, until `remove`d. */
  read(
    partition: number,
    onDue: (due: { readonly address: ActorAddress; readonly token: number }) => void,
  ): Promise<{ close(): Promise<void> }>;
  remove(partition: number, token: number): Promise<void>;
  /** What is pending, for operators. */
  list(filter: {
    readonly address?: ActorAddress;
  }): AsyncIterable<{ readonly address: ActorAddress; readonly dueAt: number }>;
}

/** A dead letter as stored. */
export interface DeadLetter {
  /** Sequence of the journal entry that could not be applied. */
  readonly seq: number;
  readonly at: number;
  /** `invalid/invalid` when the subject named no actor. */
  readonly address: ActorAddress;
  readonly code: string;
  readonly message: string;
  readonly verb: JournalVerb;
  readonly subject: string;
  readonly headers: Record<string, string>;
  readonly payload: Uint8Array;
  readonly details?: unknown;
}
export interface DeadLetterPort {
  /** Idempotent per journal sequence. */
  put(letter: DeadLetter): Promise<void>;
  get(seq: number): Promise<DeadLetter | undefined>;
  list(filter: { readonly type?: string; readonly key?: string }): AsyncIterable<DeadLetter>;
  remove(seq: number): Promise<boolean>;
}

/** A journal entry that waits for code, whole, so that it can be folded as if it had just been read. */
export interface ParkedEntry {
  readonly message: StoredMessage;
  /** What it causes was done by an owner before: its one-shot effects are not repeated. */
  readonly done: boolean;
}
/** Code that may have folded what is parked. */
export interface PinnedCode {
  readonly version: number;
  readonly hash: string;
}
/** Entries whose actor is suspended, or whose type nobody defines now. All reads are from the leader. */
export interface ParkingPort {
  /** Resolves when durable. Idempotent per journal sequence. Rejects with `full` when there is no room. */
  put(partition: number, entry: ParkedEntry): Promise<void>;
  /** Sequences of one actor's parked entries, ascending. */
  seqs(partition: number, address: ActorAddress): Promise<number[]>;
  get(partition: number, address: ActorAddress, seq: number): Promise<ParkedEntry | undefined>;
  /** Removes one actor's entries up to `throughSeq`, and the pinned code once none is left. @returns how many are left. */
  remove(partition: number, address: ActorAddress, throughSeq: number): Promise<number>;
  /** Everything parked, in no particular order. */
  list(filter: {
    readonly partition?: number;
    readonly type?: string;
  }): AsyncIterable<{ readonly partition: number; readonly address: ActorAddress; readonly seq: number }>;
  /** Only this code may fold what is parked of the actor, for it may have begun to. The first one stays. */
  pin(partition: number, address: ActorAddress, code: PinnedCode): Promise<void>;
  pinned(partition: number, address: ActorAddress): Promise<PinnedCode | undefined>;
}

export interface BusMessage {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly payload: Uint8Array;
  header(name: string): string | undefined;
  respond(payload: Uint8Array, headers?: Record<string, string>): void;
}

/** Messages that nobody keeps: replies, queries, observations, control. Headers belong to the bus once given: don't change them. */
export interface BusPort {
  /** Fire and forget; throws `PortError` only on an invalid subject or a payload over the limit. */
  publish(subject: string, payload: Uint8Array, headers?: Record<string, string>): void;
  /** Like `publish`, kept 24 h where the stream of outs captures it; resolves when durable. */
  publishDurable(subject: string, payload: Uint8Array, headers?: Record<string, string>): Promise<void>;
  subscribe(
    subject: string,
    options: { readonly queue?: string },
    onMessage: (message: BusMessage) => void,
  ): { close(): void };
  request(
    subject: string,
    payload: Uint8Array,
    options: { readonly timeoutMs: number; readonly headers?: Record<string, string> },
  ): Promise<BusMessage>;
  readonly connected: boolean;
  /** The running server that this connection is to: another one after a restart. Absent: unknown. */
  readonly server?: string | undefined;
  /** Called with true and false as the connection comes and goes. */
  onStatus(listener: (connected: boolean) => void): { close(): void };
  /** Largest payload the server takes, bytes. */
  readonly payloadBytesMax: number;
}

export interface Ports {
  readonly clock: Clock;
  readonly journal: JournalPort;
  readonly snapshots: SnapshotPort;
  readonly records: RecordPort;
  readonly ticks: TickPort;
  readonly deadLetters: DeadLetterPort;
  readonly parking: ParkingPort;
  readonly bus: BusPort;
  close(): Promise<void>;
}

/** A port call that failed. */
export class PortError extends Error {
  override readonly name = 'PortError';
  readonly kind: PortFailureKind;
  constructor(kind: PortFailureKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}
