/**
 * Size of a value as it would be stored, and whether it can be stored at all.
 *
 * Invariants
 * 1. The answer depends on the value alone. Objects already measured are remembered by identity,
 *    which is sound because machine contexts are never changed in place.
 * 2. What the codec can't keep is refused here, at the step that made it, with its path.
 */
import { TroupeError } from '@troupe/wire';

const known = new WeakMap<object, number>();
const DEPTH_MAX = 64;

/**
 * Estimated encoded size in bytes (an upper bound for ASCII text and small numbers).
 * @throws TroupeError `NotStorable` naming the path.
 * @example measure({ a: [1, 2] }, 'context') // about 12
 */
export function measure(value: unknown, path: string): number {
  return sizeOf(value, path, 0);
}

function sizeOf(value: unknown, path: string, depth: number): number {
  switch (typeof value) {
    case 'string':
      return 3 + utf8Length(value);
    case 'number':
      return Number.isInteger(value) ? 5 : 9;
    case 'boolean':
    case 'undefined':
      return 1;
    case 'bigint':
      return 9;
    case 'object':
      return value === null ? 1 : objectSize(value, path, depth);
    default:
      throw new TroupeError(
        'NotStorable',
        `${path} is a ${typeof value}, which can't be stored. Keep data in the context, and functions in setup().`,
      );
  }
}

function objectSize(value: object, path: string, depth: number): number {
  const seen = known.get(value);
  if (seen !== undefined) return seen;
  if (depth > DEPTH_MAX) {
    throw new TroupeError(
      'NotStorable',
      `${path} is nested more than ${DEPTH_MAX} deep, or refers to itself. Store a flatter value.`,
    );
  }
  const size = containerSize(value, path, depth + 1);
  known.set(value, size);
  return size;
}

function containerSize(value: object, path: string, depth: number): number {
  if (Array.isArray(value)) {
    let size = 5;
    for (let i = 0; i < value.length; i++) size += sizeOf(value[i], `${path}[${i}]`, depth);
    return size;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null)
    return recordSize(value as Record<string, unknown>, path, depth);
  if (value instanceof Date) return 13;
  if (value instanceof Map) {
    let size = 6;
    for (const [key, item] of value)
      size += sizeOf(key, `${path} key`, depth) + sizeOf(item, `${path}.get(${String(key)})`, depth);
    return size;
  }
  if (value instanceof Set) {
    let size = 6;
    for (const item of value) size += sizeOf(item, `${path} item`, depth);
    return size;
  }
  if (ArrayBuffer.isView(value)) return 6 + value.byteLength;
  if (value instanceof ArrayBuffer) return 6 + value.byteLength;
  if (value instanceof Error)
    return (
      32 + utf8Length(value.message) + (value.cause === undefined ? 0 : sizeOf(value.cause, `${path}.cause`, depth))
    );
  if (value instanceof RegExp) return 8 + value.source.length;
  if (isActorRef(value)) return 64;
  const name = (prototype as { constructor?: { name?: string } }).constructor?.name ?? 'unknown class';
  throw new TroupeError(
    'NotStorable',
    `${path} is an instance of ${name}, which can't be stored. Keep plain objects, Date, Map, Set, bigint, typed arrays or Error.`,
  );
}

function recordSize(value: Record<string, unknown>, path: string, depth: number): number {
  let size = 3;
  for (const key in value) size += 1 + key.length + sizeOf(value[key], `${path}.${key}`, depth);
  return size;
}

/** References to children in a context are stored by path (see the driver). */
function isActorRef(value: object): boolean {
  return typeof (value as { getSnapshot?: unknown }).getSnapshot === 'function' && 'sessionId' in value;
}

function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) length += code > 0x7ff ? 2 : 1;
  }
  return length;
}
