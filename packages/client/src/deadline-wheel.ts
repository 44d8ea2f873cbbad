/**
 * Every deadline of a connection behind one timer: setting and dropping one costs a few pointer writes, because nearly
 * all of them are dropped long before they are due.
 *
 * Invariants
 * 1. An entry is never called before its time, and at most `TICK_MS` plus the timer's own lateness after it.
 * 2. An entry is in at most one place; setting it again moves it.
 * 3. Without entries no timer is set.
 * 4. `onDue` may set and drop entries, itself included. An entry that was dropped while its call was already under way
 *    is called nevertheless, so `onDue` looks at its own state first.
 */
import type { Clock, Timer } from './clock.ts';

/** Resolution, ms. */
export const TICK_MS = 16;
/** Power of two: 512 slots of 16 ms are one turn of 8 s. What is due later stays in its slot for another turn. */
const SLOTS = 512;
const MASK = SLOTS - 1;
const NOT_SET = -1;

/** Something with a deadline. Its links belong to the wheel. */
export abstract class WheelEntry {
  /** Tick at which it is due, or -1. */
  dueTick: number = NOT_SET;
  before: WheelEntry | undefined = undefined;
  after: WheelEntry | undefined = undefined;

  /** Its time has come. It is no longer on the wheel. Must not throw. */
  abstract onDue(nowMs: number): void;
}

export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #slots: (WheelEntry | undefined)[] = new Array<WheelEntry | undefined>(SLOTS).fill(undefined);
  #size = 0;
  #timer: Timer | undefined;
  #armedTick = Number.POSITIVE_INFINITY;
  /** Every entry due at or before it has been called. */
  #doneTick: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#doneTick = Math.floor(clock.monotonic() / TICK_MS);
  }

  /** Entries that wait. */
  get size(): number {
    return this.#size;
  }

  /** Sets or moves the deadline of `entry` to `dueAtMs` of the monotonic clock. */
  set(entry: WheelEntry, dueAtMs: number): void {
    if (entry.dueTick !== NOT_SET) this.drop(entry);
    const tick = Math.max(Math.ceil(dueAtMs / TICK_MS), this.#doneTick + 1);
    const slot = tick & MASK;
    const head = this.#slots[slot];
    entry.dueTick = tick;
    entry.after = head;
    if (head !== undefined) head.before = entry;
    this.#slots[slot] = entry;
    this.#size++;
    if (tick < this.#armedTick) this.#arm(tick);
  }

  /** Takes `entry` off the wheel. Harmless when it isn't on it. */
  drop(entry: WheelEntry): void {
    if (entry.dueTick === NOT_SET) return;
    const { before, after } = entry;
    if (before === undefined) this.#slots[entry.dueTick & MASK] = after;
    else before.after = after;
    if (after !== undefined) after.before = before;
    entry.dueTick = NOT_SET;
    entry.before = undefined;
    entry.after = undefined;
    this.#size--;
  }

  /** Stops the timer for good. */
  close(): void {
    this.#timer?.cancel();
    this.#armedTick = Number.NEGATIVE_INFINITY;
  }

  #arm(tick: number): void {
    this.#timer?.cancel();
    this.#armedTick = tick;
    this.#timer = this.#clock.setTimer(() => this.#turn(), tick * TICK_MS - this.#clock.monotonic());
  }

  #turn(): void {
    const nowMs = this.#clock.monotonic();
    const nowTick = Math.floor(nowMs / TICK_MS);
    this.#timer = undefined;
    this.#armedTick = Number.POSITIVE_INFINITY;
    for (const entry of this.#takeDue(nowTick)) entry.onDue(nowMs);
    this.#armNext();
  }

  #takeDue(nowTick: number): WheelEntry[] {
    const due: WheelEntry[] = [];
    const from = Math.max(this.#doneTick + 1, nowTick - MASK);
    for (let tick = from; tick <= nowTick; tick++) {
      let entry = this.#slots[tick & MASK];
      while (entry !== undefined) {
        const next: WheelEntry | undefined = entry.after;
        if (entry.dueTick <= nowTick) {
          this.drop(entry);
          due.push(entry);
        }
        entry = next;
      }
    }
    this.#doneTick = Math.max(this.#doneTick, nowTick);
    return due;
  }

  /** Wakes at the next slot that holds anything; at worst that is for an entry of a later turn, once in 8 s. */
  #armNext(): void {
    if (this.#size === 0 || this.#armedTick === Number.NEGATIVE_INFINITY) return;
    for (let tick = this.#doneTick + 1; tick <= this.#doneTick + SLOTS; tick++) {
      if (this.#slots[tick & MASK] === undefined) continue;
      if (tick < this.#armedTick) this.#arm(tick);
      return;
    }
  }
}
