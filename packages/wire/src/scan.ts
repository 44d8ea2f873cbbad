/**
 * Walks over MessagePack bytes before anything is built from them.
 *
 * What it owns: the promise that the decoder behind it sees only bytes whose every length fits, whose nesting and count
 * are bounded, and whose types are expected. What it doesn't: the values.
 *
 * Invariants
 * 1. Linear time, no allocation beyond the stack of at most `depthMax` calls.
 * 2. A length is compared with the bytes that remain before anything relies on it.
 * 3. Keys of objects are strings (from outside also integers), never one of `FORBIDDEN_KEYS`.
 * 4. From outside the only extension is the timestamp, so none of the decoder's own (records, pointers, errors, string
 *    bundles) can be reached; inside, only those that our encoder writes.
 * 5. It throws nothing but `CodecError`.
 */
import { CodecError } from './codec-error.ts';
import { CODEC_LIMITS } from './limits.ts';
import { TAGGED_TYPE } from './tagged.ts';

/** `external`: payloads. `value`: internal values, maps are objects. `state`: with records, maps are Maps. */
export type ScanMode = 'external' | 'value' | 'state';

const EXT_UNDEFINED = 0x00;
const EXT_BIGINT = 0x42;
const EXT_RECORD = 0x72;
const EXT_SET = 0x73;
const EXT_TYPED_ARRAY = 0x74;
const EXT_REGEXP = 0x78;
const EXT_TIMESTAMP = 0xff;

/** Extensions that may have a single byte of data: undefined, an invalid date, a small bigint, an empty array. */
const ONE_BYTE_EXTS: ReadonlySet<number> = new Set([EXT_UNDEFINED, EXT_TIMESTAMP, EXT_BIGINT, EXT_TYPED_ARRAY]);

/** Bytes behind a token of fixed size, -1 for the others. */
const SIZES = new Int8Array(256).fill(-1);
for (const token of [0xc0, 0xc2, 0xc3]) SIZES[token] = 0;
for (let token = 0xe0; token <= 0xff; token++) SIZES[token] = 0;
for (const token of [0xcc, 0xd0]) SIZES[token] = 1;
for (const token of [0xcd, 0xd1]) SIZES[token] = 2;
for (const token of [0xca, 0xce, 0xd2]) SIZES[token] = 4;
for (const token of [0xcb, 0xcf, 0xd3]) SIZES[token] = 8;

const FORBIDDEN_KEY_BYTES = ['__proto__', 'prototype', 'constructor'].map((key) =>
  Array.from(key, (character) => character.charCodeAt(0)),
);

/** Throws `CodecError` (`InvalidPayload`) unless `bytes` are exactly one value that this mode allows. */
export function scanMessagePack(bytes: Uint8Array, mode: ScanMode): void {
  const scanner = new Scanner(bytes, mode);
  scanner.value(0);
  scanner.end();
}

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #external: boolean;
  readonly #state: boolean;
  readonly #depthMax: number;
  #at = 0;
  #elements = 0;
  /** Number of keys per record id, -1 where none is defined. */
  #records: Int32Array | undefined;

  constructor(bytes: Uint8Array, mode: ScanMode) {
    this.#bytes = bytes;
    this.#external = mode === 'external';
    this.#state = mode === 'state';
    this.#depthMax = this.#external ? CODEC_LIMITS.payloadDepthMax : CODEC_LIMITS.valueDepthMax;
  }

  end(): void {
    if (this.#at !== this.#bytes.length)
      throw bad(`has ${this.#bytes.length - this.#at} bytes behind its end`, this.#at);
  }

  value(depth: number): void {
    if (++this.#elements > CODEC_LIMITS.elementsMax) throw bad(`holds more than ${CODEC_LIMITS.elementsMax} values`);
    const token = this.#byte();
    if (token < 0x80) this.#fixint(token, depth);
    else if (token < 0x90) this.#map(token & 0x0f, depth);
    else if (token < 0xa0) this.#array(token & 0x0f, depth);
    else if (token < 0xc0) this.#skip(token & 0x1f);
    else if (SIZES[token]! >= 0) this.#skip(SIZES[token]!);
    else this.#sized(token, depth);
  }

  /** What begins with a length. */
  #sized(token: number, depth: number): void {
    if (token === 0xc4 || token === 0xd9) this.#skip(this.#byte());
    else if (token === 0xc5 || token === 0xda) this.#skip(this.#uint16());
    else if (token === 0xc6 || token === 0xdb) this.#skip(this.#uint32());
    else if (token === 0xdc) this.#array(this.#uint16(), depth);
    else if (token === 0xdd) this.#array(this.#uint32(), depth);
    else if (token === 0xde) this.#map(this.#uint16(), depth);
    else if (token === 0xdf) this.#map(this.#uint32(), depth);
    else this.#extension(token, depth);
  }

  #extension(token: number, depth: number): void {
    if (token === 0xd4) this.#fixext1(depth);
    else if (token >= 0xd5 && token <= 0xd8) this.#ext(1 << (token - 0xd4));
    else if (token === 0xc7) this.#ext(this.#byte());
    else if (token === 0xc8) this.#ext(this.#uint16());
    else if (token === 0xc9) this.#ext(this.#uint32());
    else throw bad(`holds the unused token 0x${token.toString(16)}`, this.#at);
  }

  /** A small integer, or a record when its id is defined. */
  #fixint(token: number, depth: number): void {
    if (token < 0x40 || this.#records === undefined) return;
    const keys = this.#records[token & 0x3f]!;
    if (keys >= 0) this.#values(keys, depth + 1);
  }

  #values(count: number, depth: number): void {
    if (depth > this.#depthMax) throw bad(`is nested deeper than ${this.#depthMax}`, this.#at);
    for (let i = 0; i < count; i++) this.value(depth);
  }

  #array(count: number, depth: number): void {
    this.#room(count);
    this.#values(count, depth + 1);
  }

  #map(count: number, depth: number): void {
    this.#room(count * 2);
    if (this.#state) {
      this.#values(count * 2, depth + 1);
      return;
    }
    if (depth >= this.#depthMax) throw bad(`is nested deeper than ${this.#depthMax}`, this.#at);
    for (let i = 0; i < count; i++) {
      this.#key();
      this.value(depth + 1);
    }
  }

  /** Invariant 3. */
  #key(): void {
    const token = this.#byte();
    if (token >= 0xa0 && token < 0xc0) this.#keyText(token & 0x1f);
    else if (token === 0xd9) this.#keyText(this.#byte());
    else if (token === 0xda) this.#keyText(this.#uint16());
    else if (token === 0xdb) this.#keyText(this.#uint32());
    else if (this.#external && isInteger(token)) this.#skip(Math.max(0, SIZES[token]!));
    else throw bad('has a key that is not a string', this.#at);
  }

  #keyText(length: number): void {
    const from = this.#at;
    this.#skip(length);
    if (length !== 9 && length !== 11) return;
    for (const key of FORBIDDEN_KEY_BYTES) {
      if (key.length === length && key.every((byte, i) => byte === this.#bytes[from + i])) {
        throw bad(`has the key "${String.fromCharCode(...key)}", which is refused`, from);
      }
    }
  }

  #fixext1(depth: number): void {
    const type = this.#byte();
    if (this.#external) throw bad(`holds the extension type ${type}, and only timestamps are allowed`, this.#at);
    if (type === EXT_RECORD && this.#state) {
      this.#record(depth);
      return;
    }
    this.#skip(1);
    if (type === TAGGED_TYPE || type === EXT_SET || type === EXT_REGEXP) this.#values(1, depth + 1);
    else if (!ONE_BYTE_EXTS.has(type)) throw bad(`holds the unknown extension type ${type}`, this.#at);
  }

  /** The definition of a record: its id, the array of its keys, the values of the first one. */
  #record(depth: number): void {
    const id = this.#byte() & 0x3f;
    const token = this.#byte();
    let keys: number;
    if (token >= 0x90 && token < 0xa0) keys = token & 0x0f;
    else if (token === 0xdc) keys = this.#uint16();
    else if (token === 0xdd) keys = this.#uint32();
    else throw bad('defines a record without keys', this.#at);
    this.#room(keys);
    for (let i = 0; i < keys; i++) this.#key();
    this.#records ??= new Int32Array(64).fill(-1);
    this.#records[id] = keys;
    this.#values(keys, depth + 1);
  }

  /** Invariant 4. */
  #ext(length: number): void {
    const type = this.#byte();
    this.#skip(length);
    if (type === EXT_TIMESTAMP && (length === 4 || length === 8 || length === 12)) return;
    if (!this.#external && length > 0 && (type === EXT_BIGINT || type === EXT_TYPED_ARRAY)) return;
    throw bad(`holds the extension type ${type} of ${length} bytes, which is not allowed`, this.#at);
  }

  /** Invariant 2. */
  #room(count: number): void {
    if (count > this.#bytes.length - this.#at) throw bad('ends in the middle of a value', this.#at);
  }

  #skip(length: number): void {
    this.#room(length);
    this.#at += length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw bad('ends in the middle of a value', this.#bytes.length);
    return byte;
  }

  #uint16(): number {
    const high = this.#byte();
    return (high << 8) | this.#byte();
  }

  #uint32(): number {
    const high = this.#uint16();
    return high * 0x10000 + this.#uint16();
  }
}

function isInteger(token: number): boolean {
  return token < 0x80 || token >= 0xe0 || (token >= 0xcc && token <= 0xcf) || (token >= 0xd0 && token <= 0xd3);
}

function bad(what: string, at?: number): CodecError {
  const where = at === undefined ? '' : ` (byte ${at})`;
  return new CodecError('InvalidPayload', `The MessagePack ${what}${where}.`);
}
