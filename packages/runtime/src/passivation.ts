/**
 * Which actors leave a worker's memory: the longest idle first, as soon as there are too many of them, or they take too much.
 *
 * Invariants
 * 1. Only an idle actor is unloaded, and only once a stored snapshot covers it: unloading loses nothing, and changes nothing but the
 *    time of its next turn.
 * 2. What an actor takes is estimated from figures that are at hand anyway, so that a turn costs nothing more for it.
 * 3. Both limits are of what is idle: actors that are at work stay, however much they take. When nothing is left to unload, that
 *    is said once.
 */
import type { Log } from './log.ts';
import type { ResolvedWorkerOptions } from './options.ts';
import type { Clock, Timer } from './ports.ts';

/** How often the actors are looked through, ms. */
const SWEEP_EVERY_MS = 1_000;
/** The same while a limit is exceeded: what was dirty a moment ago is snapshotted by then, ms. */
const SWEEP_SOON_MS = 250;
/** After a look through the actors this many times as long passes until the next: looking takes at most 5 % of the time. */
const REST_FACTOR = 20;
/** ... but no more than this, ms: a process that stood still meanwhile looks slow, and has the more to unload. */
const REST_MS_MAX = 2_000;
/** A limit is exceeded for so long before that is said, ms: what is dirty may have to be stored first. */
const TELL_AFTER_MS = 10_000;
/** Whoever was used within this time is not idle, ms. */
export const IDLE_MS_MIN = 250;
/** Ages are told apart by a factor of two to the power of one over this. */
const STEPS_PER_DOUBLING = 4;
/** Ages beyond two to the power of 20 times `IDLE_MS_MIN` (three days) count as equal. */
const STEPS = 20 * STEPS_PER_DOUBLING;

/** An actor in memory without state: its cell, its entries in maps. */
export const ACTOR_BYTES = 4_096;
/** A state as objects takes so many times its encoded bytes. */
export const OBJECT_FACTOR = 4;

/** What an actor tells of its size. */
export interface SizeFigures {
  /** Encoded bytes of its last snapshot; 0 without one. */
  readonly storedBytes: number;
  /** Bytes of the entries it has folded since. */
  readonly sinceBytes: number;
  /** Most that its state may be, encoded. */
  readonly stateBytesMax: number;
  /** Bytes held as they are: entries that wait, a snapshot on its way. */
  readonly heldBytes: number;
}

/**
 * About how much memory an actor takes, bytes.
 * @example estimateBytes({ storedBytes: 3_000, sinceBytes: 500, stateBytesMax: 786_432, heldBytes: 0 }) // 18,096
 */
export function estimateBytes({ storedBytes, sinceBytes, stateBytesMax, heldBytes }: SizeFigures): number {
  // What was folded since need not have been kept; a state can't be larger than it may be.
  const encoded = Math.min(storedBytes + sinceBytes, Math.max(storedBytes, stateBytesMax));
  return ACTOR_BYTES + encoded * OBJECT_FACTOR + heldBytes;
}

/** How many actors there are, how much they take, and how long they have been idle. */
export class Census {
  count = 0;
  bytes = 0;
  readonly #counts = new Array<number>(STEPS).fill(0);
  readonly #bytes = new Array<number>(STEPS).fill(0);

  /** @param idleMs undefined for an actor that can't be unloaded now. */
  add(bytes: number, idleMs: number | undefined): void {
    this.count++;
    this.bytes += bytes;
    if (idleMs === undefined || idleMs < IDLE_MS_MIN) return;
    const step = Math.min(STEPS - 1, Math.floor(Math.log2(idleMs / IDLE_MS_MIN) * STEPS_PER_DOUBLING));
    this.#counts[step]!++;
    this.#bytes[step]! += bytes;
  }

  /**
   * Since when an actor must be idle to go, ms, so that what is left keeps both limits; at least `IDLE_MS_MIN`. Infinity when nobody
   * need go.
   */
  idleMsFor(countMax: number, bytesMax: number): number {
    let { count, bytes } = this;
    let step = STEPS;
    while (step > 0 && (count > countMax || bytes > bytesMax)) {
      step--;
      count -= this.#counts[step]!;
      bytes -= this.#bytes[step]!;
    }
    return step === STEPS ? Number.POSITIVE_INFINITY : IDLE_MS_MIN * 2 ** (step / STEPS_PER_DOUBLING);
  }
}

/** The actors of a partition that is owned here. */
interface Partition {
  /** Unloads what is idle for so long and clean; what is dirty is snapshotted. What stays is counted. */
  sweep(nowMs: number, idleMs: number, census?: Census): void;
}

export interface PassivationHost {
  readonly clock: Clock;
  readonly options: ResolvedWorkerOptions;
  readonly log: Log;
}

/** Looks through all actors of a worker again and again. */
export class Passivation {
  readonly #host: PassivationHost;
  readonly #partitions: () => Iterable<Partition>;
  #timer: Timer | undefined;
  /** Since when nothing idle was left to unload though a limit was exceeded, by the monotonic clock. */
  #overSinceMs: number | undefined;
  #told = false;

  constructor(host: PassivationHost, partitions: () => Iterable<Partition>) {
    this.#host = host;
    this.#partitions = partitions;
  }

  start(): void {
    this.#timer = this.#host.clock.setTimer(() => this.#sweep(), SWEEP_EVERY_MS);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #sweep(): void {
    const { clock, options } = this.#host;
    this.#timer = clock.setTimer(() => this.#sweep(), SWEEP_EVERY_MS);
    const nowMs = clock.monotonic();
    const census = new Census();
    for (const partition of this.#partitions()) partition.sweep(nowMs, options.idleUnloadMs, census);
    const idleMs = census.idleMsFor(options.residentMax, options.residentBytesMax);
    this.#judge(nowMs, census, idleMs <= IDLE_MS_MIN);
    const isOver = idleMs !== Number.POSITIVE_INFINITY;
    if (isOver) for (const partition of this.#partitions()) partition.sweep(nowMs, idleMs);
    const tookMs = clock.monotonic() - nowMs;
    const restMs = Math.min(tookMs * REST_FACTOR, REST_MS_MAX);
    const nextMs = Math.max(isOver ? SWEEP_SOON_MS : SWEEP_EVERY_MS, restMs);
    if (nextMs === SWEEP_EVERY_MS) return;
    this.#timer.cancel();
    this.#timer = clock.setTimer(() => this.#sweep(), nextMs);
  }

  /** Invariant 3: said once it has been so for a while, and again only after there was room. */
  #judge(nowMs: number, { count: actors, bytes }: Census, isOver: boolean): void {
    if (!isOver) {
      this.#overSinceMs = undefined;
      this.#told = false;
      return;
    }
    this.#overSinceMs ??= nowMs;
    if (this.#told || nowMs - this.#overSinceMs < TELL_AFTER_MS) return;
    this.#told = true;
    const { residentMax, residentBytesMax } = this.#host.options;
    this.#host.log.warn(
      { actors, residentMax, bytes, residentBytesMax },
      'more actors are at work at once than should be in memory, and none of them is idle: start another worker, or raise residentMax or residentBytesMax if there is memory left',
    );
  }
}
