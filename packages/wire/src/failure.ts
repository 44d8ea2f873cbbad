/**
 * Failures as data: what an error looks like in a journal, in a state and on the wire. `toFailureRecord` takes anything
 * that was thrown and gives bounded plain data; `fromFailureRecord` makes a `TroupeError` of it again.
 *
 * Invariants
 * 1. A record is plain, storable and bounded whatever was thrown: message 4 KiB, details 8 KiB, eight causes deep.
 * 2. Making one never throws, also when getters of the thrown value do.
 * 3. A stack is kept only when asked for: it differs between machines, and records are part of hashed states.
 */
import { boundedPlain } from './bounded.ts';
import { codeInfo } from './codes.ts';
import { type AnyCode, isTroupeError, TroupeError } from './troupe-error.ts';
import { truncateUtf8 } from './utf8.ts';

/** An error as plain data. */
export interface FailureRecord {
  /** A code of `docs/reference/errors.md`, or one given to `fail()`. */
  readonly code: string;
  /** What happened, what was seen, what to do. At most 4 KiB. */
  readonly message: string;
  /** `type/key` of the actor concerned. */
  readonly actor?: string;
  readonly taskId?: string;
  /** Whether the same thing, sent again, can end otherwise. */
  readonly retryable: boolean;
  /** Plain data for programs; at most 8 KiB. */
  readonly details?: unknown;
  readonly cause?: FailureRecord;
  /** Class name of the original error when it wasn't a `TroupeError`, for example `TypeError`. */
  readonly name?: string;
  /** Only when asked for. */
  readonly stack?: string;
}

/** Bounds of a record, bytes of UTF-8 and count. */
export const FAILURE_LIMITS = {
  messageBytesMax: 4_096,
  detailsBytesMax: 8_192,
  causeDepthMax: 8,
  nameLengthMax: 128,
  codeLengthMax: 128,
  stackBytesMax: 8_192,
} as const;

/** What the caller of `toFailureRecord` knows. */
export interface FailureContext {
  /** Code for what has none of its own; default `Internal`. */
  readonly code?: AnyCode;
  /** `type/key`, where the error doesn't name an actor itself. */
  readonly actor?: string;
  readonly taskId?: string;
  /** Keep the stack, for logs and support; default false (invariant 3). */
  readonly stack?: boolean;
}

/**
 * Anything that was thrown, as a bounded record. Never throws. A `TroupeError` keeps its code; everything else gets
 * `context.code` and keeps its class name.
 *
 * @example toFailureRecord(new TypeError('x is not a function'), { code: 'EffectFailed', actor: 'support/john' })
 */
export function toFailureRecord(thrown: unknown, context: FailureContext = {}): FailureRecord {
  try {
    return convert(thrown, context, 0);
  } catch {
    return failure(context.code ?? 'Internal', 'Something was thrown that can not be read.');
  }
}

/** The record as an error that can be thrown; its causes likewise. */
export function fromFailureRecord(record: FailureRecord): TroupeError {
  const error = new TroupeError(record.code, record.message, {
    actor: record.actor,
    taskId: record.taskId,
    retryable: record.retryable,
    details: record.details,
    cause: record.cause === undefined ? undefined : fromFailureRecord(record.cause),
  });
  if (record.name !== undefined) error.name = record.name;
  return error;
}

/** A record made directly, without an error in between; bounded like the others. */
export function failure(
  code: AnyCode,
  message: string,
  more: Pick<FailureRecord, 'actor' | 'taskId' | 'details'> = {},
): FailureRecord {
  return build({ code, message, retryable: codeInfo(code)?.retryable ?? false, ...more });
}

/**
 * True when `value` has the form of a record: the guard for what came over the wire.
 */
export function isFailureRecord(value: unknown): value is FailureRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Partial<FailureRecord>;
  return typeof record.code === 'string' && typeof record.message === 'string' && typeof record.retryable === 'boolean';
}

function convert(thrown: unknown, context: FailureContext, depth: number): FailureRecord {
  const known = isTroupeError(thrown);
  const code = known ? thrown.code : (context.code ?? 'Internal');
  const name = known ? thrown.name : nameOf(thrown);
  return build({
    code,
    message: messageOf(thrown),
    retryable: known ? thrown.retryable === true : (codeInfo(code)?.retryable ?? false),
    actor: (known ? thrown.actor : undefined) ?? context.actor,
    taskId: (known ? thrown.taskId : undefined) ?? context.taskId,
    details: known ? thrown.details : undefined,
    cause: causeOf(thrown, context, depth),
    name: name === 'TroupeError' ? undefined : name,
    stack: context.stack === true ? textOf(() => (thrown as Error).stack) : undefined,
  });
}

/** Invariant 1. Leaves out what is undefined, so that equal failures encode equally. */
function build(parts: { [K in keyof FailureRecord]: FailureRecord[K] | undefined }): FailureRecord {
  const record: Record<string, unknown> = {
    code: String(parts.code).slice(0, FAILURE_LIMITS.codeLengthMax),
    message: bounded(parts.message ?? '', FAILURE_LIMITS.messageBytesMax),
  };
  if (typeof parts.actor === 'string') record.actor = parts.actor;
  if (typeof parts.taskId === 'string') record.taskId = parts.taskId;
  record.retryable = parts.retryable === true;
  if (parts.details !== undefined) record.details = boundedPlain(parts.details, FAILURE_LIMITS.detailsBytesMax);
  if (parts.cause !== undefined) record.cause = parts.cause;
  if (parts.name !== undefined) record.name = parts.name.slice(0, FAILURE_LIMITS.nameLengthMax);
  if (parts.stack !== undefined) record.stack = bounded(parts.stack, FAILURE_LIMITS.stackBytesMax);
  return record as unknown as FailureRecord;
}

function bounded(text: string, bytesMax: number): string {
  const whole = truncateUtf8(text, bytesMax);
  return whole.length === text.length ? whole : `${truncateUtf8(text, bytesMax - 3)}…`;
}

function messageOf(thrown: unknown): string {
  if (typeof thrown === 'function') return `the function ${thrown.name || '(anonymous)'}`;
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  const text = textOf(() => (thrown as Error).message);
  return text ?? JSON.stringify(boundedPlain(thrown, 1_024));
}

/** The class name of an error; undefined for what isn't one. */
function nameOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  return textOf(() => (thrown as Error).name);
}

function causeOf(thrown: unknown, context: FailureContext, depth: number): FailureRecord | undefined {
  if (depth >= FAILURE_LIMITS.causeDepthMax || typeof thrown !== 'object' || thrown === null) return undefined;
  let cause: unknown;
  try {
    cause = (thrown as Error).cause;
  } catch {
    return undefined;
  }
  if (cause === undefined || cause === null) return undefined;
  const { stack } = context;
  return convert(cause, stack === undefined ? {} : { stack }, depth + 1);
}

/** Invariant 2: what a getter throws is as good as nothing. */
function textOf(read: () => unknown): string | undefined {
  try {
    const value = read();
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
