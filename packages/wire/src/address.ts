/**
 * The address of an actor, and the one spelling of its key as a subject token.
 *
 * Invariants
 * 1. One spelling per key: `encodeKey` is the only way to write it, and `decodeKey` refuses every other, so that one
 *    actor never has two journals.
 * 2. Only bytes that a subject forbids are escaped: control characters and space (0x00 to 0x20, 0x7F), `.`, `*`, `>`,
 *    and `=` itself, as `=XX` with upper-case hex. The server and its clients treat no other byte specially, so Unicode
 *    white space such as U+00A0 travels as it is. Keys are compared byte by byte and never normalised.
 * 3. A decoded key is well-formed Unicode of 1 to 256 bytes in UTF-8.
 */
import { RESERVED_TYPES } from './reserved.ts';
import { TroupeError } from './troupe-error.ts';
import { decodeUtf8, encodeUtf8, loneSurrogateAt, utf8Length } from './utf8.ts';

/** Which actor: the name of its definition, and which one of that kind. */
export interface ActorAddress {
  /** Matches `TYPE_PATTERN`, for example `support`. */
  readonly type: string;
  /** Any well-formed string of 1 to 256 bytes, for example `john.doe@x.org`. */
  readonly key: string;
}

/** What an actor type looks like. */
export const TYPE_PATTERN = /^[a-z][a-z0-9-]{0,62}$/;

/** Most bytes of a key in UTF-8, before escaping. */
export const KEY_BYTES_MAX = 256;

const HEX = '0123456789ABCDEF';
const EQUALS = 0x3d;

/**
 * Throws `InvalidType` unless `type` matches `TYPE_PATTERN` and is not reserved.
 */
export function assertType(type: string): void {
  if (typeof type !== 'string' || !TYPE_PATTERN.test(type)) {
    throw new TroupeError(
      'InvalidType',
      `Actor type ${quote(type)} does not match ${TYPE_PATTERN.source}: use lower-case letters, digits and hyphens.`,
      { details: { type } },
    );
  }
  if ((RESERVED_TYPES as readonly string[]).includes(type)) {
    throw new TroupeError('InvalidType', `Actor type "${type}" is reserved: choose another name.`, {
      details: { type },
    });
  }
}

/**
 * Writes a key as one subject token. Throws `InvalidKey` when the key is empty, over 256 bytes, or has a lone surrogate.
 *
 * @example encodeKey('john.doe@x.org') // 'john=2Edoe@x=2Eorg'
 */
export function encodeKey(key: string): string {
  if (typeof key !== 'string' || key.length === 0) throw invalidKey(key, 'is empty');
  if (key.length > KEY_BYTES_MAX) throw invalidKey(key, `has more than ${KEY_BYTES_MAX} bytes`);
  let token = '';
  let from = 0;
  let plain = true;
  for (let i = 0; i < key.length; i++) {
    const c = key.charCodeAt(i);
    if (isForbidden(c)) {
      token += `${key.slice(from, i)}=${HEX[c >> 4]}${HEX[c & 15]}`;
      from = i + 1;
    } else if (c >= 0x80) plain = false;
  }
  if (!plain) assertWellFormedKey(key);
  return from === 0 ? key : token + key.slice(from);
}

/**
 * Reads a key from a subject token. Throws `InvalidKey` unless the token is exactly what `encodeKey` gives (invariant 1);
 * the message and `details.expected` name the right spelling where there is one.
 *
 * @example decodeKey('john=2Edoe@x=2Eorg') // 'john.doe@x.org'
 */
export function decodeKey(token: string): string {
  if (isPlainToken(token)) return token;
  const key = undoEscapes(token);
  let expected: string;
  try {
    expected = encodeKey(key);
  } catch (cause) {
    throw new TroupeError('InvalidKey', `Key token ${quote(token)} is not a key: ${(cause as Error).message}`, {
      details: { token },
    });
  }
  if (expected === token) return key;
  throw new TroupeError(
    'InvalidKey',
    `Key token ${quote(token)} is not the one spelling of the key ${quote(key)}: write ${quote(expected)}.`,
    { details: { token, expected } },
  );
}

/** `type/key`, the form that people read. */
export function formatAddress(address: ActorAddress): string {
  return `${address.type}/${address.key}`;
}

/**
 * Reads `type/key`; the first slash splits, so a key may hold slashes. Throws `InvalidType` or `InvalidKey`.
 *
 * @example parseAddress('files/a/b') // { type: 'files', key: 'a/b' }
 */
export function parseAddress(text: string): ActorAddress {
  const slash = text.indexOf('/');
  if (slash === -1) {
    throw new TroupeError('InvalidKey', `Address ${quote(text)} has no slash: write type/key, such as support/john.`, {
      details: { address: text },
    });
  }
  return validAddress({ type: text.slice(0, slash), key: text.slice(slash + 1) });
}

/** The same address, checked. Throws `InvalidType` or `InvalidKey`. */
export function validAddress(address: ActorAddress): ActorAddress {
  assertType(address.type);
  encodeKey(address.key);
  return address;
}

/** True when both name the same actor. */
export function sameAddress(a: ActorAddress, b: ActorAddress): boolean {
  return a.type === b.type && a.key === b.key;
}

/** Invariant 2. */
function isForbidden(c: number): boolean {
  return c <= 0x20 || c === 0x7f || c === 0x2e || c === 0x2a || c === 0x3e || c === EQUALS;
}

/** ASCII without anything to escape, so the token is the key: the way nearly all keys take. */
function isPlainToken(token: string): boolean {
  if (token.length === 0 || token.length > KEY_BYTES_MAX) return false;
  for (let i = 0; i < token.length; i++) {
    const c = token.charCodeAt(i);
    if (c >= 0x80 || isForbidden(c)) return false;
  }
  return true;
}

function assertWellFormedKey(key: string): void {
  const at = loneSurrogateAt(key);
  if (at !== -1) throw invalidKey(key, `has a lone surrogate at position ${at}`);
  if (utf8Length(key) > KEY_BYTES_MAX) throw invalidKey(key, `has more than ${KEY_BYTES_MAX} bytes`);
}

/** Undoes escapes as generously as possible, so that the right spelling can be named. */
function undoEscapes(token: string): string {
  if (token.indexOf('=') === -1) return token;
  const bytes: number[] = [];
  const source = encodeUtf8(token);
  for (let i = 0; i < source.length; i++) {
    const byte = source[i]!;
    const value = byte === EQUALS ? hexPair(source[i + 1], source[i + 2]) : -1;
    bytes.push(value === -1 ? byte : value);
    if (value !== -1) i += 2;
  }
  return decodeUtf8(Uint8Array.from(bytes)) ?? token;
}

function hexPair(high: number | undefined, low: number | undefined): number {
  const h = hexDigit(high);
  const l = hexDigit(low);
  return h === -1 || l === -1 ? -1 : h * 16 + l;
}

function hexDigit(c: number | undefined): number {
  if (c === undefined) return -1;
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const upper = c & 0xdf;
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : -1;
}

function invalidKey(key: unknown, why: string): TroupeError {
  return new TroupeError('InvalidKey', `Key ${quote(key)} ${why}: a key is 1 to ${KEY_BYTES_MAX} bytes of UTF-8.`, {
    details: { key: typeof key === 'string' ? key.slice(0, KEY_BYTES_MAX) : undefined },
  });
}

/** A value as it goes into a message: quoted, escaped, bounded. */
function quote(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
