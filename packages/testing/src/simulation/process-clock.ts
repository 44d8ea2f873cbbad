/**
 * The clock of one simulated process: it can stand still, run fast or slow, jump, and end with the process.
 *
 * Invariants
 * 1. While it stands still nothing of its process runs; what fell due meanwhile runs afterwards, in its order.
 * 2. After `end` nothing of its process runs ever again.
 * 3. Whoever looks at `running` during a callback, or in a promise reaction of it, sees the process whose it is.
 */
import type { Clock, Timer } from '@troupe/runtime';

/** Whose callback runs. */
export interface Running<T> {
  process: T | undefined;
}

export class ProcessClock<T> implements Clock {
  readonly #clock: Clock;
  readonly #running: Running<T>;
  readonly #process: T;
  readonly #rate: number;
  #skewMs = 0;
  #frozenUntil = Number.NEGATIVE_INFINITY;
  #ended = false;
  #held: (() => void)[] = [];

  /** @param rate of the monotonic clock: 1.02 runs two percent fast. */
  constructor(clock: Clock, running: Running<T>, process: T, rate: number) {
    this.#clock = clock;
    this.#running = running;
    this.#process = process;
    this.#rate = rate;
  }

  get frozen(): boolean {
    return this.#clock.monotonic() < this.#frozenUntil;
  }

  get ended(): boolean {
    return this.#ended;
  }

  now(): number {
    return Math.floor(this.#clock.now() + this.#skewMs);
  }

  monotonic(): number {
    return this.#clock.monotonic() * this.#rate;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    let wanted: (() => void) | undefined = callback;
    const timer = this.#clock.setTimer(() => this.#run(() => wanted?.()), delayMs / this.#rate);
    return {
      cancel: () => {
        wanted = undefined;
        timer.cancel();
      },
    };
  }

  defer(callback: () => void): void {
    this.#clock.defer(() => this.#run(callback));
  }

  /** The wall clock jumps to so far from the true time. */
  jump(skewMs: number): void {
    this.#skewMs = skewMs;
  }

  freeze(ms: number): void {
    const until = this.#clock.monotonic() + ms;
    if (until <= this.#frozenUntil) return;
    this.#frozenUntil = until;
    this.#clock.setTimer(() => this.#resume(), ms);
  }

  /** It goes on at the latest after so long, ms. */
  thaw(ms: number): void {
    if (this.#frozenUntil <= this.#clock.monotonic() + ms) return;
    this.#frozenUntil = this.#clock.monotonic() + ms;
    this.#clock.setTimer(() => this.#resume(), ms);
  }

  end(): void {
    this.#ended = true;
    this.#held = [];
  }

  #resume(): void {
    if (this.frozen) return;
    const held = this.#held;
    this.#held = [];
    for (const callback of held) this.#clock.defer(() => this.#run(callback));
  }

  #run(callback: () => void): void {
    if (this.#ended) return;
    if (this.frozen) {
      this.#held.push(callback);
      return;
    }
    this.#running.process = this.#process;
    callback();
  }
}
