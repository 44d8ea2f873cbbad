/**
 * Which values can be stored, and how those are prepared that the encoder can't take as they are.
 *
 * Storable: null, undefined, booleans, numbers (NaN, infinities and -0 too), strings, bigints, arrays, plain objects,
 * Date, Map, Set, RegExp, ArrayBuffer, DataView, typed arrays, and errors (name, message, cause, own simple properties;
 * no stack; a `TroupeError` stays one). Everything else is `NotStorable`, with the path to it.
 *
 * Invariants
 * 1. Equal values give equal bytes: shared references are written out, so it doesn't matter who points to whom.
 * 2. Cycles, and sharing that would blow up, end at a limit with an error and never hang.
 * 3. The common value, without anything special in it, is walked once and copied never.
 */
import { CodecError, formatPath } from './codec-error.ts';
import { CODEC_LIMITS, isForbiddenKey } from './limits.ts';
import { Tagged, tagText } from './tagged.ts';
import { isTroupeError, type TroupeError } from './troupe-error.ts';
import { loneSurrogateAt } from './utf8.ts';

/** Maps are native in states, where objects are records, and tagged in values, where objects are maps. */
export interface StorableOptions {
  readonly nativeMaps: boolean;
}

type Key = string | number;
type TypedArray = Uint8Array | Int16Array | Float64Array | BigInt64Array;

const TYPED_ARRAYS: ReadonlyMap<string, new (source: ArrayBuffer) => unknown> = new Map(
  [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ].map((Class) => [Class.name, Class as unknown as new (source: ArrayBuffer) => unknown]),
);

/**
 * The value as the encoder can take it: itself when nothing in it needs preparation, else a prepared copy. Throws
 * `CodecError` with `NotStorable` and the path.
 */
export function toStorable(value: unknown, options: StorableOptions): unknown {
  const walker = new Walker(options.nativeMaps);
  return walker.isDirect(value, 0) ? value : walker.prepare(value);
}

class Walker {
  readonly #nativeMaps: boolean;
  /** Where the walk is; entries beyond the current depth are stale. */
  readonly #path: Key[] = [];
  #elements = 0;

  constructor(nativeMaps: boolean) {
    this.#nativeMaps = nativeMaps;
  }

  /** Walks everything, throws for what can't be stored, and tells whether no copy is needed (invariant 3). */
  isDirect(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case 'string':
        return isWellFormed(value);
      case 'number':
        return value !== 0 || 1 / value > 0;
      case 'boolean':
      case 'undefined':
      case 'bigint':
        return true;
      case 'object':
        return value === null || this.#isDirectObject(value, depth);
      default:
        throw this.#refuse(value, depth);
    }
  }

  #isDirectObject(value: object, depth: number): boolean {
    if (depth >= CODEC_LIMITS.valueDepthMax) {
      throw this.#error(`is nested deeper than ${CODEC_LIMITS.valueDepthMax}, or contains itself`, depth);
    }
    const proto = Object.getPrototypeOf(value);
    if (proto === Object.prototype) return this.#isDirectPlain(value as Record<string, unknown>, depth);
    if (Array.isArray(value)) return this.#isDirectList(value, depth) && proto === Array.prototype;
    if (isPlainProto(proto)) {
      this.#isDirectPlain(value as Record<string, unknown>, depth);
      return false;
    }
    return this.#isDirectBuiltIn(value, proto, depth);
  }

  #isDirectPlain(value: Record<string, unknown>, depth: number): boolean {
    let direct = true;
    for (const key in value) {
      if (!Object.hasOwn(value, key)) continue;
      this.#path[depth] = key;
      this.#count(depth);
      if (isForbiddenKey(key)) throw this.#error('is a key that is refused', depth + 1);
      if (!isWellFormed(key)) throw this.#error('is a key with a lone surrogate', depth + 1);
      if (!this.isDirect(value[key], depth + 1)) direct = false;
    }
    return direct;
  }

  #isDirectList(items: readonly unknown[], depth: number): boolean {
    let direct = true;
    for (let i = 0; i < items.length; i++) {
      this.#path[depth] = i;
      this.#count(depth);
      if (!this.isDirect(items[i], depth + 1)) direct = false;
    }
    return direct;
  }

  #isDirectBuiltIn(value: object, proto: object, depth: number): boolean {
    switch (kindOf(value)) {
      case 'Date':
        return proto === Date.prototype;
      case 'RegExp':
        return proto === RegExp.prototype;
      case 'Map': {
        const map = value as Map<unknown, unknown>;
        const direct = this.#isDirectList([...map.keys()], depth) && this.#isDirectList([...map.values()], depth);
        return direct && this.#nativeMaps && proto === Map.prototype;
      }
      case 'Set':
        return this.#isDirectList([...(value as Set<unknown>)], depth) && proto === Set.prototype;
      case 'ArrayBuffer':
        return proto === ArrayBuffer.prototype;
      case 'View':
        return proto === DataView.prototype || TYPED_ARRAYS.get(viewName(value))?.prototype === proto;
      case 'Error':
        this.#path[depth] = 'cause';
        this.#walkError(value as Error, depth);
        return false;
      default:
        throw this.#refuse(value, depth);
    }
  }

  #walkError(error: Error, depth: number): void {
    this.#path[depth] = 'cause';
    this.isDirect(error.cause, depth + 1);
    this.#path[depth] = 'details';
    if (isTroupeError(error)) this.isDirect(error.details, depth + 1);
    this.#isDirectList(errorsOf(error), depth);
  }

  /** A copy that the encoder can take; the value has been walked. */
  prepare(value: unknown): unknown {
    if (typeof value === 'string') return isWellFormed(value) ? value : tagText(value);
    if (typeof value === 'number') return Object.is(value, -0) ? new Tagged('zero') : value;
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return Array.from(value, (item) => this.prepare(item));
    if (isPlainProto(Object.getPrototypeOf(value))) return this.#preparePlain(value as Record<string, unknown>);
    return this.#prepareBuiltIn(value);
  }

  #preparePlain(value: Record<string, unknown>): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(value)) copy[key] = this.prepare(value[key]);
    return copy;
  }

  #prepareBuiltIn(value: object): unknown {
    switch (kindOf(value)) {
      case 'Date':
        return new Date((value as Date).getTime());
      case 'RegExp':
        return new RegExp((value as RegExp).source, (value as RegExp).flags);
      case 'Map':
        return this.#prepareMap(value as Map<unknown, unknown>);
      case 'Set':
        return new Set(Array.from(value as Set<unknown>, (item) => this.prepare(item)));
      case 'Error':
        return isTroupeError(value) ? this.#prepareFailure(value) : this.#prepareError(value as Error);
      case 'View':
        return copyView(value as TypedArray);
      default:
        return copyBuffer(value as ArrayBuffer);
    }
  }

  #prepareMap(map: Map<unknown, unknown>): unknown {
    const parts: unknown[] = [];
    for (const [key, item] of map) parts.push(this.prepare(key), this.prepare(item));
    if (!this.#nativeMaps) return new Tagged('map', ...parts);
    const copy = new Map<unknown, unknown>();
    for (let i = 0; i < parts.length; i += 2) copy.set(parts[i], parts[i + 1]);
    return copy;
  }

  /** A `TroupeError` stays one, with its details, so that a machine can still ask for its code after a restart. */
  #prepareFailure(error: TroupeError): Tagged {
    const { name, message, cause, code, actor, taskId, retryable, details } = error;
    const parts = [name, message, cause, code, actor, taskId, retryable === true, details];
    return new Tagged('failure', ...parts.map((part) => this.prepare(part)));
  }

  /** Own properties are kept where they are simple: errors of libraries carry sockets and requests. */
  #prepareError(error: Error): Tagged {
    const properties: Record<string, unknown> = {};
    for (const key of Object.keys(error)) {
      if (key === 'name' || key === 'message' || key === 'stack' || key === 'cause' || isForbiddenKey(key)) continue;
      const value = (error as unknown as Record<string, unknown>)[key];
      if (isSimple(value) && isWellFormed(key)) properties[key] = this.prepare(value);
    }
    const errors = errorsOf(error);
    if (errors.length > 0) properties.errors = this.prepare(errors);
    const parts = [`${error.name}`, `${error.message}`, error.cause].map((part) => this.prepare(part));
    return new Tagged('error', ...parts, properties);
  }

  /** Invariant 2. */
  #count(depth: number): void {
    if (++this.#elements <= CODEC_LIMITS.elementsMax) return;
    throw this.#error(`is beyond the first ${CODEC_LIMITS.elementsMax} values of one blob`, depth + 1);
  }

  #refuse(value: unknown, depth: number): CodecError {
    if (typeof value === 'function') return this.#error(`is the function ${value.name || '(anonymous)'}`, depth);
    if (typeof value === 'symbol') return this.#error('is a symbol', depth);
    const name = (value as object).constructor?.name ?? 'unknown';
    return this.#error(
      `is an instance of ${name}, whose methods would be lost; keep its data in a plain object`,
      depth,
    );
  }

  #error(what: string, depth: number): CodecError {
    const path = formatPath(this.#path.slice(0, depth));
    return new CodecError('NotStorable', `${path === '' ? 'The value' : path} ${what}, so it can't be stored.`, path);
  }
}

type Kind = 'Date' | 'RegExp' | 'Map' | 'Set' | 'Error' | 'ArrayBuffer' | 'View' | undefined;

/** The built-in that a value is an instance of, also one of another realm. */
function kindOf(value: object): Kind {
  if (value instanceof Error) return 'Error';
  if (ArrayBuffer.isView(value))
    return value instanceof DataView || TYPED_ARRAYS.has(viewName(value)) ? 'View' : undefined;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag === 'Date' || tag === 'RegExp' || tag === 'Map' || tag === 'Set') return tag;
  return tag === 'ArrayBuffer' || tag === 'Error' ? tag : undefined;
}

function viewName(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Made by a literal, `Object.create(null)`, or a literal of another realm. */
function isPlainProto(proto: object | null): boolean {
  if (proto === null || proto === Object.prototype) return true;
  return Object.getPrototypeOf(proto) === null && Object.hasOwn(proto, 'isPrototypeOf');
}

function copyView(view: TypedArray | DataView): unknown {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
  if (kindIsDataView(view)) return new DataView(bytes.buffer);
  return new (TYPED_ARRAYS.get(viewName(view))!)(bytes.buffer);
}

function kindIsDataView(view: object): view is DataView {
  return viewName(view) === 'DataView';
}

function copyBuffer(buffer: ArrayBuffer): ArrayBuffer {
  return new Uint8Array(buffer).slice().buffer;
}

function errorsOf(error: Error): readonly unknown[] {
  const errors = (error as AggregateError).errors;
  return Array.isArray(errors) ? errors : [];
}

function isSimple(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
}

const nativeIsWellFormed = (String.prototype as unknown as { isWellFormed?: () => boolean }).isWellFormed;

const isWellFormed: (text: string) => boolean =
  nativeIsWellFormed === undefined ? (text) => loneSurrogateAt(text) === -1 : (text) => nativeIsWellFormed.call(text);
