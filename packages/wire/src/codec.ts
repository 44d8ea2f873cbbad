/**
 * Bytes in, value out, for everything that Troupe itself stores: MessagePack by msgpackr, behind a check on both sides.
 * What comes from outside goes through `payload.ts`.
 *
 * Invariants
 * 1. Encoding writes exactly what decoding gives back (see `storable.ts` for the types), or throws `NotStorable`.
 * 2. Equal values give equal bytes, whatever was encoded before: states are compared by the hash of their bytes.
 * 3. No bytes reach msgpackr unscanned, and nothing but `CodecError` comes out of here.
 */
import { Packr } from 'msgpackr';
import { CodecError } from './codec-error.ts';
import { CODEC_LIMITS } from './limits.ts';
import { type ScanMode, scanMessagePack } from './scan.ts';
import { toStorable } from './storable.ts';

const values = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  moreTypes: true,
  useToJSON: false,
  copyBuffers: true,
});

/** Objects as records, whose keys are written once per blob. */
const states = new Packr({ mapsAsObjects: false, moreTypes: true, useToJSON: false, copyBuffers: true });

/**
 * A value of our own as bytes: journal records, checkpoints, messages between workers. Throws `CodecError`:
 * `NotStorable` with the path, or `PayloadTooLarge`.
 *
 * @example decodeValue(encodeValue({ at: new Date(0), n: 1n, none: undefined }))
 */
export function encodeValue(value: unknown): Uint8Array {
  return encodeWith(values, toStorable(value, { nativeMaps: false }));
}

/** The value of `encodeValue`'s bytes. Throws `CodecError` with `InvalidPayload`. The bytes aren't kept. */
export function decodeValue(bytes: Uint8Array): unknown {
  return decodeWith(values, bytes, 'value');
}

/**
 * A state as bytes: like `encodeValue`, but the keys of like objects are written once per blob, so that a list of
 * messages takes little more than its texts. Each blob can be read by itself.
 */
export function encodeState(state: unknown): Uint8Array {
  return encodeWith(states, toStorable(state, { nativeMaps: true }));
}

/** The state of `encodeState`'s bytes. Throws `CodecError` with `InvalidPayload`. The bytes aren't kept. */
export function decodeState(bytes: Uint8Array): unknown {
  return decodeWith(states, bytes, 'state');
}

function encodeWith(packr: Packr, value: unknown): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = packr.pack(value);
  } catch (cause) {
    throw new CodecError('NotStorable', `The value can't be encoded: ${textOf(cause)}.`, '', cause);
  }
  if (bytes.length > CODEC_LIMITS.bytesMax) throw tooLarge(bytes.length);
  // msgpackr hands out Buffers where there are any; ours are plain everywhere.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function decodeWith(packr: Packr, bytes: Uint8Array, mode: ScanMode): unknown {
  return unpackScanned(packr, bytes, mode);
}

/** Invariant 3; shared with `payload.ts`. */
export function unpackScanned(packr: Packr, bytes: Uint8Array, mode: ScanMode): unknown {
  if (bytes.length > CODEC_LIMITS.bytesMax) throw tooLarge(bytes.length);
  scanMessagePack(bytes, mode);
  try {
    // A view of our own: msgpackr hangs a property on what it reads, and a Buffer would give Buffers.
    return packr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (cause) {
    if (cause instanceof CodecError) throw cause;
    throw new CodecError('InvalidPayload', `The MessagePack can't be read: ${textOf(cause)}.`, '', cause);
  }
}

function tooLarge(size: number): CodecError {
  return new CodecError(
    'PayloadTooLarge',
    `The value takes ${size} bytes, at most ${CODEC_LIMITS.bytesMax} are allowed.`,
  );
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 200) : 'unknown reason';
}
