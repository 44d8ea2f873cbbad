/**
 * The JetStream API, as thin as it gets: JSON in, JSON out, errors as `PortError`.
 *
 * Invariants
 * 1. Only calls that may be repeated go through `call`: while JetStream starts or elects, and after a lost connection,
 *    they are sent again until their deadline.
 * 2. `readLast` and `readSeq` are answered by the stream's leader and are never stale.
 */
import { PortError } from '@troupe/runtime';
import { PORT_DEADLINE_MS } from '@troupe/runtime/internal';
import type { MsgHdrs } from 'nats';
import type { Connection } from './connect.ts';
import { allHeaders, findHeader } from './header-block.ts';
import { text } from './message-bytes.ts';
import { API_ERRORS, type ApiError, apiErrorCode, apiPortError } from './port-error.ts';

/** One stored message, read by itself. */
export interface StreamMessage {
  readonly subject: string;
  readonly seq: number;
  /** Unix ms. */
  readonly at: number;
  readonly payload: Uint8Array;
  header(name: string): string | undefined;
  headers(): Record<string, string>;
}

/** The answer to a publish. */
export type PubAck =
  | { readonly ok: true; readonly seq: number; readonly duplicate: boolean }
  | { readonly ok: false; readonly error: ApiError };

export interface StreamState {
  readonly messages: number;
  readonly bytes: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly num_subjects?: number;
  readonly subjects?: Record<string, number>;
}
export interface StreamInfo {
  readonly config: StreamConfig;
  readonly state: StreamState;
  readonly total?: number;
  /** The server's time, RFC 3339. */
  readonly ts: string;
}
/** As JetStream spells it; what is not named here passes through. */
export interface StreamConfig {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly [field: string]: unknown;
}
export interface ConsumerInfo {
  readonly name: string;
  readonly num_pending: number;
}

const EMPTY = new Uint8Array(0);
const encoder = new TextEncoder();
/** After this long without an answer a call is repeated: its leader may be gone, and another elected. */
const ATTEMPT_TIMEOUT_MS = 2_000;
const RETRY_WAIT_MS = 50;
const RETRY_WAIT_MAX_MS = 250;

export class JsApi {
  readonly connection: Connection;
  readonly #prefix: string;

  constructor(connection: Connection, apiPrefix = '$JS.API') {
    this.connection = connection;
    this.#prefix = apiPrefix;
  }

  /** Where pull requests of a consumer go. */
  nextSubject(stream: string, consumer: string): string {
    return `${this.#prefix}.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
  }

  /** One API call, within `timeoutMs` (default 5 s) with all its repetitions (invariant 1). */
  async call<T>(verb: string, body?: unknown, timeoutMs: number = PORT_DEADLINE_MS): Promise<T> {
    const payload = body === undefined ? EMPTY : encoder.encode(JSON.stringify(body));
    const endAt = performance.now() + timeoutMs;
    let before: PortError | undefined;
    for (let waitMs = RETRY_WAIT_MS; ; waitMs = Math.min(waitMs * 2, RETRY_WAIT_MAX_MS)) {
      const leftMs = endAt - performance.now();
      try {
        return await this.#callOnce<T>(verb, payload, Math.min(ATTEMPT_TIMEOUT_MS, leftMs));
      } catch (error) {
        const failure = this.#orUnavailable(verb, error);
        const isPassing = failure.kind === 'disconnected' || failure.kind === 'timeout';
        if (!isPassing) throw failure;
        // What little time was left for the last attempt says nothing; what the one before it met does.
        const told = failure.kind === 'timeout' && leftMs < ATTEMPT_TIMEOUT_MS ? (before ?? failure) : failure;
        if (performance.now() + waitMs >= endAt) throw told;
        before = failure;
      }
      await sleep(waitMs);
    }
  }

  /** Publishes once and gives JetStream's answer. Rejects with `timeout` or `disconnected` when the outcome is unknown. */
  async publishOnce(
    subject: string,
    payload: Uint8Array,
    headers: MsgHdrs | undefined,
    timeoutMs: number,
  ): Promise<PubAck> {
    const reply = await this.connection.requests.request(subject, payload, headers, timeoutMs);
    return readPubAck(reply.data);
  }

  /**
   * The same, but while nobody takes the subject (JetStream starts, or elects a leader), so that surely nothing was
   * stored, it is sent again.
   */
  async publish(
    subject: string,
    payload: Uint8Array,
    headers: MsgHdrs | undefined,
    timeoutMs: number = PORT_DEADLINE_MS,
  ): Promise<PubAck> {
    const endAt = performance.now() + timeoutMs;
    try {
      return await this.publishOnce(subject, payload, headers, timeoutMs);
    } catch (error) {
      if (!isNoResponders(error)) throw error;
    }
    return this.#publishAgain(subject, payload, headers, endAt);
  }

  /** The subject's last message, from the leader. The subject may have wildcards. */
  readLast(stream: string, subject: string, timeoutMs?: number): Promise<StreamMessage | undefined> {
    return this.#read(stream, { last_by_subj: subject }, timeoutMs);
  }

  /** The message of that sequence, from the leader. */
  readSeq(stream: string, seq: number, timeoutMs?: number): Promise<StreamMessage | undefined> {
    return this.#read(stream, { seq }, timeoutMs);
  }

  /** The first message under the filter at or after that sequence, from the leader. */
  readNext(stream: string, filter: string, seq: number, timeoutMs?: number): Promise<StreamMessage | undefined> {
    return this.#read(stream, { seq, next_by_subj: filter }, timeoutMs);
  }

  /** The first message under the filter stored at or after that time, from the leader. */
  readSince(stream: string, filter: string, atMs: number, timeoutMs?: number): Promise<StreamMessage | undefined> {
    return this.#read(stream, { start_time: new Date(atMs).toISOString(), next_by_subj: filter }, timeoutMs);
  }

  /** Undefined when there is no such stream. */
  async streamInfo(stream: string): Promise<StreamInfo | undefined> {
    try {
      return await this.call<StreamInfo>(`STREAM.INFO.${stream}`);
    } catch (error) {
      if (apiErrorCode(error) === API_ERRORS.streamNotFound) return undefined;
      throw error;
    }
  }

  /** The stream's subjects under a filter, page by page, as the leader has them. */
  async *subjects(stream: string, filter: string): AsyncGenerator<string> {
    let offset = 0;
    for (;;) {
      const info = await this.call<StreamInfo>(`STREAM.INFO.${stream}`, { subjects_filter: filter, offset });
      const page = Object.keys(info.state.subjects ?? {});
      yield* page;
      offset += page.length;
      if (page.length === 0 || offset >= (info.total ?? 0)) return;
    }
  }

  /** Removes what the filter selects, below `seq` if given. Resolves with how many went. */
  async purge(stream: string, filter: string, seq?: number): Promise<number> {
    const { purged } = await this.call<{ purged: number }>(
      `STREAM.PURGE.${stream}`,
      seq === undefined ? { filter } : { filter, seq },
    );
    return purged;
  }

  /** Removes one message; false when it wasn't there. */
  async deleteMessage(stream: string, seq: number): Promise<boolean> {
    try {
      await this.call(`STREAM.MSG.DELETE.${stream}`, { seq, no_erase: true });
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  async #callOnce<T>(verb: string, payload: Uint8Array, timeoutMs: number): Promise<T> {
    const reply = await this.connection.requests.request(`${this.#prefix}.${verb}`, payload, undefined, timeoutMs);
    const answer = JSON.parse(text(reply.data)) as T & { error?: ApiError };
    if (answer.error !== undefined) throw apiPortError(verb, answer.error);
    return answer;
  }

  async #read(stream: string, query: object, timeoutMs?: number): Promise<StreamMessage | undefined> {
    try {
      const { message } = await this.call<{ message: RawStreamMessage }>(`STREAM.MSG.GET.${stream}`, query, timeoutMs);
      return readStreamMessage(message);
    } catch (error) {
      if (apiErrorCode(error) === API_ERRORS.noMessageFound) return undefined;
      throw error;
    }
  }

  async #publishAgain(
    subject: string,
    payload: Uint8Array,
    headers: MsgHdrs | undefined,
    endAt: number,
  ): Promise<PubAck> {
    for (let waitMs = RETRY_WAIT_MS; ; waitMs = Math.min(waitMs * 2, RETRY_WAIT_MAX_MS)) {
      if (performance.now() + waitMs >= endAt) {
        throw new PortError('disconnected', `no stream takes ${subject}: is JetStream on, and Troupe provisioned?`);
      }
      await sleep(waitMs);
      try {
        return await this.publishOnce(subject, payload, headers, endAt - performance.now());
      } catch (error) {
        if (!isNoResponders(error)) throw error;
      }
    }
  }

  #orUnavailable(verb: string, error: unknown): PortError {
    if (!isNoResponders(error)) return error as PortError;
    return new PortError('disconnected', `JetStream does not answer ${verb}: is it on?`, { cause: error });
  }
}

interface RawStreamMessage {
  readonly subject: string;
  readonly seq: number;
  readonly hdrs?: string;
  readonly data?: string;
  readonly time: string;
}

function readStreamMessage(raw: RawStreamMessage): StreamMessage {
  const block = raw.hdrs === undefined ? '' : Buffer.from(raw.hdrs, 'base64').toString('utf8');
  return {
    subject: raw.subject,
    seq: raw.seq,
    at: Date.parse(raw.time),
    payload: raw.data === undefined ? EMPTY : Buffer.from(raw.data, 'base64'),
    header: (name) => findHeader(block, name),
    headers: () => allHeaders(block),
  };
}

function readPubAck(data: Uint8Array): PubAck {
  const plain = plainAckSeq(data);
  if (plain > 0) return { ok: true, seq: plain, duplicate: false };
  let answer: { seq?: number; duplicate?: boolean; error?: ApiError };
  try {
    answer = JSON.parse(text(data));
  } catch {
    answer = {};
  }
  if (answer.error !== undefined) return { ok: false, error: answer.error };
  if (typeof answer.seq === 'number' && answer.seq > 0) {
    return { ok: true, seq: answer.seq, duplicate: answer.duplicate === true };
  }
  return { ok: false, error: { code: 500, description: 'something other than JetStream answered' } };
}

const PLAIN_ACK_HEAD = encoder.encode('{"stream":');
const PLAIN_ACK_TAIL = encoder.encode('"seq":');

/**
 * The sequence of an acknowledgement that says nothing else, `{"stream":"S","seq":7}`, straight from its bytes: nearly
 * all are like that. 0 for any other answer.
 */
function plainAckSeq(data: Uint8Array): number {
  let at = data.length - 2;
  if (data[at + 1] !== 0x7d) return 0;
  let seq = 0;
  for (let unit = 1; at >= 0 && data[at]! >= 0x30 && data[at]! <= 0x39; at--, unit *= 10)
    seq += (data[at]! - 0x30) * unit;
  at -= PLAIN_ACK_TAIL.length - 1;
  return at > 0 && startsAt(data, at, PLAIN_ACK_TAIL) && startsAt(data, 0, PLAIN_ACK_HEAD) ? seq : 0;
}

function startsAt(data: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (data[at + i] !== part[i]) return false;
  return true;
}

/** The message was not there, in any of the ways in which servers say so. */
function isGone(error: unknown): boolean {
  const code = apiErrorCode(error);
  if (code === API_ERRORS.sequenceNotFound || code === API_ERRORS.noMessageFound) return true;
  return code === API_ERRORS.deleteFailed && (error as PortError).message.includes('no message found');
}

function isNoResponders(error: unknown): boolean {
  return error instanceof PortError && error.kind === 'no-responders';
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
