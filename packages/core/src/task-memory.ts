/**
 * Which task ids an actor has seen, and how they ended.
 *
 * Invariants
 * 1. An id is remembered until its expiry, by time and never by count (R10): when there are too
 *    many, new named tasks are refused; nothing is forgotten early. An expired id counts as unknown.
 * 2. `add` and `settle` return another memory; the one they were called on keeps its answers. The
 *    arrays behind are shared: a memory sees only its own prefix, and appending to anything but the
 *    newest memory copies first.
 * 3. Outcomes are kept for the last `OUTCOMES_MAX` ids and at most `OUTCOMES_BYTES_MAX` together, so
 *    that a stored state stays small; an older repeat is answered `OutcomeExpired`, never run again.
 * 4. Of a numbered id (`task-runs.ts`) another payload is noticed while its outcome is kept or pending; later it counts
 *    as a repeat. It is never run again either way.
 */
import type { Outcome } from '@troupe/wire';
import { stepRules } from './rules.ts';
import { countRanges, knows, type TaskKey, type TaskRun, taskKeyOf, unexpired, withNumber } from './task-runs.ts';

/** How long a task id or a sender is remembered after its fixed time: 24 h. */
export const MEMORY_WINDOW_MS = 86_400_000;
/** Named tasks remembered at once; beyond, new ones get `TooManyTasks`. */
export const TASKS_MAX = 10_000;
/** Outcomes kept for repeats of a named task. */
export const OUTCOMES_MAX = 256;
/** An outcome above this many (estimated) bytes is not kept for repeats. */
export const OUTCOME_BYTES_MAX = 4_096;
/** All kept outcomes together. */
export const OUTCOMES_BYTES_MAX = 65_536;

interface Log {
  readonly ids: number[];
  readonly payloads: number[];
  readonly expiries: number[];
  readonly index: Map<number, number>;
}

/** A kept outcome. */
export interface Kept {
  readonly id: number;
  /** Hash of the payload. */
  readonly payload: number;
  readonly seq: number;
  readonly bytes: number;
  readonly outcome: Outcome;
}

/** Outcomes that are no longer kept, but still in the shared list behind. */
const OUTCOMES_SLACK = 64;
const NO_PENDING: readonly Pending[] = [];
const NO_RUNS: readonly TaskRun[] = [];

/** A task that has not ended. */
export interface Pending {
  readonly id: number;
  /** Hash of the payload. */
  readonly payload: number;
}

/** A window of a list that only grows; see invariant 2. */
interface KeptOutcomes {
  readonly list: Kept[];
  readonly start: number;
  readonly end: number;
  /** Of what is in the window. */
  readonly bytes: number;
}

/** What is known of a task id. */
export type Remembered =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'pending' }
  | { readonly kind: 'ended'; readonly seq: number; readonly outcome: Outcome | undefined };

const UNKNOWN: Remembered = { kind: 'unknown' };

/** Stored form. */
export interface StoredTaskMemory {
  readonly ids: Float64Array;
  readonly payloads: Float64Array;
  readonly expiries: Float64Array;
  readonly pending: readonly Pending[];
  readonly kept: readonly Kept[];
  readonly runs: readonly TaskRun[];
}

export class TaskMemory {
  readonly #log: Log;
  readonly #start: number;
  readonly #end: number;
  /** Few: an actor has one turn and its stash. */
  readonly #pending: readonly Pending[];
  readonly #kept: KeptOutcomes;
  readonly #runs: readonly TaskRun[];

  private constructor(
    log: Log,
    start: number,
    end: number,
    pending: readonly Pending[],
    kept: KeptOutcomes,
    runs: readonly TaskRun[],
  ) {
    this.#log = log;
    this.#start = start;
    this.#end = end;
    this.#pending = pending;
    this.#kept = kept;
    this.#runs = runs;
  }

  static empty(): TaskMemory {
    const log = { ids: [], payloads: [], expiries: [], index: new Map() };
    return new TaskMemory(log, 0, 0, NO_PENDING, { list: [], start: 0, end: 0, bytes: 0 }, NO_RUNS);
  }

  /** How many ids, and ranges of numbered ones, are held; expired ones included until they are at the front. */
  get size(): number {
    return this.#end - this.#start + countRanges(this.#runs);
  }

  /** Looks an id up at time `now` (Unix ms). */
  lookup(key: TaskKey, payloadHash: number, now: number): Remembered {
    if (!this.#isKnown(key, now)) return UNKNOWN;
    const payload = this.#payloadOf(key);
    if (payload !== undefined && payload !== payloadHash) return { kind: 'conflict' };
    return this.#state(key.id);
  }

  /** Like `lookup`, for a query that has no payload to compare. */
  find(taskId: string, now: number): Remembered {
    const key = taskKeyOf(taskId);
    return this.#isKnown(key, now) ? this.#state(key.id) : UNKNOWN;
  }

  /** Whichever way it was added: a client may repeat an id of its own making as one of its caller's. */
  #isKnown({ id, prefix, n }: TaskKey, now: number): boolean {
    if (prefix !== undefined && knows(this.#runs, prefix, n, now)) return true;
    const at = this.#log.index.get(id);
    return at !== undefined && at >= this.#start && at < this.#end && this.#log.expiries[at]! >= now;
  }

  /** Undefined when it is no longer known, see invariant 4. */
  #payloadOf({ id }: TaskKey): number | undefined {
    const at = this.#log.index.get(id);
    if (at !== undefined && at >= this.#start && at < this.#end) return this.#log.payloads[at];
    return (this.#pending.find((one) => one.id === id) ?? this.#keptOf(id))?.payload;
  }

  #state(id: number): Remembered {
    if (this.#pending.some((one) => one.id === id)) return { kind: 'pending' };
    const kept = this.#keptOf(id);
    return { kind: 'ended', seq: kept?.seq ?? 0, outcome: kept?.outcome };
  }

  #keptOf(id: number): Kept | undefined {
    const { list, start, end } = this.#kept;
    for (let at = end - 1; at >= start; at--) if (list[at]!.id === id) return list[at];
    return undefined;
  }

  /** Whether one more named task fits at time `now`. */
  isFull(now: number): boolean {
    if (this.size < TASKS_MAX) return false;
    const ids = this.#end - this.#start - this.#expiredInFront(now);
    return ids + countRanges(unexpired(this.#runs, now)) >= TASKS_MAX;
  }

  /**
   * Remembers a task that has been taken on. `expiresAt` Unix ms. `asNumber`: a numbered id is held as a number, because
   * nobody relies on hearing of a conflict a day later (invariant 4).
   */
  add(key: TaskKey, payloadHash: number, expiresAt: number, now: number, asNumber: boolean): TaskMemory {
    const { id, prefix, n } = key;
    const one = { id, payload: payloadHash };
    const pending = this.#pending.length === 0 ? [one] : [...without(this.#pending, id), one];
    if (asNumber && prefix !== undefined) {
      const runs = withNumber(this.#runs, { prefix, n }, expiresAt, now);
      return new TaskMemory(this.#log, this.#start, this.#end, pending, this.#kept, runs);
    }
    const start = this.#start + this.#expiredInFront(now);
    const reuse =
      this.#log.ids.length === this.#end && !this.#log.index.has(id) && start < 4_096 + this.#end - this.#start;
    const log = reuse ? this.#log : copyLog(this.#log, start, this.#end);
    const from = reuse ? start : 0;
    log.index.set(id, log.ids.length);
    log.ids.push(id);
    log.payloads.push(payloadHash);
    log.expiries.push(expiresAt);
    return new TaskMemory(log, from, log.ids.length, pending, this.#kept, this.#runs);
  }

  /** Records how a remembered task ended. `bytes` is the outcome's estimated size. */
  settle(id: number, seq: number, outcome: Outcome, bytes: number): TaskMemory {
    const pending = without(this.#pending, id);
    const payload = this.#pending.find((one) => one.id === id)?.payload ?? 0;
    const kept = bytes > OUTCOME_BYTES_MAX ? this.#kept : withOutcome(this.#kept, { id, payload, seq, bytes, outcome });
    return new TaskMemory(this.#log, this.#start, this.#end, pending, kept, this.#runs);
  }

  /** The stored form, without what has expired at `now`. */
  store(now: number): StoredTaskMemory {
    const ids: number[] = [];
    const payloads: number[] = [];
    const expiries: number[] = [];
    for (let at = this.#start; at < this.#end; at++) {
      if (this.#log.expiries[at]! < now) continue;
      ids.push(this.#log.ids[at]!);
      payloads.push(this.#log.payloads[at]!);
      expiries.push(this.#log.expiries[at]!);
    }
    return {
      ids: Float64Array.from(ids),
      payloads: Float64Array.from(payloads),
      expiries: Float64Array.from(expiries),
      pending: [...this.#pending].sort((a, b) => a.id - b.id),
      kept: this.#kept.list.slice(this.#kept.start, this.#kept.end),
      runs: unexpired(this.#runs, now),
    };
  }

  static restore(stored: StoredTaskMemory): TaskMemory {
    const log: Log = {
      ids: [...stored.ids],
      payloads: [...stored.payloads],
      expiries: [...stored.expiries],
      index: new Map(),
    };
    log.ids.forEach((id, at) => {
      log.index.set(id, at);
    });
    const bytes = stored.kept.reduce((sum, one) => sum + one.bytes, 0);
    const kept = { list: [...stored.kept], start: 0, end: stored.kept.length, bytes };
    return new TaskMemory(log, 0, log.ids.length, stored.pending, kept, stored.runs);
  }

  #expiredInFront(now: number): number {
    let at = this.#start;
    if (!stepRules.tasksByTime) return Math.max(0, this.size - 3);
    while (at < this.#end && this.#log.expiries[at]! < now) at++;
    return at - this.#start;
  }
}

function without(pending: readonly Pending[], id: number): readonly Pending[] {
  if (pending.length === 1 && pending[0]!.id === id) return NO_PENDING;
  return pending.some((one) => one.id === id) ? pending.filter((one) => one.id !== id) : pending;
}

function withOutcome(kept: KeptOutcomes, one: Kept): KeptOutcomes {
  const reuse = kept.list.length === kept.end && kept.start < OUTCOMES_SLACK;
  const list = reuse ? kept.list : kept.list.slice(kept.start, kept.end);
  let start = reuse ? kept.start : 0;
  let bytes = kept.bytes + one.bytes;
  list.push(one);
  while (list.length - start > OUTCOMES_MAX || bytes > OUTCOMES_BYTES_MAX) bytes -= list[start++]!.bytes;
  return { list, start, end: list.length, bytes };
}

function copyLog(log: Log, start: number, end: number): Log {
  const copy: Log = {
    ids: log.ids.slice(start, end),
    payloads: log.payloads.slice(start, end),
    expiries: log.expiries.slice(start, end),
    index: new Map(),
  };
  copy.ids.forEach((id, at) => {
    copy.index.set(id, at);
  });
  return copy;
}
