/**
 * Waiting for a partition to have an owner, for any number of queries at once.
 *
 * While a partition changes hands, every query about it would ask again and again. So one asks for all of them, and the
 * others follow once it was answered. Nothing here outlives the deadline of the query that waits.
 */
import type { Clock } from './ports.ts';

/** `behind`: there is an owner, which has not read so far yet; that concerns this query only. */
export type Attempt = 'done' | 'no-owner' | 'behind';

const RETRY_MS = 20;

export class OwnerGates {
  readonly #clock: Clock;
  /** By partition without an owner, what the others wait for. */
  readonly #gates = new Map<number, Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Repeats the attempt until it is done, or the monotonic clock says `endAtMs`.
   * @returns whether it was done. @throws what the attempt throws.
   */
  async insist(partition: number, endAtMs: number, attempt: () => Promise<Attempt>): Promise<boolean> {
    for (;;) {
      const gate = this.#gates.get(partition);
      if (gate !== undefined) await this.#within(gate, endAtMs);
      const result = await attempt();
      if (result === 'done') return true;
      if (this.#isOver(endAtMs)) return false;
      if (result === 'behind') await this.#sleep(RETRY_MS);
      else if (!this.#gates.has(partition)) return await this.#probe(partition, endAtMs, attempt);
    }
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
