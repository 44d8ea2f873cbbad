/**
 * Time under the test's control. Nothing happens unless the test calls `advance` or `runUntilIdle`.
 *
 * Invariants
 * 1. Callbacks run one at a time in a fixed order: deferred ones in the order of deferring, then timers by
 *    (due time, order of setting). Same calls, same order, always.
 * 2. All promise reactions of a callback have run before the next callback starts.
 * 3. `now()` never moves while a callback runs, and is exactly the due time while a timer's callback runs.
 * 4. A callback that throws ends the running `advance` or `runUntilIdle` with its error; the next call goes on where it was.
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

/** Steps handed to the event loop at once. */
const STEPS_AT_ONCE = 32;

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
  /** Those before it have run. */
  #deferredAt = 0;
  #elapsedMs = 0;
  #order = 0;
  #running = false;

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

  /**
   * Each step has an immediate of its own, and Node runs all promise reactions between two immediates (invariant 2). Many
   * are set at once, for a turn of the event loop costs more than most callbacks.
   */
  async #drain(endAt: number): Promise<void> {
    const run: Run = { endAt, state: 'going', budget: this.#callbacksMax };
    const step = (): void => this.#step(run);
    while (run.state === 'going') {
      await new Promise<void>((resolve) => {
        for (let i = 0; i < STEPS_AT_ONCE; i++) setImmediate(step);
        setImmediate(resolve);
      });
    }
    if (run.state === 'failed') throw run.error;
  }

  #step(run: Run): void {
    if (run.state !== 'going') return;
    const callback = this.#next(run.endAt);
    if (callback === undefined) {
      run.state = 'idle';
      return;
    }
    try {
      if (run.budget-- <= 0)
        throw new Error(`the virtual clock ran ${this.#callbacksMax} callbacks without coming to rest`);
      callback();
    } catch (error) {
      run.state = 'failed';
      run.error = error;
    }
  }

  /** Invariant 1. Moves time to the timer that it takes. */
  #next(endAt: number): (() => void) | undefined {
    if (this.#deferredAt < this.#deferred.length) {
      const callback = this.#deferred[this.#deferredAt++]!;
      if (this.#deferredAt === this.#deferred.length) {
        this.#deferred = [];
        this.#deferredAt = 0;
      }
      return callback;
    }
    const timer = this.#timers.peek();
    if (timer === undefined || timer.dueAt > endAt) return undefined;
    this.#timers.shift();
    this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueAt);
    return timer.callback;
  }
}

/** One call of `advance`. */
interface Run {
  readonly endAt: number;
  state: 'going' | 'idle' | 'failed';
  budget: number;
  error?: unknown;
}
