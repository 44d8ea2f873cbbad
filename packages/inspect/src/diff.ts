/** What differs between two values, as a list of changes by path. Pure and browser-safe. */

/** One difference. */
export interface Change {
  /** From the outside inward: field names and list positions (of the value after, except where it was removed). */
  readonly path: readonly (string | number)[];
  readonly kind: 'added' | 'removed' | 'changed';
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Changes that are listed; further ones are left out. */
export const CHANGES_MAX = 1_000;
/** Deeper differences are one change of the whole. */
const DEPTH_MAX = 64;

/**
 * The changes that make `before` into `after`, outermost first, at most `CHANGES_MAX`. Dates, maps, sets and bytes are
 * compared by what they hold. Items put in at the beginning of a list, or taken from it, don't make every other item
 * change.
 *
 * @example diffValues({ a: 1, b: [1] }, { a: 2, b: [1, 2] })
 * // [{ path: ['a'], kind: 'changed', before: 1, after: 2 }, { path: ['b', 1], kind: 'added', after: 2 }]
 */
export function diffValues(before: unknown, after: unknown): Change[] {
  const changes: Change[] = [];
  compare(before, after, [], changes);
  return changes;
}

type Path = readonly (string | number)[];

function compare(before: unknown, after: unknown, path: Path, changes: Change[]): void {
  if (changes.length >= CHANGES_MAX || Object.is(before, after)) return;
  const [left, right] = [contentOf(before), contentOf(after)];
  if (path.length < DEPTH_MAX && Array.isArray(left) && Array.isArray(right)) compareLists(left, right, path, changes);
  else if (path.length < DEPTH_MAX && isFields(left) && isFields(right)) compareFields(left, right, path, changes);
  else if (!isSame(left, right)) add(changes, { path, kind: 'changed', before, after });
}

function compareFields(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  path: Path,
  changes: Change[],
): void {
  for (const [name, value] of Object.entries(before)) {
    if (Object.hasOwn(after, name)) compare(value, after[name], [...path, name], changes);
    else if (value !== undefined) add(changes, { path: [...path, name], kind: 'removed', before: value });
  }
  for (const [name, value] of Object.entries(after))
    if (!Object.hasOwn(before, name) && value !== undefined)
      add(changes, { path: [...path, name], kind: 'added', after: value });
}

/** What is alike at both ends stays; what lies between is compared item by item, the rest came or went. */
function compareLists(before: readonly unknown[], after: readonly unknown[], path: Path, changes: Change[]): void {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && isSame(before[head], after[head])) head++;
  let tail = 0;
  while (tail < shorter - head && isSame(before[before.length - 1 - tail], after[after.length - 1 - tail])) tail++;
  const common = shorter - head - tail;
  for (let i = head; i < head + common; i++) compare(before[i], after[i], [...path, i], changes);
  for (let i = head + common; i < before.length - tail; i++)
    add(changes, { path: [...path, i], kind: 'removed', before: before[i] });
  for (let i = head + common; i < after.length - tail; i++)
    add(changes, { path: [...path, i], kind: 'added', after: after[i] });
}

function add(changes: Change[], change: Change): void {
  if (changes.length < CHANGES_MAX) changes.push(change);
}

function isSame(before: unknown, after: unknown): boolean {
  if (Object.is(before, after)) return true;
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return false;
  const found: Change[] = [];
  const [left, right] = [contentOf(before), contentOf(after)];
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  if (typeof left !== 'object' || typeof right !== 'object') return Object.is(left, right);
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, i) => isSame(item, right[i]));
  }
  compareFields(left as Record<string, unknown>, right as Record<string, unknown>, [], found);
  return found.length === 0;
}

/** What a value holds: of maps their fields (or pairs), of sets and bytes a list, of dates their time. */
function contentOf(value: unknown): unknown {
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (value instanceof Map) {
    const pairs = [...value];
    return pairs.every(([key]) => typeof key === 'string') ? Object.fromEntries(pairs) : pairs;
  }
  if (value instanceof Set) return [...value];
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>);
  if (value instanceof Error) return { name: value.name, message: value.message };
  return value;
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
