/**
 * Waiting on behalf of queries: for a partition to have an owner, for an owner to have read far enough. For any number of queries at
 * once, up to a bound.
 *
 * While a partition changes hands, every query about it would ask again and again. So one asks for all of them, and the
 * others follow once it was answered. Nothing here outlives the deadline of the query that waits.
 *
 * Invariants
 * 1. At most `QUERIES_MAX` queries are under way; one more is not taken, and whoever asks is told at once.
 * 2. Those that waited go on in the order of the pace, so that thousands of them don't hold the event loop when their wait ends.
 * 3. One timer looks for all that wait for a condition.
 */
import type { Pace } from './pace.ts';
import type { Clock } from './ports.ts';

/** `behind`: there is an owner, which has not read so far yet; that concerns this query only. */
export type Attempt = 'done' | 'no-owner' | 'behind';

/** Queries under way at once: as many as a client may have. */
export const QUERIES_MAX = 4_096;
const RETRY_MS = 20;
/** How often it is looked whether a condition holds, ms. */
const LOOK_MS = 5;

interface Condition {
  readonly holds: () => boolean;
  readonly endAtMs: number;
  readonly resolve: (held: boolean) => void;
}

export class OwnerGates {
  readonly #clock: Clock;
  readonly #pace: Pace;
  /** By partition without an owner, what the others wait for. */
  readonly #gates = new Map<number, Promise<void>>();
  #conditions: Condition[] = [];
  #underWay = 0;

  constructor(clock: Clock, pace: Pace) {
    this.#clock = clock;
    this.#pace = pace;
  }

  /** Takes a query in (invariant 1). @returns false when it is one too many; else `leave` has to follow. */
  enter(): boolean {
    if (this.#underWay >= QUERIES_MAX) return false;
    this.#underWay++;
    return true;
  }

  leave(): void {
    this.#underWay--;
  }

  /**
   * Repeats the attempt until it is done, or the monotonic clock says `endAtMs`.
   * @returns whether it was done. @throws what the attempt throws.
   */
  async insist(partition: number, endAtMs: number, attempt: () => Promise<Attempt>): Promise<boolean> {
    for (;;) {
      const gate = this.#gates.get(partition);
      if (gate !== undefined) {
        await this.#within(gate, endAtMs);
        await this.#pace.one();
      }
      const result = await attempt();
      if (result === 'done') return true;
      if (this.#isOver(endAtMs)) return false;
      if (result === 'behind') await this.#sleep(RETRY_MS);
      else if (!this.#gates.has(partition)) return await this.#probe(partition, endAtMs, attempt);
    }
  }

  /** Waits until the condition holds, or the monotonic clock says `endAtMs`. @returns whether it holds. */
  async until(holds: () => boolean, endAtMs: number): Promise<boolean> {
    if (holds()) return true;
    if (this.#clock.monotonic() >= endAtMs) return false;
    const held = await new Promise<boolean>((resolve) => {
      if (this.#conditions.length === 0) this.#lookLater();
      this.#conditions.push({ holds, endAtMs, resolve });
    });
    await this.#pace.one();
    return held;
  }

  #lookLater(): void {
    this.#clock.setTimer(() => {
      const nowMs = this.#clock.monotonic();
      const rest: Condition[] = [];
      for (const condition of this.#conditions) {
        const held = condition.holds();
        if (held || nowMs >= condition.endAtMs) condition.resolve(held);
        else rest.push(condition);
      }
      this.#conditions = rest;
      if (rest.length > 0) this.#lookLater();
    }, LOOK_MS);
  }

  /** Asks for all of them. */
  async #probe(partition: number, endAtMs: number, attempt: () => Promise<Attempt>): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gates.set(partition, promise);
    try {
      while (!this.#isOver(endAtMs)) {
        await this.#sleep(RETRY_MS);
        const result = await attempt();
        if (result === 'done') return true;
        // An owner is there: nobody need wait for this query.
        if (result === 'behind') this.#open(partition, promise, resolve);
      }
      return false;
    } finally {
      this.#open(partition, promise, resolve);
    }
  }

  #open(partition: number, gate: Promise<void>, resolve: () => void): void {
    if (this.#gates.get(partition) === gate) this.#gates.delete(partition);
    resolve();
  }

  #isOver(endAtMs: number): boolean {
    return this.#clock.monotonic() + RETRY_MS >= endAtMs;
  }

  #within(promise: Promise<void>, endAtMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(resolve, Math.max(0, endAtMs - this.#clock.monotonic()));
      void promise.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.setTimer(resolve, ms);
    });
  }
}
