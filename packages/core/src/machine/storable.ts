/**
 * What of a machine's data can be stored: what a structured-clone codec keeps. References to nodes are taken out and
 * noted beside the data with their place in it, so that nothing in the data itself can pass for one.
 *
 * Invariants
 * 1. Data without references is returned as it is, not copied.
 * 2. Copies keep shared and circular structure.
 */
import { NotStorable } from './errors.ts';
import { isLiveActor, isNodeRef, type NodeRef } from './node-ref.ts';

/** One step into data: a field or index, `[n]` into a Set, `[n, 0]` or `[n, 1]` to a key or value of a Map. */
export type Place = string | number | readonly [number] | readonly [number, 0 | 1];

/** A reference and where it stood. */
export interface PlacedRef {
  readonly at: readonly Place[];
  readonly ref: NodeRef;
}

/** Data without references, and the references that were in it. */
export interface Detached {
  readonly data: unknown;
  readonly refs: readonly PlacedRef[];
}

/** Splits data for storing. @throws NotStorable naming the place, beginning with `name` */
export function detach(data: unknown, name: string): Detached {
  const search: Search = { name, at: [], seen: new Set(), refs: [] };
  scan(data, search);
  if (search.refs.length === 0) return { data, refs: search.refs };
  return { data: copy(data, new Map()), refs: search.refs };
}

/** Puts references back into stored data, which itself stays as it is. */
export function attach(data: unknown, refs: readonly PlacedRef[]): unknown {
  if (refs.length === 0) return data;
  // One more level, so that the data itself can be the reference.
  const holder = { data: copy(data, new Map()) };
  for (const { at, ref } of refs) plant(holder, ['data', ...at], 0, ref);
  return holder.data;
}

interface Search {
  readonly name: string;
  readonly at: Place[];
  readonly seen: Set<object>;
  readonly refs: PlacedRef[];
}

function scan(value: unknown, search: Search): void {
  if (typeof value === 'function' || typeof value === 'symbol') throw notStorable(value, search);
  if (typeof value !== 'object' || value === null) return;
  if (search.seen.has(value)) {
    if (isNodeRef(value)) search.refs.push({ at: [...search.at], ref: value });
    return;
  }
  search.seen.add(value);
  if (isNodeRef(value)) search.refs.push({ at: [...search.at], ref: value });
  else if (Array.isArray(value)) scanEach(value, search);
  else if (value instanceof Map) scanMap(value, search);
  else if (value instanceof Set) scanSet(value, search);
  else if (isPlain(value)) scanFields(value as Record<string, unknown>, search);
  else if (!isLeaf(value)) throw notStorable(value, search);
}

function scanAt(place: Place, value: unknown, search: Search): void {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')) return;
  search.at.push(place);
  scan(value, search);
  search.at.pop();
}

function scanEach(values: readonly unknown[], search: Search): void {
  for (let i = 0; i < values.length; i++) scanAt(i, values[i], search);
}

function scanFields(fields: Record<string, unknown>, search: Search): void {
  for (const key of Object.keys(fields)) scanAt(key, fields[key], search);
}

function scanMap(map: ReadonlyMap<unknown, unknown>, search: Search): void {
  let i = 0;
  for (const [key, value] of map) {
    scanAt([i, 0], key, search);
    scanAt([i++, 1], value, search);
  }
}

function scanSet(set: ReadonlySet<unknown>, search: Search): void {
  let i = 0;
  for (const value of set) scanAt([i++], value, search);
}

function copy(value: unknown, done: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  // A place of its own for each reference: in a Set, equal stand-ins would become one.
  if (isNodeRef(value)) return {};
  const earlier = done.get(value);
  if (earlier !== undefined) return earlier;
  if (value instanceof Map) return copyMap(value, done);
  if (value instanceof Set) return copySet(value, done);
  if (!Array.isArray(value) && !isPlain(value)) return value;
  const target = (Array.isArray(value) ? [] : {}) as Record<string, unknown>;
  done.set(value, target);
  const source = value as Record<string, unknown>;
  for (const key of Object.keys(source)) target[key] = copy(source[key], done);
  return target;
}

function copyMap(value: ReadonlyMap<unknown, unknown>, done: Map<object, unknown>): unknown {
  const target = new Map();
  done.set(value, target);
  for (const [key, inner] of value) target.set(copy(key, done), copy(inner, done));
  return target;
}

function copySet(value: ReadonlySet<unknown>, done: Map<object, unknown>): unknown {
  const target = new Set();
  done.set(value, target);
  for (const inner of value) target.add(copy(inner, done));
  return target;
}

function plant(container: unknown, at: readonly Place[], depth: number, ref: NodeRef): void {
  const place = at[depth]!;
  const last = depth === at.length - 1;
  if (typeof place === 'object') plantInCollection(container, place, at, depth, ref);
  else if (last) (container as Record<string | number, unknown>)[place] = ref;
  else plant((container as Record<string | number, unknown>)[place], at, depth + 1, ref);
}

function plantInCollection(
  container: unknown,
  place: readonly [number] | readonly [number, 0 | 1],
  at: readonly Place[],
  depth: number,
  ref: NodeRef,
): void {
  const entries: unknown[] = [...(container as Iterable<unknown>)];
  const [index, side] = place;
  const parts = side === undefined ? [entries[index]] : (entries[index] as unknown[]);
  const part = side ?? 0;
  if (depth < at.length - 1) {
    plant(parts[part], at, depth + 1, ref);
    return;
  }
  parts[part] = ref;
  if (side === undefined) entries[index] = ref;
  if (container instanceof Map) refillMap(container, entries as [unknown, unknown][]);
  else refillSet(container as Set<unknown>, entries);
}

function refillMap(map: Map<unknown, unknown>, entries: readonly [unknown, unknown][]): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

function refillSet(set: Set<unknown>, values: readonly unknown[]): void {
  set.clear();
  for (const value of values) set.add(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isLeaf(value: object): boolean {
  return (
    value instanceof Date ||
    value instanceof Error ||
    value instanceof RegExp ||
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer
  );
}

function notStorable(value: unknown, { name, at }: Search): NotStorable {
  return new NotStorable(at.reduce<string>(describePlace, name), describeValue(value));
}

function describePlace(path: string, place: Place): string {
  if (typeof place === 'string') return /^[A-Za-z_$][\w$]*$/.test(place) ? `${path}.${place}` : `${path}['${place}']`;
  if (typeof place === 'number') return `${path}[${place}]`;
  if (place.length === 1) return `${path}.values()[${place[0]}]`;
  return place[1] === 0 ? `${path}.keys()[${place[0]}]` : `${path}.values()[${place[0]}]`;
}

function describeValue(value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function '${value.name}'`;
  if (typeof value === 'symbol') return String(value);
  if (isLiveActor(value as object)) return 'a live actor';
  if ('then' in (value as object)) return 'a promise';
  const made = value as { constructor?: { name?: string } };
  return `an instance of ${made.constructor?.name || 'a class without a name'}`;
}
