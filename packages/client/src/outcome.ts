/** Outcomes as they come: as the reply to a task, or as the answer to the question for one. */
import { type ContentType, decodePayload, encodePayload, HEADERS, TroupeError } from '@troupe/wire';
import { type About, clientError } from './errors.ts';
import { findHeader } from './header-block.ts';
import { readReply } from './reply.ts';

/** How a task ended. */
export type TaskOutcome<TOutput = unknown> =
  | { readonly ok: true; readonly value: TOutput }
  | { readonly ok: false; readonly error: TroupeError };

/** What the actor knows of a task: under way, never heard of, or how it ended. */
export type OutcomeView<TOutput = unknown> =
  | { readonly status: 'pending' }
  | { readonly status: 'unknown' }
  | ({ readonly status: 'ended' } & TaskOutcome<TOutput>);

/** Reads an outcome message. Never throws. */
export function readOutcome(headers: string, payload: Uint8Array, about: About): TaskOutcome {
  const status = findHeader(headers, HEADERS.errorCode);
  if (status !== undefined) return readReply(headers, payload, about) as { ok: false; error: TroupeError };
  try {
    return { ok: true, value: decodePayload(payload, findHeader(headers, HEADERS.contentType)).value };
  } catch (cause) {
    return { ok: false, error: unreadable(about, cause) };
  }
}

/** What asking for an outcome gave. `open`: go on waiting. */
export type PolledOutcome =
  | { readonly kind: 'open' }
  | { readonly kind: 'ended'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: TroupeError };

/**
 * Reads the answer to `query outcome`. The value is what the outcome message would have carried in the content type of the
 * task, so that callers see the same whichever way it came. Only `OutcomeExpired` is final among the refusals: the others
 * say that nobody could answer now.
 */
export function readPolledOutcome(
  headers: string,
  payload: Uint8Array,
  contentType: ContentType,
  about: About,
): PolledOutcome {
  const reply = readReply(headers, payload, about);
  if (!reply.ok)
    return reply.error.code === 'OutcomeExpired' ? { kind: 'failed', error: reply.error } : { kind: 'open' };
  const view = toOutcomeView(reply.value, about);
  if (view.status !== 'ended') return { kind: 'open' };
  if (!view.ok) return { kind: 'failed', error: view.error };
  return { kind: 'ended', value: asSent(view.value, contentType) };
}

/** The answer to `query outcome`, with errors that can be thrown. Anything unreadable is unknown. */
export function toOutcomeView(answer: unknown, about: About): OutcomeView {
  const { status, ok, value, error } = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<
    string,
    unknown
  >;
  if (status === 'pending') return { status };
  if (status !== 'ended') return { status: 'unknown' };
  return ok === true ? { status, ok, value } : { status, ok: false, error: failureOf(error, about) };
}

function failureOf(error: unknown, about: About): TroupeError {
  const { code, message, details } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  if (typeof code !== 'string' || typeof message !== 'string') return unreadable(about, undefined);
  const said = clientError(code, message, about);
  return new TroupeError(code, message, { actor: said.actor, taskId: said.taskId, details });
}

function asSent(value: unknown, contentType: ContentType): unknown {
  return decodePayload(encodePayload(value, contentType), contentType).value;
}

function unreadable(about: About, cause: unknown): TroupeError {
  return clientError(
    'Internal',
    'The task ended, but its outcome can not be read: see the history of the actor.',
    about,
    cause,
  );
}
