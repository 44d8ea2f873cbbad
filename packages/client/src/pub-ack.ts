/** What the stream says to a publish: stored at a sequence, or refused and why. */
import { TroupeError } from '@troupe/wire';
import { statusOf } from './header-block.ts';

/** A PubAck, read. */
export type PubAck =
  | { readonly kind: 'stored'; readonly seq: number }
  /** No stream captures the subject, or its leader is being elected. */
  | { readonly kind: 'nobody' }
  /** For now: the same publish can succeed soon. */
  | { readonly kind: 'unavailable'; readonly error: TroupeError }
  /** For good. */
  | { readonly kind: 'refused'; readonly error: TroupeError };

/** Bytes of `{"stream"`: how the server begins every acceptance, and no refusal. */
const STORED_START = [...'{"stream"'].map((character) => character.charCodeAt(0));
/** Bytes of `"seq":`. */
const SEQ_FIELD = [...'"seq":'].map((character) => character.charCodeAt(0));

/** `err_code` of the JetStream API, where it decides. */
const SERVER_CODES = {
  temporarilyUnavailable: 10_008,
  insufficientResources: 10_023,
  noSpace: 10_047,
  messageTooLarge: 10_054,
  storeFailed: 10_077,
  streamOffline: 10_118,
} as const;

/** Reads a PubAck. Never throws. */
export function readPubAck(headers: string, payload: Uint8Array): PubAck {
  if (payload.length === 0) return headers !== '' && statusOf(headers) === 503 ? { kind: 'nobody' } : unreadable('');
  const seq = storedSeq(payload);
  return seq > 0 ? { kind: 'stored', seq } : readSlowly(payload);
}

/** The sequence, for the form that the server writes, in a few dozen steps and without a string; else 0. */
function storedSeq(payload: Uint8Array): number {
  for (let i = 0; i < STORED_START.length; i++) if (payload[i] !== STORED_START[i]) return 0;
  for (let i = STORED_START.length; i < payload.length; i++) {
    if (payload[i] !== 0x22 || !startsAt(payload, i, SEQ_FIELD)) continue;
    let at = i + SEQ_FIELD.length;
    if (payload[at] === 0x20) at++;
    let seq = 0;
    for (let digit = payload[at]!; digit >= 0x30 && digit <= 0x39; digit = payload[++at]!)
      seq = seq * 10 + (digit - 0x30);
    return seq;
  }
  return 0;
}

function startsAt(bytes: Uint8Array, at: number, wanted: readonly number[]): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

interface Answer {
  readonly seq?: unknown;
  readonly error?: { readonly err_code?: number; readonly code?: number; readonly description?: string };
}

function readSlowly(payload: Uint8Array): PubAck {
  const text = new TextDecoder().decode(payload);
  let answer: Answer | null;
  try {
    answer = JSON.parse(text) as Answer | null;
  } catch {
    return unreadable(text);
  }
  if (answer?.error !== undefined) return refusal(answer.error);
  return typeof answer?.seq === 'number' && answer.seq > 0 ? { kind: 'stored', seq: answer.seq } : unreadable(text);
}

function refusal({ err_code: code = 0, description = 'no reason given' }: NonNullable<Answer['error']>): PubAck {
  const details = { errCode: code, description };
  switch (code) {
    case SERVER_CODES.messageTooLarge:
      return refused(
        'PayloadTooLarge',
        `The journal takes no message of this size (${description}): send less.`,
        details,
      );
    case SERVER_CODES.storeFailed:
    case SERVER_CODES.noSpace:
    case SERVER_CODES.insufficientResources:
      return refused(
        'StreamFull',
        `The journal has no room (${description}), nothing was accepted: wait for the purge or raise the stream's limit.`,
        details,
      );
    case SERVER_CODES.temporarilyUnavailable:
    case SERVER_CODES.streamOffline:
      return { kind: 'unavailable', error: notAccepted(description, details) };
    default:
      return { kind: 'refused', error: notAccepted(description, details) };
  }
}

function refused(code: 'PayloadTooLarge' | 'StreamFull', message: string, details: unknown): PubAck {
  return { kind: 'refused', error: new TroupeError(code, message, { details }) };
}

function notAccepted(description: string, details: unknown): TroupeError {
  return new TroupeError('NotAccepted', `JetStream did not store the message: ${description}.`, { details });
}

function unreadable(text: string): PubAck {
  return {
    kind: 'refused',
    error: notAccepted(`its answer can't be read: ${JSON.stringify(text.slice(0, 200))}`, undefined),
  };
}
