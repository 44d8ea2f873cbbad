/** A worker's view of the clock that can stand still: as a process does that was stopped, or a machine that was paused. */
import type { Clock, Timer } from '@troupe/runtime';

export class FreezableClock implements Clock {
  readonly #clock: Clock;
  #frozen = false;
  #held: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    let cancelled = false;
    const timer = this.#clock.setTimer(() => this.#run(() => (cancelled ? undefined : callback())), delayMs);
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  defer(callback: () => void): void {
    this.#clock.defer(() => this.#run(callback));
  }

  /** From now on nothing of this worker runs; what would have run waits. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Everything that waited runs, in its order, late. */
  resume(): void {
    this.#frozen = false;
    const held = this.#held;
    this.#held = [];
    for (const callback of held) this.#clock.defer(callback);
  }

  #run(callback: () => void): void {
    if (this.#frozen) this.#held.push(callback);
    else callback();
  }
}
