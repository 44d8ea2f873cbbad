/**
 * Header names and what may stand in them.
 *
 * Readers of headers that steer a task throw `InvalidHeader`, `InvalidTaskId` or `InvalidReplyTo`, naming header, value
 * and form; trace context that is malformed is ignored, as W3C asks.
 */
import type { ContentType, TaskBody, TraceContext } from './record.ts';
import { type AnyCode, TroupeError } from './troupe-error.ts';

/** Names of all headers, exactly as they are written. */
export const HEADERS = {
  taskId: 'Troupe-Task-Id',
  replyTo: 'Troupe-Reply-To',
  deadline: 'Troupe-Deadline',
  created: 'Troupe-Created',
  remember: 'Troupe-Remember',
  input: 'Troupe-Input',
  effectId: 'Troupe-Effect-Id',
  actor: 'Troupe-Actor',
  seq: 'Troupe-Seq',
  minSeq: 'Troupe-Min-Seq',
  page: 'Troupe-Page',
  streamSeq: 'Troupe-Stream-Seq',
  version: 'Troupe-Version',
  contentType: 'Content-Type',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  errorCode: 'Nats-Service-Error-Code',
  errorText: 'Nats-Service-Error',
  msgId: 'Nats-Msg-Id',
} as const;

/** What a task id looks like. */
export const TASK_ID_PATTERN = /^[A-Za-z0-9_-]{1,128}$/;
/** What an inbox looks like, apart from empty tokens, which are refused too. */
export const INBOX_PATTERN = /^_INBOX\.[A-Za-z0-9_.-]{1,200}$/;
/** Longest deadline header that is read, ms (1,000 years); the step clamps to `task.deadlineMaxMs`. */
export const DURATION_MS_MAX = 1_000 * 365 * 86_400_000;

const DURATION_PATTERN = /^([0-9]{1,15}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)$/;
const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const INSTANT_PATTERN =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d\d):(\d\d))$/;
const TRACEPARENT_PATTERN = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;
const TRACESTATE_LENGTH_MAX = 512;
const REPLY_TO_TAIL_PATTERN = /^[A-Za-z0-9_.$-]{1,200}$/;
/** Names under which other libraries send MessagePack. */
const MSGPACK_NAMES = ['application/msgpack', 'application/vnd.msgpack', 'application/x-msgpack'];

/** Throws `InvalidTaskId` unless `taskId` matches `TASK_ID_PATTERN`. Returns it. */
export function assertTaskId(taskId: string): string {
  if (typeof taskId === 'string' && TASK_ID_PATTERN.test(taskId)) return taskId;
  throw invalid('InvalidTaskId', HEADERS.taskId, taskId, '1 to 128 letters, digits, _ and -');
}

/**
 * Throws `InvalidReplyTo` unless outcomes may be sent to `replyTo`: an inbox, or a subject under one of
 * `allowedPrefixes` (each is taken with a dot behind it). Returns it.
 */
export function assertReplyTo(replyTo: string, allowedPrefixes: readonly string[] = []): string {
  if (INBOX_PATTERN.test(replyTo) && !hasEmptyToken(replyTo)) return replyTo;
  for (const prefix of allowedPrefixes) {
    const head = prefix.endsWith('.') ? prefix : `${prefix}.`;
    const tail = replyTo.slice(head.length);
    if (replyTo.startsWith(head) && REPLY_TO_TAIL_PATTERN.test(tail) && !hasEmptyToken(replyTo)) return replyTo;
  }
  throw invalid(
    'InvalidReplyTo',
    HEADERS.replyTo,
    replyTo,
    'an inbox (_INBOX.…) or an address under an allowed prefix',
  );
}

/**
 * Reads a duration such as `250ms`, `30s`, `1.5m`, `1h`, `7d`, in ms. Undefined when it isn't one.
 *
 * @example parseDuration('30s') // 30_000
 */
export function parseDuration(text: string): number | undefined {
  const match = DURATION_PATTERN.exec(text);
  if (match === null) return undefined;
  const ms = Math.round(Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]);
  return ms <= DURATION_MS_MAX ? ms : undefined;
}

/**
 * Reads an RFC 3339 instant, in Unix ms (finer digits are cut off). Undefined when it isn't one, also for days that
 * don't exist. A leap second counts as the second after it.
 *
 * @example parseInstant('2026-01-31T12:00:00Z')
 */
export function parseInstant(text: string): number | undefined {
  // Clients write many tasks within one millisecond.
  if (text !== lastInstant.text) lastInstant = { text, ms: readInstant(text) };
  return lastInstant.ms;
}

let lastInstant: { readonly text: string; readonly ms: number | undefined } = { text: '', ms: undefined };

function readInstant(text: string): number | undefined {
  const match = INSTANT_PATTERN.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const offset = offsetMinutes(match[9], match[10], match[11]);
  if (offset === undefined) return undefined;
  const ms = match[7] === undefined ? 0 : Math.floor(Number(`0.${match[7]}`) * 1_000);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second, ms) - offset * 60_000;
}

/** Unix ms as RFC 3339, the form that our own clients send. */
export function formatInstant(ms: number): string {
  return new Date(ms).toISOString();
}

/** Reads `Troupe-Deadline`: an instant, or a duration counted from acceptance. Throws `InvalidHeader`. */
export function parseDeadline(text: string): NonNullable<TaskBody['deadline']> {
  const afterMs = parseDuration(text);
  if (afterMs !== undefined) return { afterMs };
  const atMs = parseInstant(text);
  if (atMs !== undefined) return { atMs };
  throw invalid(
    'InvalidHeader',
    HEADERS.deadline,
    text,
    'a duration such as 30s, 250ms, 1h, 7d, or an RFC 3339 instant',
  );
}

/** Longest and default time for which a task id is remembered, ms: 24 h. */
export const REMEMBER_MS_MAX = 86_400_000;
const REMEMBER_MS_MIN = 1_000;

/**
 * Reads `Troupe-Remember`: how long after `Troupe-Created` the id must be remembered, because its client repeats it no
 * later. Clamped between 1 s and 24 h. Throws `InvalidHeader`.
 */
export function parseRemember(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw invalid('InvalidHeader', HEADERS.remember, text, 'a duration such as 90s or 1h');
  return Math.min(Math.max(ms, REMEMBER_MS_MIN), REMEMBER_MS_MAX);
}

/** Reads `Troupe-Created`, Unix ms. Throws `InvalidHeader`. */
export function parseCreated(text: string): number {
  const ms = parseInstant(text);
  if (ms !== undefined) return ms;
  throw invalid('InvalidHeader', HEADERS.created, text, 'an RFC 3339 instant such as 2026-01-31T12:00:00Z');
}

/** Reads a whole number header such as `Troupe-Min-Seq`. Throws `InvalidHeader`. */
export function parseSeq(name: string, text: string): number {
  const seq = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(seq)) return seq;
  throw invalid('InvalidHeader', name, text, 'a whole number');
}

/**
 * Reads `Content-Type`; parameters are ignored, except that a charset must be UTF-8. Throws `InvalidHeader` for a type
 * that payloads can't have.
 */
export function parseContentType(text: string): ContentType {
  // The three exact spellings first: this runs for every task.
  if (text === 'application/json' || text === 'application/msgpack' || text === 'text/plain') return text;
  const [name = '', ...parameters] = text.toLowerCase().split(';');
  const type = name.trim();
  const known = MSGPACK_NAMES.includes(type) ? 'application/msgpack' : type;
  if (
    (known === 'application/json' || known === 'application/msgpack' || known === 'text/plain') &&
    isUtf8(parameters)
  ) {
    return known;
  }
  throw invalid(
    'InvalidHeader',
    HEADERS.contentType,
    text,
    'application/json, application/msgpack or text/plain in UTF-8',
  );
}

/**
 * W3C trace context, or undefined when `traceparent` is missing or malformed; `tracestate` is dropped when it is over
 * 512 characters or not printable.
 */
export function parseTrace(traceparent: string | undefined, tracestate?: string): TraceContext | undefined {
  if (traceparent === undefined) return undefined;
  const match = TRACEPARENT_PATTERN.exec(traceparent);
  if (match === null || match[1] === 'ff' || /^0+$/.test(match[2]!) || /^0+$/.test(match[3]!)) return undefined;
  if (match[1] === '00' && match[4] !== undefined) return undefined;
  const keepState = tracestate !== undefined && tracestate.length <= TRACESTATE_LENGTH_MAX && isPrintable(tracestate);
  return keepState && tracestate !== '' ? { traceparent, tracestate } : { traceparent };
}

/**
 * Text as it may stand in a header: control characters become spaces, surrounding space goes, at most `lengthMax`
 * characters remain (default 512), and no pair of surrogates is cut.
 */
export function headerText(text: string, lengthMax = 512): string {
  let out = '';
  for (const character of text) {
    const c = character.codePointAt(0)!;
    if (out.length + character.length > lengthMax) break;
    out += c < 0x20 || c === 0x7f || (c >= 0xd800 && c <= 0xdfff) ? ' ' : character;
  }
  return out.trim();
}

function isPrintable(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

function isUtf8(parameters: readonly string[]): boolean {
  return parameters.every((parameter) => {
    const [name, value = ''] = parameter.split('=');
    return name!.trim() !== 'charset' || /^"?(utf-?8|us-ascii)"?$/.test(value.trim());
  });
}

function hasEmptyToken(subject: string): boolean {
  return subject.startsWith('.') || subject.endsWith('.') || subject.includes('..');
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function offsetMinutes(sign: string | undefined, hours = '0', minutes = '0'): number | undefined {
  if (sign === undefined) return 0;
  const h = Number(hours);
  const m = Number(minutes);
  if (h > 23 || m > 59) return undefined;
  return (sign === '-' ? -1 : 1) * (h * 60 + m);
}

function invalid(code: AnyCode, header: string, value: unknown, form: string): TroupeError {
  const shown = String(value).slice(0, 200);
  return new TroupeError(code, `Header ${header} is ${JSON.stringify(shown)}: it has to be ${form}.`, {
    details: { header, value: shown },
  });
}
