/** What a client publishes: tasks and signals as payload and headers. */

import {
  assertReplyTo,
  assertTaskId,
  formatInstant,
  HEADERS,
  headerText,
  parseDeadline,
  parseTrace,
} from './headers.ts';
import { encodePayload } from './payload.ts';
import type { ContentType, TraceContext } from './record.ts';
import { isReservedEvent } from './reserved.ts';
import { TroupeError } from './troupe-error.ts';

/** Bytes and headers, ready to publish. */
export interface WireMessage {
  readonly payload: Uint8Array;
  readonly headers: Record<string, string>;
}

/** What tasks and signals have in common. */
export interface SignalMessageOptions {
  /** `[A-Za-z0-9_-]{1,128}`; the same id is the same task for 24 h. */
  readonly taskId?: string | undefined;
  /** Instant fixed over all retries of one task id, Unix ms. */
  readonly createdAt?: number | undefined;
  /** The id is repeated no later than this after `createdAt`, ms. Default 24 h. */
  readonly rememberMs?: number | undefined;
  /** Default `application/json`. The outcome comes back in the same. */
  readonly contentType?: ContentType | undefined;
  readonly trace?: TraceContext | undefined;
}

/** Options of a task. */
export interface TaskMessageOptions extends SignalMessageOptions {
  /** Where to send the outcome: an inbox, or a subject under a prefix that the deployment allows. */
  readonly replyTo?: string | undefined;
  /** Prefixes under which `replyTo` is allowed besides inboxes. */
  readonly replyToPrefixes?: readonly string[] | undefined;
  /** `30s` or RFC 3339, or ms from acceptance; default 60 s at the actor. */
  readonly deadline?: string | number | undefined;
  /** Deliver the payload as input also when it looks like an event. */
  readonly raw?: boolean | undefined;
}

/**
 * A task. Throws `InvalidTaskId`, `InvalidReplyTo`, `InvalidHeader`, `ReservedEvent`, or `NotStorable` for a payload that
 * can't be encoded.
 *
 * @example
 * const { payload, headers } = taskMessage('My name is John', { taskId: 'hello-1', deadline: '5s' });
 */
export function taskMessage(payload: unknown, options: TaskMessageOptions = {}): WireMessage {
  const headers = commonHeaders(options);
  if (options.replyTo !== undefined) headers[HEADERS.replyTo] = assertReplyTo(options.replyTo, options.replyToPrefixes);
  if (options.deadline !== undefined) headers[HEADERS.deadline] = deadlineHeader(options.deadline);
  if (options.raw === true) headers[HEADERS.input] = 'raw';
  else refuseReserved(payload);
  return { payload: encodePayload(payload, options.contentType), headers };
}

/**
 * A signal: an event with a string `type`. Throws `InvalidTaskId`, `ReservedEvent`, `InvalidPayload` without a type, or
 * `NotStorable`.
 *
 * @example signalMessage({ type: 'approve', by: 'ann' })
 */
export function signalMessage(event: { readonly type: string }, options: SignalMessageOptions = {}): WireMessage {
  if (typeof event?.type !== 'string') {
    throw new TroupeError(
      'InvalidPayload',
      'A signal has to be an object with a string "type", such as { type: "approve" }.',
    );
  }
  refuseReserved(event);
  return { payload: encodePayload(event, options.contentType), headers: commonHeaders(options) };
}

/** JSON is the default on the other side too, so it goes without a header. */
function commonHeaders(options: SignalMessageOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  const { taskId, createdAt, rememberMs, contentType, trace } = options;
  if (taskId !== undefined) headers[HEADERS.taskId] = assertTaskId(taskId);
  if (createdAt !== undefined) headers[HEADERS.created] = formatInstant(createdAt);
  if (rememberMs !== undefined) headers[HEADERS.remember] = `${Math.ceil(rememberMs)}ms`;
  if (contentType !== undefined && contentType !== 'application/json') headers[HEADERS.contentType] = contentType;
  const valid = trace === undefined ? undefined : parseTrace(trace.traceparent, trace.tracestate);
  if (valid !== undefined) headers[HEADERS.traceparent] = valid.traceparent;
  if (valid?.tracestate !== undefined) headers[HEADERS.tracestate] = valid.tracestate;
  return headers;
}

function deadlineHeader(deadline: string | number): string {
  const text = typeof deadline === 'number' ? `${Math.max(0, Math.round(deadline))}ms` : headerText(deadline);
  parseDeadline(text);
  return text;
}

function refuseReserved(payload: unknown): void {
  const type = typeof payload === 'object' && payload !== null ? (payload as { type?: unknown }).type : undefined;
  if (typeof type !== 'string' || !isReservedEvent(type)) return;
  throw new TroupeError(
    'ReservedEvent',
    `The event type "${type.slice(0, 100)}" is made by the runtime only: choose a type that begins neither with xstate. nor with troupe.`,
  );
}
