/**
 * Journal records as bytes: `[format, kind, ...fields]`, the fields in the order of the table below.
 *
 * Invariants
 * 1. What `encodeInternal` writes, `decodeInternal` gives back equal; absent stays absent.
 * 2. `decodeInternal` throws nothing but a `TroupeError`, and never gives a body with a field of the wrong type.
 * 3. The order of fields is part of the format: see `upgrade.ts` for what may change.
 */
import { formatAddress } from './address.ts';
import { decodeValue, encodeValue } from './codec.ts';
import { CodecError } from './codec-error.ts';
import { Fields } from './fields.ts';
import {
  type AskBody,
  type ContentType,
  type InternalBody,
  type MessageBody,
  type Outcome,
  RECORD_FORMAT,
  type RedriveBody,
  type SignalBody,
  type StreamBody,
  type TaskBody,
  type TraceContext,
} from './record.ts';
import { upgradeRecord } from './upgrade.ts';

type Body = InternalBody | TaskBody | SignalBody;
type Kind = Body['kind'];
type BodyOf<K extends Kind> = Extract<Body, { kind: K }>;

/** How one kind is written and read. */
interface KindCodec<K extends Kind> {
  write(body: BodyOf<K>): unknown[];
  read(fields: Fields): BodyOf<K>;
}

const KINDS: { readonly [K in Kind]: KindCodec<K> } = {
  task: { write: writeTask, read: readTask },
  signal: { write: (body) => writeExternal(body), read: (f) => ({ kind: 'signal', ...readExternal(f) }) },
  outcome: {
    write: (body) => [body.effectId, ...writeOutcome(body.result)],
    read: (f) => ({ kind: 'outcome', effectId: f.text(), result: f.outcome() }),
  },
  stream: { write: writeStream, read: readStream },
  ask: { write: writeAsk, read: readAsk },
  message: { write: writeMessage, read: readMessage },
  self: {
    write: (body) => [body.effectId, body.path, body.event],
    read: (f) => ({ kind: 'self', effectId: f.text(), path: f.text(), event: f.event() }),
  },
  tick: { write: () => [], read: () => ({ kind: 'tick' }) },
  claim: {
    write: (body) => [body.effectId, body.epoch, body.worker],
    read: (f) => ({ kind: 'claim', effectId: f.text(), epoch: f.number(), worker: f.text() }),
  },
  version: {
    write: (body) => [body.version, body.hash],
    read: (f) => ({ kind: 'version', version: f.number(), hash: f.text() }),
  },
  redrive: { write: (body) => [body.deadSeq, listOf(body.entry)], read: readRedrive },
  reset: { write: (body) => [body.by], read: (f) => ({ kind: 'reset', by: f.text() }) },
  import: {
    write: (body) => [body.by, body.state],
    read: (f) => ({ kind: 'import', by: f.text(), state: f.any() }),
  },
  'cancel-timer': {
    write: (body) => [body.timerId, body.by],
    read: (f) => ({ kind: 'cancel-timer', timerId: f.text(), by: f.text() }),
  },
};

/**
 * A record for the event subject. Throws `CodecError` with `NotStorable` naming the path of what can't be stored.
 *
 * @example encodeInternal({ kind: 'outcome', effectId: 'support/john@17.0', result: { ok: true, value: 42 } }).payload
 */
export function encodeInternal(body: InternalBody): { readonly payload: Uint8Array } {
  return { payload: encodeValue([RECORD_FORMAT, ...listOf(body)]) };
}

/**
 * Reads a record of the event subject. Throws a `TroupeError`: `InvalidPayload` when it is damaged, `RecordTooNew` when a
 * later release wrote it.
 */
export function decodeInternal(payload: Uint8Array): InternalBody {
  const record = upgradeRecord(decodeValue(payload));
  const kind = record[1];
  // Clients' kinds come on their own subjects only.
  if (!isKind(kind) || kind === 'task' || kind === 'signal') throw unknownKind(kind);
  return readKind(kind, new Fields(record, kind, 2)) as InternalBody;
}

function listOf(body: Body): unknown[] {
  const codec = KINDS[body.kind] as KindCodec<Kind> | undefined;
  if (codec === undefined) throw unknownKind(body.kind);
  return [body.kind, ...codec.write(body)];
}

function readKind(kind: Kind, fields: Fields): Body {
  return (KINDS[kind] as KindCodec<Kind>).read(fields);
}

function isKind(kind: unknown): kind is Kind {
  return typeof kind === 'string' && Object.hasOwn(KINDS, kind);
}

function unknownKind(kind: unknown): CodecError {
  return new CodecError(
    'InvalidPayload',
    `There is no journal record of kind ${JSON.stringify(String(kind).slice(0, 64))}.`,
  );
}

function writeOutcome(result: Outcome): unknown[] {
  return result.ok ? [true, result.value] : [false, result.error];
}

function writeTrace(trace: TraceContext | undefined): unknown[] {
  return trace === undefined
    ? []
    : trace.tracestate === undefined
      ? [trace.traceparent]
      : [trace.traceparent, trace.tracestate];
}

function writeExternal(body: TaskBody | SignalBody): unknown[] {
  const { taskId = null, payloadHash, createdAt = null, payload, raw, contentType, trace } = body;
  const pair = trace === undefined ? [null, null] : [trace.traceparent, trace.tracestate ?? null];
  return [taskId, payloadHash, createdAt, payload, raw, contentType, ...pair];
}

function readExternal(f: Fields): Omit<SignalBody, 'kind'> {
  const taskId = f.optionalText();
  const payloadHash = f.number();
  const createdAt = f.optionalNumber();
  const rest = { payload: f.any(), raw: f.flag(), contentType: readContentType(f), ...f.trace() };
  return {
    ...(taskId === undefined ? {} : { taskId }),
    payloadHash,
    ...(createdAt === undefined ? {} : { createdAt }),
    ...rest,
  };
}

function readContentType(f: Fields): ContentType {
  const text = f.text();
  return text === 'application/msgpack' || text === 'text/plain' ? text : 'application/json';
}

function writeTask(body: TaskBody): unknown[] {
  const { replyTo = null, invalidReplyTo = null, deadline } = body;
  const atMs = deadline !== undefined && 'atMs' in deadline ? deadline.atMs : null;
  const afterMs = deadline !== undefined && 'afterMs' in deadline ? deadline.afterMs : null;
  return [...writeExternal(body), replyTo, invalidReplyTo, atMs, afterMs];
}

function readTask(f: Fields): TaskBody {
  const external = readExternal(f);
  const replyTo = f.optionalText();
  const invalidReplyTo = f.optionalText();
  const atMs = f.optionalNumber();
  const afterMs = f.optionalNumber();
  return {
    kind: 'task',
    ...external,
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(invalidReplyTo === undefined ? {} : { invalidReplyTo }),
    ...(atMs !== undefined ? { deadline: { atMs } } : afterMs !== undefined ? { deadline: { afterMs } } : {}),
  };
}

function writeStream(body: StreamBody): unknown[] {
  const { effectId, run, n, item } = body;
  const head = [effectId, run, n, item.kind];
  if (item.kind === 'event') return [...head, item.event];
  if (item.kind === 'next') return [...head, item.value];
  return item.kind === 'error' ? [...head, item.error] : head;
}

function readStream(f: Fields): StreamBody {
  return { kind: 'stream', effectId: f.text(), run: f.number(), n: f.number(), item: readItem(f) };
}

function readItem(f: Fields): StreamBody['item'] {
  const kind = f.text();
  if (kind === 'event') return { kind, event: f.event() };
  if (kind === 'next') return { kind, value: f.any() };
  if (kind === 'complete') return { kind };
  if (kind === 'error') return { kind, error: f.failure() };
  throw unknownKind(`stream item ${kind}`);
}

function writeAsk(body: AskBody): unknown[] {
  const { effectId, from, causedAt, payload, deadlineAt, chain, trace } = body;
  return [effectId, formatAddress(from), causedAt, payload, deadlineAt, chain.map(formatAddress), ...writeTrace(trace)];
}

function readAsk(f: Fields): AskBody {
  return {
    kind: 'ask',
    effectId: f.text(),
    from: f.address(),
    causedAt: f.number(),
    payload: f.any(),
    deadlineAt: f.number(),
    chain: f.addresses(),
    ...f.trace(),
  };
}

function writeMessage(body: MessageBody): unknown[] {
  return [body.effectId, formatAddress(body.from), body.causedAt, body.event, ...writeTrace(body.trace)];
}

function readMessage(f: Fields): MessageBody {
  const head = { effectId: f.text(), from: f.address(), causedAt: f.number(), event: f.event() };
  return { kind: 'message', ...head, ...f.trace() };
}

function readRedrive(f: Fields): RedriveBody {
  const deadSeq = f.number();
  const entry = f.list();
  const kind = entry[0];
  if (kind !== 'task' && kind !== 'signal' && kind !== 'ask' && kind !== 'message') throw unknownKind(kind);
  return { kind: 'redrive', deadSeq, entry: readKind(kind, new Fields(entry, kind, 1)) as RedriveBody['entry'] };
}
