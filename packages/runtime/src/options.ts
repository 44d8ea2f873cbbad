/** Every limit of a worker, its default, and why. */
import { getHeapStatistics } from 'node:v8';

export interface WorkerOptions {
  /** Life of a worker's lease without renewal. 15 s: NATS elections take 4 to 9 s; less would turn each into a storm of takeovers. */
  readonly leaseTtlMs?: number;
  /** How often it is renewed. 4 s: three tries within the TTL. */
  readonly renewEveryMs?: number;
  /** Shortest time between two checkpoints of a partition. 500 ms: what a takeover repeats at most. */
  readonly checkpointEveryMs?: number;
  /** An actor without input for so long is unloaded. 30 s. */
  readonly idleUnloadMs?: number;
  /** Actors in memory at once; the longest idle go first. 20,000. */
  readonly residentMax?: number;
  /**
   * What actors in memory may take together, by estimate, bytes; the longest idle go first. A quarter of the heap's limit
   * (`--max-old-space-size`): the rest is for work under way, and for what the estimate misses.
   */
  readonly residentBytesMax?: number;
  /** Snapshots being written at once. 64. */
  readonly snapshotsInFlightMax?: number;
  /** Effects running at once in this worker. 512; further ones queue. */
  readonly effectsRunningMax?: number;
  /** Messages to other actors waiting for their acknowledgement. 10,000; beyond, reading pauses. */
  readonly outboxMax?: number;
  /** Inputs held back while ownership isn't fresh. 50,000; beyond, reading pauses. */
  readonly heldMax?: number;
  /** A wait longer than this is kept by the server, so that it survives every worker. 1 s. */
  readonly tickDurableAfterMs?: number;
  /** How often old entries are purged. 10 s. */
  readonly purgeEveryMs?: number;
  /** An actor is snapshotted when its oldest uncovered entry is this many entries of its partition behind. 2,000: a takeover reads no more. */
  readonly markLagMax?: number;
  /** ... or this old. 60 s. */
  readonly markAgeMsMax?: number;
  /** How long a drain may take before what is left is abandoned to the next owner. 10 s. */
  readonly drainDeadlineMs?: number;
  /** How long a query may wait for its owner unless it says otherwise. 5 s. */
  readonly queryDeadlineMs?: number;
  /** Reply addresses besides inboxes: subject prefixes ending in a dot. None. */
  readonly replyPrefixes?: readonly string[];
}

export type ResolvedWorkerOptions = Required<WorkerOptions>;

/** Of the heap's limit, for actors in memory. */
const RESIDENT_SHARE = 1 / 4;

const DEFAULTS: ResolvedWorkerOptions = {
  leaseTtlMs: 15_000,
  renewEveryMs: 4_000,
  checkpointEveryMs: 500,
  idleUnloadMs: 30_000,
  residentMax: 20_000,
  residentBytesMax: Math.floor(getHeapStatistics().heap_size_limit * RESIDENT_SHARE),
  snapshotsInFlightMax: 64,
  effectsRunningMax: 512,
  outboxMax: 10_000,
  heldMax: 50_000,
  tickDurableAfterMs: 1_000,
  purgeEveryMs: 10_000,
  markLagMax: 2_000,
  markAgeMsMax: 60_000,
  drainDeadlineMs: 10_000,
  queryDeadlineMs: 5_000,
  replyPrefixes: [],
};

/**
 * Options with every default filled in.
 * @throws RangeError naming the option, what was seen and what is allowed.
 * @example resolveWorkerOptions({ idleUnloadMs: 1_000 }).leaseTtlMs // 15000
 */
export function resolveWorkerOptions(options: WorkerOptions = {}): ResolvedWorkerOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const resolved = { ...DEFAULTS, ...given } as ResolvedWorkerOptions;
  for (const [name, value] of Object.entries(resolved)) {
    if (name === 'replyPrefixes') continue;
    if (!Number.isSafeInteger(value) || (value as number) < 1) {
      throw new RangeError(`Worker option ${name} is ${String(value)}; use a whole number from 1.`);
    }
  }
  if (resolved.renewEveryMs * 3 > resolved.leaseTtlMs) {
    throw new RangeError(
      `Worker option renewEveryMs is ${resolved.renewEveryMs}; it must be at most a third of leaseTtlMs (${resolved.leaseTtlMs}).`,
    );
  }
  return resolved;
}
