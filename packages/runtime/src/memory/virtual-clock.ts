/**
 * Time under the test's control. Nothing happens unless the test calls `advance` or `runUntilIdle`.
 *
 * Invariants
 * 1. Callbacks run one at a time in a fixed order: deferred ones in the order of deferring, then timers by
 *    (due time, order of setting). Same calls, same order, always.
 * 2. All promise reactions of a callback have run before the next callback starts.
 * 3. `now()` never moves while a callback runs, and is exactly the due time while a timer's callback runs.
 * 4. A callback that throws rejects the running `advance` or `runUntilIdle`, and the clock can go on afterwards.
 */
import type { Clock, Timer } from '../ports.ts';
import { type QueuedTimer, TimerQueue } from './timer-queue.ts';

export interface VirtualClockOptions {
  /** Wall clock at the start, Unix ms. Default 2026-01-01T00:00:00Z. */
  readonly startAt?: number;
  /** Callbacks that one call may run before it gives up, so that a loop is an error. Default 50 million. */
  readonly callbacksMax?: number;
}

const START_AT = Date.UTC(2026, 0, 1);

/** How many deferred callbacks are handed to the event loop at once; each still has its own turn. */
const TURNS_AT_ONCE = 64;

/**
 * A clock that stands still until it is told to move.
 *
 * @example
 * const clock = new VirtualClock();
 * clock.setTimer(() => fired.push(clock.now()), 1_000);
 * await clock.advance(1_000);
 */
export class VirtualClock implements Clock {
  readonly #startAt: number;
  readonly #callbacksMax: number;
  readonly #timers = new TimerQueue();
  #deferred: (() => void)[] = [];
  #elapsedMs = 0;
  #order = 0;
  #running = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: VirtualClockOptions = {}) {
    this.#startAt = options.startAt ?? START_AT;
    this.#callbacksMax = options.callbacksMax ?? 50_000_000;
  }

  now(): number {
    return this.#startAt + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const delay = Number.isFinite(delayMs) ? Math.max(0, delayMs) : 0;
    const timer: QueuedTimer = { dueAt: this.#elapsedMs + delay, order: this.#order++, callback };
    this.#timers.push(timer);
    return {
      cancel: () => {
        timer.callback = undefined;
      },
    };
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** Ms until the next timer; undefined when none is set. */
  nextTimerInMs(): number | undefined {
    const next = this.#timers.peek();
    return next === undefined ? undefined : Math.max(0, next.dueAt - this.#elapsedMs);
  }

  /** Runs everything that can run without time moving: promises, deferred callbacks, timers already due. */
  async runUntilIdle(): Promise<void> {
    await this.#run(this.#elapsedMs);
  }

  /** Moves time by `ms`, running on the way all that falls due, each at its own instant. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`advance takes ms of at least 0, got ${ms}`);
    await this.#run(this.#elapsedMs + ms);
  }

  /** Moves time from timer to timer until `condition` holds; at most `ms`. Says whether it held. */
  async advanceUntil(condition: () => boolean, ms: number): Promise<boolean> {
    const endAt = this.#elapsedMs + ms;
    await this.runUntilIdle();
    while (!condition()) {
      const next = this.#timers.peek();
      if (next === undefined || next.dueAt > endAt) {
        await this.advance(endAt - this.#elapsedMs);
        return condition();
      }
      await this.advance(Math.max(0, next.dueAt - this.#elapsedMs));
    }
    return true;
  }

  async #run(endAt: number): Promise<void> {
    if (this.#running) throw new Error('the virtual clock is already running: await the call before');
    this.#running = true;
    try {
      await this.#drain(endAt);
    } finally {
      this.#running = false;
    }
    this.#elapsedMs = Math.max(this.#elapsedMs, endAt);
  }

  async #drain(endAt: number): Promise<void> {
    let budget = this.#callbacksMax;
    await turn(noop);
    for (;;) {
      if (this.#deferred.length > 0) {
        const batch = this.#deferred.splice(0, TURNS_AT_ONCE);
        await this.#runBatch(batch);
        budget -= batch.length;
      } else {
        const next = this.#timers.peek();
        if (next === undefined || next.dueAt > endAt) return;
        this.#timers.shift();
        this.#elapsedMs = Math.max(this.#elapsedMs, next.dueAt);
        await turn(next.callback!);
        budget--;
      }
      if (budget <= 0) throw new Error(`the virtual clock ran ${this.#callbacksMax} callbacks without coming to rest`);
    }
  }

  /** Each callback gets its own immediate, and Node runs all promise reactions between two immediates (invariant 2). */
  async #runBatch(batch: (() => void)[]): Promise<void> {
    for (let i = 0; i < batch.length - 1; i++) {
      const callback = batch[i]!;
      setImmediate(() => this.#guard(callback));
    }
    await turn(() => this.#guard(batch[batch.length - 1]!));
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#failure ??= { error };
    }
  }
}

/** Runs the callback in a turn of its own; resolves after every promise reaction that it started. */
function turn(callback: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        callback();
      } catch (error) {
        reject(error);
        return;
      }
      setImmediate(resolve);
    });
  });
}

function noop(): void {}
