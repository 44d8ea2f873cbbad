/**
 * Work that comes in heaps, spread over turns of the event loop: timers, sockets and signals get their turn in between.
 *
 * A server that answers thousands of reads at once, a lease that is fresh again, a partition that has an owner again: each lets
 * thousands of things go on at the same moment. Done in one go they hold the loop for seconds on a busy machine: the lease is not
 * renewed, and in the end the process counts as stuck. What arrives one by one doesn't come here.
 *
 * Invariants
 * 1. In one turn at most `PACE_MAX` pieces are handed out, over the whole worker.
 * 2. Who came first goes first. With room and nobody waiting it goes at once.
 * 3. Who waits is called back in a later turn, whatever else happens. Meanwhile anything may have changed: who comes back looks
 *    whether it is still wanted.
 */
import type { Clock } from './ports.ts';

/** Pieces per turn of the loop: an entry to fold, an effect to perform, a query to answer; some tens of microseconds each. */
export const PACE_MAX = 128;

interface Waiting {
  readonly wanted: number;
  readonly go: (granted: number) => void;
}

export class Pace {
  readonly #clock: Clock;
  readonly #max: number;
  #left: number;
  #waiting: Waiting[] = [];
  /** The next turn is asked for. */
  #turning = false;

  /** @param max pieces per turn. Default `PACE_MAX`. */
  constructor(clock: Clock, max: number = PACE_MAX) {
    this.#clock = clock;
    this.#max = max;
    this.#left = max;
  }

  /** Those who wait for a later turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** @returns how many of the wanted pieces may be done now; 0: none, wait for `next`. */
  take(wanted: number): number {
    return this.#waiting.length > 0 ? 0 : this.#grant(wanted);
  }

  /** Resolves in a later turn with how many of the wanted pieces may be done then, at least one. */
  next(wanted: number): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.push({ wanted, go: resolve });
      this.#turn();
    });
  }

  /** For one piece: now, or when its turn has come. */
  async one(): Promise<void> {
    if (this.take(1) === 0) await this.next(1);
  }

  #grant(wanted: number): number {
    const granted = Math.min(wanted, this.#left);
    if (granted <= 0) return 0;
    this.#left -= granted;
    this.#turn();
    return granted;
  }

  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    this.#clock.defer(() => {
      this.#turning = false;
      this.#left = this.#max;
      let served = 0;
      while (served < this.#waiting.length && this.#left > 0) {
        const { wanted, go } = this.#waiting[served++]!;
        go(this.#grant(Math.max(1, wanted)));
      }
      if (served > 0) this.#waiting = this.#waiting.slice(served);
    });
  }
}
