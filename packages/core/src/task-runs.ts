/**
 * Task ids that are numbered, `<prefix>-<n>`, remembered as ranges instead of one by one.
 *
 * Why: a client names every task so that it can be sent again, and an actor that takes a dozen a second would hold
 * thousands of ids for the few minutes in which a repeat may come. Numbered by client and actor they are one range.
 *
 * Invariants
 * 1. A number is known from the moment it is added until its range expires, which is no earlier than the number's own
 *    expiry (R10): nothing is forgotten early. Numbers that never came stay unknown, in whatever order the others came.
 * 2. Lists are never changed in place: older states share them.
 */
import { hash53 } from '@troupe/wire';

/** What an id is remembered under. */
export interface TaskKey {
  /** Hash of the whole id. */
  readonly id: number;
  /** Hash of what stands before the number of an id that ends in one; undefined for any other. */
  readonly prefix: number | undefined;
  readonly n: number;
}

/** Numbers `from` to `to`, both included. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
  /** Unix ms; the latest of its numbers. */
  readonly expiresAt: number;
}

/** What is known of one prefix, in ascending order with gaps between. */
export interface TaskRun {
  readonly prefix: number;
  readonly ranges: readonly NumberRange[];
}

/** Digits of a number that is exact as one. */
const DIGITS_MAX = 15;

/** @example taskKeyOf('k3Jd9sQ-12') // { id, prefix: hash53('k3Jd9sQ'), n: 12 } */
export function taskKeyOf(taskId: string): TaskKey {
  const id = hash53(taskId);
  const dash = taskId.lastIndexOf('-');
  const n = dash > 0 ? numberAt(taskId, dash + 1) : undefined;
  return n === undefined ? { id, prefix: undefined, n: 0 } : { id, prefix: hash53(taskId.slice(0, dash)), n };
}

/** Only the one spelling of a number that prints the same: `7`, but neither `07` nor `7a`. */
function numberAt(text: string, from: number): number | undefined {
  const digits = text.length - from;
  if (digits === 0 || digits > DIGITS_MAX || (digits > 1 && text.charCodeAt(from) === 0x30)) return undefined;
  let n = 0;
  for (let at = from; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    n = n * 10 + digit;
  }
  return n;
}

/** Whether number `n` of a prefix is known at `now`. */
export function knows(runs: readonly TaskRun[], prefix: number, n: number, now: number): boolean {
  const run = findRun(runs, prefix);
  return run?.ranges.some((one) => n >= one.from && n <= one.to && one.expiresAt >= now) ?? false;
}

/** Adds a number that isn't known yet. The run moves to the end, so that those which expire first come to the front. */
export function withNumber(
  runs: readonly TaskRun[],
  key: { readonly prefix: number; readonly n: number },
  expiresAt: number,
  now: number,
): readonly TaskRun[] {
  const ranges = added(findRun(runs, key.prefix)?.ranges ?? [], key.n, expiresAt, now);
  const last = runs.at(-1);
  const run = { prefix: key.prefix, ranges };
  if (last?.prefix === key.prefix) return [...runs.slice(0, -1), run];
  let start = 0;
  while (start < runs.length && isOver(runs[start]!, now)) start++;
  return [...runs.slice(start).filter((one) => one.prefix !== key.prefix), run];
}

/** Ranges that are held: what counts against the bound on named tasks. */
export function countRanges(runs: readonly TaskRun[]): number {
  let count = 0;
  for (const run of runs) count += run.ranges.length;
  return count;
}

/** Without what has expired at `now`. */
export function unexpired(runs: readonly TaskRun[], now: number): readonly TaskRun[] {
  return runs
    .map(({ prefix, ranges }) => ({ prefix, ranges: ranges.filter((one) => one.expiresAt >= now) }))
    .filter((run) => run.ranges.length > 0);
}

function isOver(run: TaskRun, now: number): boolean {
  return run.ranges.every((one) => one.expiresAt < now);
}

/** The last ones are the likely ones. */
function findRun(runs: readonly TaskRun[], prefix: number): TaskRun | undefined {
  for (let at = runs.length - 1; at >= 0; at--) if (runs[at]!.prefix === prefix) return runs[at];
  return undefined;
}

function added(ranges: readonly NumberRange[], n: number, expiresAt: number, now: number): readonly NumberRange[] {
  const only = ranges.length === 1 ? ranges[0]! : undefined;
  if (only !== undefined && n === only.to + 1)
    return [{ from: only.from, to: n, expiresAt: Math.max(only.expiresAt, expiresAt) }];
  let one: NumberRange = { from: n, to: n, expiresAt };
  const others: NumberRange[] = [];
  for (const other of ranges) {
    if (other.expiresAt < now) continue;
    if (other.to + 1 < one.from || other.from > one.to + 1) others.push(other);
    else one = joined(one, other);
  }
  others.push(one);
  return others.sort((a, b) => a.from - b.from);
}

function joined(a: NumberRange, b: NumberRange): NumberRange {
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to), expiresAt: Math.max(a.expiresAt, b.expiresAt) };
}
