/** Answers of services: a value, or an error in the way NATS services say it. */
import { decodePayload, decodeValue, HEADERS, type TroupeError } from '@troupe/wire';
import { type About, clientError, serviceError } from './errors.ts';
import { findHeader, statusOf } from './header-block.ts';

/** An answer, read. */
export type Reply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: TroupeError };

/** Asks for answers that keep dates, maps and bigints: our own encoding of values instead of JSON. */
export const ACCEPT_MSGPACK = 'NATS/1.0\r\nAccept: application/msgpack\r\n';

/** Reads an answer. Never throws: what can't be read is an `Internal` error. */
export function readReply(headers: string, payload: Uint8Array, about: About): Reply {
  if (headers !== '' && payload.length === 0 && statusOf(headers) === 503)
    return { ok: false, error: nobodyError(about) };
  const status = findHeader(headers, HEADERS.errorCode);
  const body = readBody(headers, payload, about, status !== undefined);
  if (status === undefined) return body;
  const text = findHeader(headers, HEADERS.errorText);
  return { ok: false, error: serviceError(body.ok ? body.value : undefined, status, text, about) };
}

/** Errors travel as payloads, values of queries in our own encoding. */
function readBody(headers: string, payload: Uint8Array, about: About, isError: boolean): Reply {
  const contentType = findHeader(headers, HEADERS.contentType);
  try {
    const isValue = contentType === 'application/msgpack' && !isError;
    return { ok: true, value: isValue ? decodeValue(payload) : decodePayload(payload, contentType).value };
  } catch (cause) {
    return {
      ok: false,
      error: clientError('Internal', `The answer can't be read: ${(cause as Error).message}`, about, cause),
    };
  }
}

function nobodyError(about: About): TroupeError {
  return clientError(
    'NoOwner',
    'No worker answers: check that one runs and has this actor type (troupe doctor).',
    about,
  );
}
