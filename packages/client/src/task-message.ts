/**
 * Tasks and signals as the bytes that travel. The same words as `taskMessage` and `signalMessage` of `@troupe/wire`, but
 * written straight into a header block: this runs for every ask. A test holds the two to each other.
 */
import {
  assertTaskId,
  type ContentType,
  formatInstant,
  HEADERS,
  isReservedEvent,
  parseContentType,
  parseTrace,
  REMEMBER_MS_MAX,
  TroupeError,
} from '@troupe/wire';
import type { AskOptions } from './call-options.ts';
import { BLOCK_START, headerLine } from './header-block.ts';
import type { TaskIds } from './task-ids.ts';

const TASK_ID = `${BLOCK_START}${HEADERS.taskId}: `;
const CREATED = `\r\n${HEADERS.created}: `;
const REMEMBER = `\r\n${HEADERS.remember}: `;
/** How far clocks may differ, and a delayed repeat may lag, before an id of the client's own making is forgotten, ms. */
const REMEMBER_GRACE_MS = 300_000;
/** Longest turn that an actor allows, ms: seven days. */
export const DEADLINE_MAX_MS = 7 * 86_400_000;

/** The options that stand in headers. */
export type HeaderOptions = Pick<AskOptions, 'taskId' | 'named' | 'contentType' | 'trace' | 'raw' | 'deadlineMs'>;

/**
 * The id of a task for `subject`: the one given, a new one, or none. Throws `InvalidTaskId`, and `ConfigInvalid` for an id
 * together with `named: false`.
 */
export function taskIdOf(ids: TaskIds, subject: string, { taskId, named }: HeaderOptions): string | undefined {
  if (taskId === undefined) return named === false ? undefined : ids.next(subject);
  if (named !== false) return assertTaskId(taskId);
  throw new TroupeError('ConfigInvalid', `A task with the id '${taskId}' is named: leave out named: false or the id.`);
}

/**
 * The header block up to the last header, open at the end. `repeatedForMs`: for how long an id that the client made up may
 * be sent again. Throws `InvalidHeader`.
 */
export function openBlock(
  taskId: string | undefined,
  nowMs: number,
  options: HeaderOptions,
  repeatedForMs?: number,
): string {
  let block = BLOCK_START;
  if (taskId !== undefined) {
    const remember =
      repeatedForMs === undefined
        ? ''
        : `${REMEMBER}${Math.min(Math.ceil(repeatedForMs) + REMEMBER_GRACE_MS, REMEMBER_MS_MAX)}ms`;
    block = `${TASK_ID}${taskId}${CREATED}${instant(nowMs)}${remember}\r\n`;
  }
  const { deadlineMs, contentType, raw, trace } = options;
  if (deadlineMs !== undefined) block += headerLine(HEADERS.deadline, `${Math.ceil(deadlineMs)}ms`);
  // JSON is what the other side takes it for anyway.
  if (contentType !== undefined && contentType !== 'application/json')
    block += headerLine(HEADERS.contentType, checked(contentType));
  if (raw === true) block += headerLine(HEADERS.input, 'raw');
  const valid = trace === undefined ? undefined : parseTrace(trace.traceparent, trace.tracestate);
  if (valid !== undefined) block += headerLine(HEADERS.traceparent, valid.traceparent);
  if (valid?.tracestate !== undefined) block += headerLine(HEADERS.tracestate, valid.tracestate);
  return block;
}

/** Throws `ReservedEvent` for an event that only the runtime makes. */
export function refuseReserved(payload: unknown): void {
  const type = typeof payload === 'object' && payload !== null ? (payload as { type?: unknown }).type : undefined;
  if (typeof type !== 'string' || !isReservedEvent(type)) return;
  throw new TroupeError(
    'ReservedEvent',
    `The event type "${type.slice(0, 100)}" is made by the runtime only: choose a type that begins neither with xstate. nor with troupe.`,
  );
}

/** Throws `ConfigInvalid` unless `value` is a time in ms that can be waited; returns it or the default. */
export function checkedMs(
  name: string,
  value: number | undefined,
  fallback: number,
  max: number = DEADLINE_MAX_MS,
): number {
  if (value === undefined) return fallback;
  if (value > 0 && value <= max) return value;
  throw new TroupeError('ConfigInvalid', `${name} is ${value}: it has to be more than 0 and at most ${max} ms.`);
}

/** Not every caller is checked by a compiler, and a line break in here would be a header of its own. */
function checked(contentType: ContentType): ContentType {
  return parseContentType(contentType);
}

let lastMs = Number.NaN;
let lastInstant = '';

/** Many tasks are made within one millisecond, and formatting costs as much as the rest of a block. */
function instant(nowMs: number): string {
  if (nowMs !== lastMs) {
    lastMs = nowMs;
    lastInstant = formatInstant(nowMs);
  }
  return lastInstant;
}
