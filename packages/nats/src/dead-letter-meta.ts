/**
 * What a dead letter says beside its payload, as headers. Bounded, so that every accepted entry fits with its reason: the
 * journal takes messages up to 16 KiB below the server's limit.
 */
import type { DeadLetter } from '@troupe/runtime';
import { decodeValue, encodeValue, headerText } from '@troupe/wire';

export interface LetterMeta {
  readonly at: number;
  readonly code: string;
  readonly message: string;
  readonly verb: string;
  readonly subject: string;
  readonly headers: Record<string, string>;
  readonly details: unknown;
}

const NAMES = {
  code: 'Troupe-Dead-Code',
  message: 'Troupe-Dead-Message',
  at: 'Troupe-Dead-At',
  verb: 'Troupe-Dead-Verb',
  subject: 'Troupe-Dead-Subject',
  headers: 'Troupe-Dead-Headers',
  details: 'Troupe-Dead-Details',
} as const;

const MESSAGE_LENGTH_MAX = 1_024;
const SUBJECT_LENGTH_MAX = 2_048;
/** Base64 of the original headers; those that don't fit are left out, the longest first, in one pass: they may be ten thousand. */
const HEADERS_LENGTH_MAX = 6 * 1_024;
/** Base64 of the details; longer ones are left out. */
const DETAILS_LENGTH_MAX = 4 * 1_024;

/** Headers, valid as they are. */
export function encodeMeta(letter: DeadLetter): Record<string, string> {
  const details = letter.details === undefined ? undefined : boundedBase64(letter.details, DETAILS_LENGTH_MAX);
  return {
    [NAMES.code]: headerText(letter.code, 128),
    [NAMES.message]: headerText(letter.message, MESSAGE_LENGTH_MAX),
    [NAMES.at]: String(letter.at),
    [NAMES.verb]: letter.verb,
    [NAMES.subject]: headerText(letter.subject, SUBJECT_LENGTH_MAX),
    [NAMES.headers]: encodeHeaders(letter.headers),
    ...(details !== undefined && { [NAMES.details]: details }),
  };
}

export function decodeMeta(header: (name: string) => string | undefined): LetterMeta {
  const details = header(NAMES.details);
  return {
    code: header(NAMES.code) ?? '',
    message: header(NAMES.message) ?? '',
    at: Number(header(NAMES.at) ?? 0),
    verb: header(NAMES.verb) ?? 'task',
    subject: header(NAMES.subject) ?? '',
    headers: decodeHeaders(header(NAMES.headers)),
    details: details === undefined ? undefined : decodeValue(Buffer.from(details, 'base64')),
  };
}

function encodeHeaders(headers: Record<string, string>): string {
  let left = HEADERS_LENGTH_MAX - 16;
  const fitting = Object.entries(headers)
    .sort(([a, x], [b, y]) => lengthOf(a, x) - lengthOf(b, y))
    .filter(([name, value]) => {
      left -= lengthOf(name, value);
      return left >= 0;
    });
  return Buffer.from(encodeValue(fitting)).toString('base64');
}

/** At least what a pair adds to the encoded list: four thirds of its UTF-8 bytes and of seven for the two lengths. */
function lengthOf(name: string, value: string): number {
  return Math.ceil(((Buffer.byteLength(name) + Buffer.byteLength(value) + 7) * 4) / 3);
}

function decodeHeaders(encoded: string | undefined): Record<string, string> {
  if (encoded === undefined) return {};
  return Object.fromEntries(decodeValue(Buffer.from(encoded, 'base64')) as [string, string][]);
}

function boundedBase64(value: unknown, lengthMax: number): string | undefined {
  try {
    const encoded = Buffer.from(encodeValue(value)).toString('base64');
    return encoded.length <= lengthMax ? encoded : undefined;
  } catch {
    return undefined;
  }
}
