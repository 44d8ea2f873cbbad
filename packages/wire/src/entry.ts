/**
 * A stored message becomes a journal entry.
 *
 * Invariants
 * 1. Never throws: what can't be read becomes an `invalid` body with the reason, and every reader takes the same decision
 *    about it, because the decision depends on the message and the options only.
 * 2. Nothing on `task` or `signal` is taken for one of ours: effect ids, senders, chains and versions are read on the
 *    event subject only, whatever headers a client sends.
 * 3. A refused message still says where its refusal may be sent, if that address is valid.
 */
import { assertType, decodeKey, formatAddress } from './address.ts';
import { CodecError } from './codec-error.ts';
import { toFailureRecord } from './failure.ts';
import { hash53 } from './hash.ts';
import {
  assertReplyTo,
  assertTaskId,
  HEADERS,
  parseContentType,
  parseCreated,
  parseDeadline,
  parseRemember,
  parseTrace,
} from './headers.ts';
import { decodePayload } from './payload.ts';
import type {
  ContentType,
  EntryBody,
  InvalidBody,
  JournalEntry,
  SignalBody,
  StoredMessage,
  TaskBody,
  TraceContext,
} from './record.ts';
import { decodeInternal } from './record-codec.ts';
import { isReservedEvent } from './reserved.ts';
import { TroupeError } from './troupe-error.ts';

/** What decoding depends on; the same for every worker of a deployment. */
export interface DecodeEntryOptions {
  /** Subjects to which outcomes may be sent besides inboxes, as prefixes; default none. */
  readonly replyToPrefixes?: readonly string[];
  /** Largest payload of a task or signal, bytes; default 1 MiB. */
  readonly payloadBytesMax?: number;
}

/** Default of `payloadBytesMax`. */
export const PAYLOAD_BYTES_MAX_DEFAULT = 1_048_576;

const NO_OPTIONS: DecodeEntryOptions = {};

/**
 * The entry of a stored message. Never throws.
 *
 * @example decodeEntry(message).body.kind // 'task', 'outcome', … or 'invalid'
 */
export function decodeEntry(message: StoredMessage, options: DecodeEntryOptions = NO_OPTIONS): JournalEntry {
  let body: EntryBody;
  try {
    assertStoredAddress(message);
    body = message.verb === 'event' ? decodeInternal(message.payload) : decodeExternal(message, options);
  } catch (error) {
    body = invalidBody(message, error, options);
  }
  return { seq: message.seq, at: message.at, body };
}

function decodeExternal(message: StoredMessage, options: DecodeEntryOptions): TaskBody | SignalBody {
  const bytes = message.payload;
  const bytesMax = options.payloadBytesMax ?? PAYLOAD_BYTES_MAX_DEFAULT;
  if (bytes.length > bytesMax) {
    throw new CodecError('PayloadTooLarge', `The payload has ${bytes.length} bytes, the limit is ${bytesMax}.`);
  }
  const taskId = message.header(HEADERS.taskId);
  if (taskId !== undefined) assertTaskId(taskId);
  const { value, contentType } = decodePayload(bytes, message.header(HEADERS.contentType));
  const verb = message.verb === 'task' ? 'task' : 'signal';
  const isTask = verb === 'task';
  const raw = isTask && readRaw(message.header(HEADERS.input));
  if (!raw) assertEvent(value, isTask);
  const body: Mutable<SignalBody> = {
    kind: 'signal',
    payloadHash: taskId === undefined ? 0 : payloadHash(verb, contentType, raw, bytes),
    payload: value,
    raw,
    contentType,
  };
  if (taskId !== undefined) body.taskId = taskId;
  const created = message.header(HEADERS.created);
  if (created !== undefined) body.createdAt = parseCreated(created);
  const remember = message.header(HEADERS.remember);
  if (remember !== undefined) body.rememberMs = parseRemember(remember);
  const trace = parseTraceOf(message);
  if (trace !== undefined) body.trace = trace;
  return isTask ? asTask(body, message, options) : body;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function asTask(body: Mutable<SignalBody>, message: StoredMessage, options: DecodeEntryOptions): TaskBody {
  const task = body as unknown as Mutable<TaskBody>;
  task.kind = 'task';
  const replyTo = message.header(HEADERS.replyTo);
  if (replyTo !== undefined) {
    if (isReplyTo(replyTo, options)) task.replyTo = replyTo;
    else task.invalidReplyTo = replyTo.slice(0, 256);
  }
  const deadline = message.header(HEADERS.deadline);
  if (deadline !== undefined) task.deadline = parseDeadline(deadline);
  return task;
}

/**
 * The number by which a task id is held to its payload: 53 bits over verb, content type, raw flag and bytes. Never 0,
 * which stands for "no id".
 */
export function payloadHash(
  verb: 'task' | 'signal',
  contentType: ContentType,
  raw: boolean,
  bytes: Uint8Array,
): number {
  return hash53(bytes, HASH_SEEDS[`${verb} ${contentType} ${raw}`]) || 1;
}

const HASH_SEEDS: Readonly<Record<string, number>> = Object.fromEntries(
  ['task', 'signal'].flatMap((verb) =>
    ['application/json', 'application/msgpack', 'text/plain'].flatMap((type) =>
      [true, false].map((raw) => [`${verb} ${type} ${raw}`, hash53(`${verb} ${type} ${raw}`) | 0] as const),
    ),
  ),
);

function assertStoredAddress(message: StoredMessage): void {
  assertType(message.type);
  decodeKey(message.keyToken);
}

/** A signal has to be an event, a task may be; in neither may the type be one of ours. */
function assertEvent(value: unknown, isTask: boolean): void {
  const type = typeof value === 'object' && value !== null ? (value as { type?: unknown }).type : undefined;
  if (typeof type === 'string' && !Array.isArray(value)) {
    if (!isReservedEvent(type)) return;
    throw new TroupeError(
      'ReservedEvent',
      `The event type "${type.slice(0, 100)}" is made by the runtime only: choose a type that begins neither with xstate. nor with troupe.`,
      {
        details: { type: type.slice(0, 100) },
      },
    );
  }
  if (!isTask) throw new CodecError('InvalidPayload', 'A signal has to be an object with a string "type".');
}

function readRaw(header: string | undefined): boolean {
  if (header === undefined) return false;
  if (header === 'raw') return true;
  throw new TroupeError(
    'InvalidHeader',
    `Header ${HEADERS.input} is ${JSON.stringify(header.slice(0, 100))}: the only value is raw.`,
  );
}

function parseTraceOf(message: StoredMessage): TraceContext | undefined {
  const traceparent = message.header(HEADERS.traceparent);
  return traceparent === undefined ? undefined : parseTrace(traceparent, message.header(HEADERS.tracestate));
}

function isReplyTo(replyTo: string, options: DecodeEntryOptions): boolean {
  try {
    assertReplyTo(replyTo, options.replyToPrefixes);
    return true;
  } catch {
    return false;
  }
}

/** Invariants 1 and 3. */
function invalidBody(message: StoredMessage, error: unknown, options: DecodeEntryOptions): InvalidBody {
  const external = message.verb !== 'event';
  const taskId = external ? attempt(() => assertTaskId(message.header(HEADERS.taskId) ?? '')) : undefined;
  const replyTo = message.verb === 'task' ? message.header(HEADERS.replyTo) : undefined;
  const contentType = external ? attempt(() => parseContentType(message.header(HEADERS.contentType) ?? '')) : undefined;
  const actor = attempt(() => formatAddress({ type: message.type, key: decodeKey(message.keyToken) }));
  return {
    kind: 'invalid',
    verb: message.verb,
    error: toFailureRecord(error, {
      ...(actor === undefined ? {} : { actor }),
      ...(taskId === undefined ? {} : { taskId }),
    }),
    ...(taskId === undefined ? {} : { taskId }),
    ...(replyTo !== undefined && isReplyTo(replyTo, options) ? { replyTo } : {}),
    contentType: contentType ?? 'application/json',
  };
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
