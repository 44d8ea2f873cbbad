/**
 * Makes virtual time and real promises go on together: whoever waits for something pumps, whoever moves time moves it in
 * between.
 *
 * Invariants
 * 1. The virtual clock runs for one caller at a time.
 * 2. Waiting never moves time: only `advance` does.
 * 3. A wait that nothing can end fails after `patienceMs` of real time without anything happening, and says what it waits for.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { VirtualClock } from '@troupe/runtime/internal';

/** Real ms between two looks while agents' own promises are running. */
const LOOK_MS = 1;
/** Turns of the event loop before looks are spaced out. */
const QUICK_TURNS = 20;

export class Pump {
  readonly #clock: VirtualClock;
  readonly #patienceMs: number;
  #tail: Promise<unknown> = Promise.resolve();
  /** Counts moves of time, for waits that go on meanwhile. */
  #moves = 0;

  constructor(clock: VirtualClock, patienceMs: number) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /** Moves time. */
  async advance(ms: number): Promise<void> {
    this.#moves++;
    await this.#exclusive(() => this.#clock.advance(ms));
    this.#moves++;
  }

  /** Moves time from timer to timer until the condition holds, at most `ms`. */
  async advanceUntil(condition: () => boolean, ms: number): Promise<boolean> {
    this.#moves++;
    return this.#exclusive(() => this.#clock.advanceUntil(condition, ms));
  }

  /** Runs what can run without time moving. */
  async settle(): Promise<void> {
    await this.#exclusive(() => this.#clock.runUntilIdle());
  }

  /**
   * Awaits a promise while everything that can run without time moving runs.
   *
   * @param stuck what to say when nothing happens any more.
   */
  async until<T>(work: Promise<T>, stuck: () => string): Promise<T> {
    let over = false;
    const ended = work.then(
      () => (over = true),
      () => (over = true),
    );
    let moves = this.#moves;
    let idleSinceMs = performance.now();
    for (let turns = 0; !over; turns++) {
      await this.settle();
      if (over) break;
      await (turns < QUICK_TURNS ? nextTurn() : Promise.race([ended, sleep(LOOK_MS)]));
      if (moves !== this.#moves) [moves, idleSinceMs] = [this.#moves, performance.now()];
      if (performance.now() - idleSinceMs > this.#patienceMs) throw new Error(stuck());
    }
    return work;
  }

  #exclusive<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(run);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
