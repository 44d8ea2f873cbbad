/**
 * Size of a value as it would be stored, and whether it can be stored at all.
 *
 * Invariants
 * 1. The answer depends on the value alone. Large objects already measured are remembered by identity,
 *    which is sound because machine contexts are never changed in place.
 * 2. What the codec can't keep is refused here, at the step that made it, with its path.
 * 3. `measureAtMost` is never less than `measure`, and reads no string: it runs in every step.
 */
import { TroupeError } from '@troupe/wire';

const DEPTH_MAX = 64;
/** Objects with fewer values inside are measured again rather than remembered: a weak map costs more. */
const REMEMBERED_FROM = 256;
/** A remembered size and height are one number. */
const HEIGHT_FACTOR = 128;
/** UTF-8 takes at most so many bytes for a unit of a string. */
const BYTES_PER_UNIT_MAX = 3;

/**
 * Estimated encoded size in bytes (an upper bound for ASCII text and small numbers).
 * @throws TroupeError `NotStorable` naming the path.
 * @example measure({ a: [1, 2] }, 'context') // about 12
 */
export function measure(value: unknown, path: string): number {
  return exact.measure(value, path);
}

/**
 * Like `measure`, but up to three times as much for text, and many times as fast.
 * @throws TroupeError `NotStorable` naming the path.
 */
export function measureAtMost(value: unknown, path: string): number {
  glances = GLANCES_MAX;
  const size = glance(value, 0);
  return Number.isNaN(size) ? atMost.measure(value, path) : size;
}

/** What most states are: a few plain values. They are added up without a trail, a weak map or an object of one's own. */
const GLANCES_MAX = 512;
const GLANCE_DEPTH_MAX = 16;
let glances = 0;

/** The same number as the meter's, or NaN for what needs a closer look: other classes, large or deep values. */
function glance(value: unknown, depth: number): number {
  if (typeof value === 'string') return 3 + value.length * BYTES_PER_UNIT_MAX;
  if (typeof value === 'number') return Number.isInteger(value) ? 5 : 9;
  if (value === null || value === undefined || typeof value === 'boolean') return 1;
  if (typeof value !== 'object' || depth > GLANCE_DEPTH_MAX || glances-- <= 0) return Number.NaN;
  if (Array.isArray(value)) {
    glances -= value.length;
    if (glances <= 0) return Number.NaN;
    let size = 5;
    for (let i = 0; i < value.length; i++) size += glance(value[i], depth + 1);
    return size;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return Number.NaN;
  let size = 3;
  for (const key in value) size += 1 + key.length + glance((value as Record<string, unknown>)[key], depth + 1);
  return size;
}

class Meter {
  readonly #textSize: (text: string) => number;
  readonly #known = new WeakMap<object, number>();
  /** From the root to the value being measured. */
  #trail: (string | number)[] = [];
  /** Values seen in this call. */
  #seen = 0;
  /** Greatest depth reached below the object being measured. */
  #deepest = 0;

  constructor(textSize: (text: string) => number) {
    this.#textSize = textSize;
  }

  measure(value: unknown, path: string): number {
    this.#trail = [path];
    this.#seen = 0;
    this.#deepest = 0;
    return this.#sizeOf(value, 0);
  }

  #sizeOf(value: unknown, depth: number): number {
    this.#seen++;
    switch (typeof value) {
      case 'string':
        return 3 + this.#textSize(value);
      case 'number':
        return Number.isInteger(value) ? 5 : 9;
      case 'boolean':
      case 'undefined':
        return 1;
      case 'bigint':
        return 9;
      case 'object':
        return value === null ? 1 : this.#objectSize(value, depth);
      default:
        throw this.#refusal(
          `is a ${typeof value}, which can't be stored. Keep data in the context, and functions in setup().`,
        );
    }
  }

  #objectSize(value: object, depth: number): number {
    const known = this.#known.get(value);
    const height = known === undefined ? 0 : known % HEIGHT_FACTOR;
    if (depth + height > DEPTH_MAX) {
      throw this.#refusal(`is nested more than ${DEPTH_MAX} deep, or refers to itself. Store a flatter value.`);
    }
    if (known !== undefined) {
      if (depth + height > this.#deepest) this.#deepest = depth + height;
      return (known - height) / HEIGHT_FACTOR;
    }
    const seenBefore = this.#seen;
    const deepestBefore = this.#deepest;
    this.#deepest = depth;
    const size = this.#containerSize(value, depth + 1);
    if (this.#seen - seenBefore >= REMEMBERED_FROM)
      this.#known.set(value, size * HEIGHT_FACTOR + this.#deepest - depth);
    if (deepestBefore > this.#deepest) this.#deepest = deepestBefore;
    return size;
  }

  #containerSize(value: object, depth: number): number {
    if (Array.isArray(value)) return this.#listSize(value, depth);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null)
      return this.#recordSize(value as Record<string, unknown>, depth);
    if (value instanceof Date) return 13;
    if (value instanceof Map) return this.#mapSize(value, depth);
    if (value instanceof Set) {
      let size = 6;
      for (const item of value) size += this.#part(' item', item, depth);
      return size;
    }
    if (ArrayBuffer.isView(value)) return 6 + value.byteLength;
    if (value instanceof ArrayBuffer) return 6 + value.byteLength;
    if (value instanceof Error) {
      const cause = value.cause === undefined ? 0 : this.#part('.cause', value.cause, depth);
      return 32 + this.#textSize(value.message) + cause;
    }
    if (value instanceof RegExp) return 8 + value.source.length;
    if (isActorRef(value)) return 64;
    const name = (prototype as { constructor?: { name?: string } }).constructor?.name ?? 'unknown class';
    throw this.#refusal(
      `is an instance of ${name}, which can't be stored. Keep plain objects, Date, Map, Set, bigint, typed arrays or Error.`,
    );
  }

  #listSize(list: readonly unknown[], depth: number): number {
    let size = 5;
    const at = this.#trail.length;
    for (let i = 0; i < list.length; i++) {
      this.#trail[at] = i;
      size += this.#sizeOf(list[i], depth);
    }
    this.#trail.length = at;
    return size;
  }

  #recordSize(record: Record<string, unknown>, depth: number): number {
    let size = 3;
    const at = this.#trail.length;
    for (const key in record) {
      this.#trail[at] = key;
      size += 1 + key.length + this.#sizeOf(record[key], depth);
      this.#trail.length = at + 1;
    }
    this.#trail.length = at;
    return size;
  }

  #mapSize(map: ReadonlyMap<unknown, unknown>, depth: number): number {
    let size = 6;
    for (const [key, item] of map)
      size += this.#part(' key', key, depth) + this.#part(`.get(${String(key)})`, item, depth);
    return size;
  }

  /** A value at a place that is written as it is given. */
  #part(place: string, value: unknown, depth: number): number {
    const outer = this.#trail;
    this.#trail = [pathOf(outer) + place];
    const size = this.#sizeOf(value, depth);
    this.#trail = outer;
    return size;
  }

  #refusal(why: string): TroupeError {
    return new TroupeError('NotStorable', `${pathOf(this.#trail)} ${why}`);
  }
}

function pathOf([root, ...keys]: readonly (string | number)[]): string {
  return keys.reduce((path: string, key) => `${path}${typeof key === 'number' ? `[${key}]` : `.${key}`}`, `${root}`);
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

const exact = new Meter(utf8Length);
const atMost = new Meter((text) => text.length * BYTES_PER_UNIT_MAX);
