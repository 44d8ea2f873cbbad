/**
 * Payloads at the edge: what any client in any language sends and receives, as JSON, MessagePack or text.
 *
 * Invariants
 * 1. Bytes from outside give plain values only: null, booleans, numbers, strings, lists, objects; from MessagePack also
 *    dates, bytes, and bigints beyond 2^53.
 * 2. No object ever has a key of `FORBIDDEN_KEYS`; nothing is nested deeper than 64.
 * 3. Nothing but `CodecError` comes out of here.
 */
import { Packr } from 'msgpackr';
import { unpackScanned } from './codec.ts';
import { CodecError } from './codec-error.ts';
import { parseContentType } from './headers.ts';
import { assertSafe, toJsonValue } from './json.ts';
import { CODEC_LIMITS } from './limits.ts';
import type { ContentType } from './record.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

/** A payload, read. */
export interface DecodedPayload {
  readonly value: unknown;
  /** As given, or as found when there was no header: the outcome is answered in it. */
  readonly contentType: ContentType;
}

const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  useToJSON: false,
  copyBuffers: true,
  encodeUndefinedAsNil: true,
  largeBigIntToString: true,
  // Other languages write whole numbers beyond 2^32 as 64-bit integers.
  int64AsType: 'auto' as 'number',
});

/**
 * Reads a payload. Without a content type it is JSON if it parses as JSON, else text. Throws `CodecError` with
 * `InvalidPayload` or `PayloadTooLarge`, and `InvalidHeader` for an unknown content type.
 *
 * @example decodePayload(bytes, undefined) // { value: { type: 'approve' }, contentType: 'application/json' }
 */
export function decodePayload(bytes: Uint8Array, contentTypeHeader?: string): DecodedPayload {
  if (bytes.length > CODEC_LIMITS.bytesMax) {
    throw new CodecError(
      'PayloadTooLarge',
      `The payload has ${bytes.length} bytes, at most ${CODEC_LIMITS.bytesMax} are read.`,
    );
  }
  if (contentTypeHeader === undefined) return sniff(bytes);
  const contentType = parseContentType(contentTypeHeader);
  return { value: decodeAs(bytes, contentType), contentType };
}

/**
 * Writes a payload. As text a string goes as it is and everything else as JSON. Throws `CodecError` with `NotStorable`.
 * See `toJsonValue` for what becomes of dates, maps and the like in JSON.
 */
export function encodePayload(value: unknown, contentType: ContentType = 'application/json'): Uint8Array {
  if (contentType === 'application/msgpack') return pack(value);
  if (contentType === 'text/plain' && typeof value === 'string') return encodeUtf8(value);
  return encodeUtf8(JSON.stringify(toJsonValue(value) ?? null));
}

function decodeAs(bytes: Uint8Array, contentType: ContentType): unknown {
  if (contentType === 'application/msgpack') return unpackScanned(packr, bytes, 'external');
  const text = textOf(bytes);
  if (contentType === 'text/plain') return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CodecError('InvalidPayload', `The payload is not JSON: ${(cause as Error).message}.`, '', cause);
  }
  assertSafe(value);
  return value;
}

function sniff(bytes: Uint8Array): DecodedPayload {
  const text = textOf(bytes);
  if (!mayBeJson(text)) return { value: text, contentType: 'text/plain' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { value: text, contentType: 'text/plain' };
  }
  assertSafe(value);
  return { value, contentType: 'application/json' };
}

/** Spares most texts the cost of a failed parse. */
function mayBeJson(text: string): boolean {
  let i = 0;
  let c = text.charCodeAt(0);
  while (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) c = text.charCodeAt(++i);
  return (
    c === 0x7b ||
    c === 0x5b ||
    c === 0x22 ||
    c === 0x2d ||
    (c >= 0x30 && c <= 0x39) ||
    c === 0x74 ||
    c === 0x66 ||
    c === 0x6e
  );
}

function textOf(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text === undefined)
    throw new CodecError('InvalidPayload', 'The payload is not UTF-8; give the Content-Type if it is not text.');
  return text;
}

function pack(value: unknown): Uint8Array {
  const bytes = packr.pack(toJsonValue(value, { keepBinary: true }));
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
