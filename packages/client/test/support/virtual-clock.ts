/** Time that stands still until a test moves it. Promise reactions run after each timer. */
import type { Clock, Timer } from '../../src/clock.ts';

interface Waiting {
  readonly dueAt: number;
  readonly callback: () => void;
}

export class VirtualClock implements Clock {
  #elapsedMs = 0;
  readonly #timers = new Set<Waiting>();

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = { dueAt: this.#elapsedMs + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.size;
  }

  async advance(ms: number): Promise<void> {
    const endAt = this.#elapsedMs + ms;
    await settled();
    for (let next = this.#next(endAt); next !== undefined; next = this.#next(endAt)) {
      this.#timers.delete(next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueAt);
      next.callback();
      await settled();
    }
    this.#elapsedMs = endAt;
  }

  #next(endAt: number): Waiting | undefined {
    let first: Waiting | undefined;
    for (const timer of this.#timers)
      if (timer.dueAt <= endAt && timer.dueAt < (first?.dueAt ?? Infinity)) first = timer;
    return first;
  }
}

/** After every promise reaction that is due now. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
