/**
 * Values at the edge, where JSON rules: what JSON can't say is turned into what people expect to read.
 */
import { CodecError, formatPath } from './codec-error.ts';
import { CODEC_LIMITS, isForbiddenKey } from './limits.ts';

/** Keeps dates and bytes as they are, for formats that have them. */
export interface EdgeOptions {
  readonly keepBinary?: boolean;
}

/**
 * The value with only what JSON has: dates as ISO text, maps as objects (or pairs when a key isn't text), sets and typed
 * arrays as lists, errors as `{ name, message, cause }`, bigints as numbers where exact and else as text, instances by
 * their `toJSON` or their own fields. The value itself when nothing needs changing. Throws `CodecError` with
 * `NotStorable` for functions, symbols, cycles and what is nested deeper than 64.
 *
 * @example toJsonValue(new Map([['a', 1n]])) // { a: 1 }
 */
export function toJsonValue(value: unknown, options: EdgeOptions = {}): unknown {
  const converter = new Converter(options.keepBinary === true);
  return converter.isPlain(value, 0) ? value : new Converter(options.keepBinary === true).convert(value, 0);
}

/**
 * Throws `CodecError` with `InvalidPayload` when a parsed value is nested too deep or has a forbidden key.
 */
export function assertSafe(value: unknown): void {
  if (typeof value === 'object' && value !== null) walkSafe(value, 0, []);
}

function walkSafe(value: object, depth: number, path: (string | number)[]): void {
  if (depth >= CODEC_LIMITS.payloadDepthMax) {
    throw unsafe(`is nested deeper than ${CODEC_LIMITS.payloadDepthMax}`, path.slice(0, depth));
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item !== 'object' || item === null) continue;
      path[depth] = i;
      walkSafe(item, depth + 1, path);
    }
    return;
  }
  for (const key in value) {
    if (isForbiddenKey(key)) throw unsafe(`has the key "${key}", which is refused`, path.slice(0, depth));
    const item = (value as Record<string, unknown>)[key];
    if (typeof item !== 'object' || item === null) continue;
    path[depth] = key;
    walkSafe(item, depth + 1, path);
  }
}

function unsafe(what: string, path: (string | number)[]): CodecError {
  const text = formatPath(path);
  return new CodecError('InvalidPayload', `The payload${text === '' ? '' : ` at ${text}`} ${what}.`, text);
}

class Converter {
  readonly #keepBinary: boolean;
  readonly #path: (string | number)[] = [];
  #elements = 0;

  constructor(keepBinary: boolean) {
    this.#keepBinary = keepBinary;
  }

  /** True when JSON (or MessagePack) says exactly this value. */
  isPlain(value: unknown, depth: number): boolean {
    if (typeof value !== 'object' || value === null) {
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null;
    }
    // Beyond a limit `convert` finds the path for the message.
    if (depth >= CODEC_LIMITS.payloadDepthMax || ++this.#elements > CODEC_LIMITS.elementsMax) return false;
    const proto = Object.getPrototypeOf(value);
    if (proto === Array.prototype) return (value as unknown[]).every((item) => this.isPlain(item, depth + 1));
    if (proto !== Object.prototype) return this.#keepBinary && isKept(value);
    for (const key in value) {
      const item = (value as Record<string, unknown>)[key];
      if (isForbiddenKey(key) || !this.isPlain(item, depth + 1)) return false;
    }
    return true;
  }

  convert(value: unknown, depth: number): unknown {
    if (++this.#elements > CODEC_LIMITS.elementsMax) throw this.#error('has too many values', depth);
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
    if (typeof value === 'function' || typeof value === 'symbol') throw this.#error(`is a ${typeof value}`, depth);
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= CODEC_LIMITS.payloadDepthMax) {
      throw this.#error(`is nested deeper than ${CODEC_LIMITS.payloadDepthMax}, or contains itself`, depth);
    }
    if (this.#keepBinary && isKept(value)) return value;
    return this.#convertObject(value, depth);
  }

  #convertObject(value: object, depth: number): unknown {
    if (Array.isArray(value)) return this.#list(value, depth);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Map) return this.#map(value, depth);
    if (value instanceof Set) return this.#list([...value], depth);
    if (value instanceof Error) return this.#cause(value, depth);
    if (value instanceof RegExp) return `${value}`;
    if (value instanceof ArrayBuffer) return Array.from(new Uint8Array(value));
    if (ArrayBuffer.isView(value)) return this.#list(Array.from(value as Uint8Array), depth);
    const own = value as Record<string, unknown>;
    if (typeof own.toJSON === 'function') return this.convert(own.toJSON(), depth + 1);
    return this.#object(own, depth);
  }

  #list(items: readonly unknown[], depth: number): unknown[] {
    return items.map((item, i) => {
      this.#path[depth] = i;
      const converted = this.convert(item, depth + 1);
      return converted === undefined ? null : converted;
    });
  }

  #object(source: Record<string, unknown>, depth: number): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(source)) {
      this.#path[depth] = key;
      if (isForbiddenKey(key)) throw this.#error('is a key that is refused', depth + 1);
      const item = this.convert(source[key], depth + 1);
      if (item !== undefined) copy[key] = item;
    }
    return copy;
  }

  #map(map: Map<unknown, unknown>, depth: number): unknown {
    const named = [...map.keys()].every((key) => typeof key === 'string');
    return named
      ? this.#object(Object.fromEntries(map) as Record<string, unknown>, depth)
      : this.#list([...map], depth);
  }

  #cause(error: Error, depth: number): unknown {
    const { name, message, cause } = error;
    return this.#object({ ...error, name, message, cause }, depth);
  }

  #error(what: string, depth: number): CodecError {
    const path = formatPath(this.#path.slice(0, depth));
    return new CodecError('NotStorable', `${path === '' ? 'The value' : path} ${what}, so it can't be sent.`, path);
  }
}

function isKept(value: object): boolean {
  return value instanceof Date || Object.getPrototypeOf(value) === Uint8Array.prototype;
}
