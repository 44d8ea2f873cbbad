/**
 * The outcome of a task as it goes to the reply address: who answered in the headers, the value or the failure as body.
 *
 * A failure carries `Nats-Service-Error-Code` and `Nats-Service-Error`, as NATS services do, and its record as body, so
 * that both a plain NATS client and ours can read it.
 */
import { type ActorAddress, encodeKey, parseAddress } from './address.ts';
import { statusOf } from './codes.ts';
import { type FailureRecord, failure, isFailureRecord } from './failure.ts';
import { HEADERS, headerText } from './headers.ts';
import { decodePayload, encodePayload } from './payload.ts';
import type { ContentType, Outcome } from './record.ts';
import type { WireMessage } from './task-message.ts';

/** What an outcome message says. */
export interface OutcomeInfo {
  readonly actor: ActorAddress;
  /** Sequence of the journal entry that ended the turn. */
  readonly seq: number;
  /** Id given by the client, else the task's sequence. */
  readonly taskId: string;
  /** Version of the definition that answered. */
  readonly version?: number | undefined;
  /** The same for repeats of the same outcome. */
  readonly effectId?: string | undefined;
  readonly outcome: Outcome;
}

/** A received message, as far as reading an outcome needs it. */
export interface OutcomeSource {
  readonly payload: Uint8Array;
  header(name: string): string | undefined;
}

/** What was read; what was missing or unreadable is absent. */
export type DecodedOutcome = Partial<Omit<OutcomeInfo, 'outcome'>> & Pick<OutcomeInfo, 'outcome'>;

/**
 * An outcome as bytes and headers, in the content type of the task (a failure for a text task is JSON). Throws
 * `CodecError` with `NotStorable` when the value can't be written.
 */
export function encodeOutcome(info: OutcomeInfo, contentType: ContentType = 'application/json'): WireMessage {
  const { outcome } = info;
  const type = !outcome.ok && contentType === 'text/plain' ? 'application/json' : contentType;
  const headers: Record<string, string> = {
    [HEADERS.actor]: actorHeader(info.actor),
    [HEADERS.seq]: `${info.seq}`,
    [HEADERS.taskId]: info.taskId,
    [HEADERS.contentType]: type,
  };
  if (info.version !== undefined) headers[HEADERS.version] = `${info.version}`;
  if (info.effectId !== undefined) headers[HEADERS.effectId] = escapeHeader(info.effectId);
  if (outcome.ok) return { payload: encodePayload(outcome.value, type), headers };
  headers[HEADERS.errorCode] = `${statusOf(outcome.error.code)}`;
  headers[HEADERS.errorText] = headerText(outcome.error.message) || outcome.error.code;
  return { payload: encodePayload(outcome.error, type), headers };
}

/**
 * Reads an outcome message. Never throws: a body that can't be read is an outcome that failed with `Internal`.
 */
export function decodeOutcome(message: OutcomeSource): DecodedOutcome {
  const actor = attempt(() => parseAddress(unescapeHeader(message.header(HEADERS.actor) ?? '')));
  const seq = wholeOf(message.header(HEADERS.seq));
  const version = wholeOf(message.header(HEADERS.version));
  const taskId = message.header(HEADERS.taskId);
  const effectId = message.header(HEADERS.effectId);
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(seq === undefined ? {} : { seq }),
    ...(taskId === undefined ? {} : { taskId }),
    ...(version === undefined ? {} : { version }),
    ...(effectId === undefined ? {} : { effectId: unescapeHeader(effectId) }),
    outcome: outcomeOf(message),
  };
}

function outcomeOf(message: OutcomeSource): Outcome {
  const status = message.header(HEADERS.errorCode);
  const body = attempt(() => decodePayload(message.payload, message.header(HEADERS.contentType)));
  if (status === undefined) {
    if (body !== undefined) return { ok: true, value: body.value };
    return { ok: false, error: failure('Internal', 'The outcome was received but its body can not be read.') };
  }
  if (body !== undefined && isFailureRecord(body.value)) return { ok: false, error: body.value };
  return { ok: false, error: foreignFailure(status, message.header(HEADERS.errorText)) };
}

/** The error of a NATS service that isn't one of ours. */
function foreignFailure(status: string, text: string | undefined): FailureRecord {
  return failure('Internal', text ?? `The service failed with status ${status}.`, { details: { status } });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a header can't carry
const NEEDS_ESCAPE = /[\u0000-\u001f\u007f=]|^ | $/;

/**
 * `type/key` as people read it; control characters, `=` and outer spaces as `=XX`, because a header can't carry them.
 */
function actorHeader(address: ActorAddress): string {
  return `${address.type}/${escapeHeader(address.key)}`;
}

function escapeHeader(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return text;
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const outerSpace = c === 0x20 && (i === 0 || i === text.length - 1);
    out += c < 0x20 || c === 0x7f || c === 0x3d || outerSpace ? encodeKey(text[i]!) : text[i];
  }
  return out;
}

function unescapeHeader(text: string): string {
  return text.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function wholeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,16}$/.test(text) ? Number(text) : undefined;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
