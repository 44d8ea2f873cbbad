/** Starts calls on an exchange and gives their promises: the step between what users say and what travels. */
import { encodePayload, HEADERS, type Subjects, TroupeError } from '@troupe/wire';
import type { Call } from './call.ts';
import type { Accepted, AskOptions, ReadOptions, SendOptions, SignalOptions } from './call-options.ts';
import type { Clock } from './clock.ts';
import { type About, cancelledError, clientError, tooLargeError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { BLOCK_START, headerLine } from './header-block.ts';
import { ProgressFollower } from './progress.ts';
import { ACCEPT_MSGPACK } from './reply.ts';
import { ATTEMPT_MS, RequestCall } from './request-call.ts';
import type { Target } from './target.ts';
import { GRACE_MS, TaskCall, type TaskSpec } from './task-call.ts';
import { TaskIds } from './task-ids.ts';
import { checkedMs, openBlock, refuseReserved, taskIdOf } from './task-message.ts';
import type { Tracing } from './tracing.ts';

/** Defaults of waiting, ms. */
export const WAIT_MS = { ask: 60_000, accept: 10_000, read: 5_000 } as const;

type Settle = (value: unknown) => void;
type MakeCall = (resolve: Settle, reject: Settle) => Call;

const NO_OPTIONS = {};
const REPLY_TO = `${HEADERS.replyTo}: `;
const END = '\r\n';

export class Requests {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly subjects: Subjects;
  readonly #ids = new TaskIds();
  /** Undefined: nobody wants any, and calls go out as they are. */
  readonly #tracing: Tracing | undefined;

  constructor(exchange: Exchange, clock: Clock, subjects: Subjects, tracing?: Tracing) {
    this.#tracing = tracing;
    this.exchange = exchange;
    this.clock = clock;
    this.subjects = subjects;
  }

  ask(target: Target, input: unknown, options?: AskOptions): Promise<unknown> {
    const traced = this.#tracing?.begin('ask', target, options);
    if (traced === undefined) return this.#ask(target, input, options);
    return traced.follow(this.#ask(target, input, { ...options, trace: traced.trace }));
  }

  #ask(target: Target, input: unknown, options: AskOptions = NO_OPTIONS): Promise<unknown> {
    return this.#start((resolve, reject) => {
      const waitMs = checkedMs('deadlineMs', options.deadlineMs, WAIT_MS.ask) + GRACE_MS;
      if (options.raw !== true) refuseReserved(input);
      return this.#taskCall(target, target.task, input, options, waitMs, 'outcome', resolve, reject);
    }, options.signal);
  }

  send(target: Target, input: unknown, options?: SendOptions): Promise<Accepted> {
    const traced = this.#tracing?.begin('send', target, options);
    if (traced === undefined) return this.#send(target, input, options);
    return traced.follow(this.#send(target, input, { ...options, trace: traced.trace }));
  }

  #send(target: Target, input: unknown, options: SendOptions = NO_OPTIONS): Promise<Accepted> {
    return this.#start((resolve, reject) => {
      checkedMs('deadlineMs', options.deadlineMs, WAIT_MS.ask);
      const waitMs = checkedMs('timeoutMs', options.timeoutMs, WAIT_MS.accept);
      if (options.raw !== true) refuseReserved(input);
      return this.#taskCall(target, target.task, input, options, waitMs, 'stored', resolve, reject);
    }, options.signal) as Promise<Accepted>;
  }

  signal(target: Target, event: unknown, options?: SignalOptions): Promise<Accepted> {
    const traced = this.#tracing?.begin('signal', target, options);
    if (traced === undefined) return this.#signal(target, event, options);
    return traced.follow(this.#signal(target, event, { ...options, trace: traced.trace }));
  }

  #signal(target: Target, event: unknown, options: SignalOptions = NO_OPTIONS): Promise<Accepted> {
    return this.#start((resolve, reject) => {
      assertEvent(event, target);
      const waitMs = checkedMs('timeoutMs', options.timeoutMs, WAIT_MS.accept);
      return this.#taskCall(target, target.signal, event, options, waitMs, 'stored', resolve, reject);
    }, options.signal) as Promise<Accepted>;
  }

  /** Asks the owner of an actor. */
  query(
    target: Target,
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: ReadOptions = NO_OPTIONS,
  ): Promise<unknown> {
    // Whoever takes the question looks for the owner that long; by then it is asked again.
    const body = { timeoutMs: ATTEMPT_MS, ...args, query: name };
    return this.request(target.query, body, { address: target.address }, options, true);
  }

  /** Asks whoever answers at `subject`. */
  request(
    subject: string,
    body: unknown,
    about: About,
    options: ReadOptions = NO_OPTIONS,
    paged = false,
  ): Promise<unknown> {
    return this.#start((resolve, reject) => {
      const endAt = this.clock.monotonic() + checkedMs('timeoutMs', options.timeoutMs, WAIT_MS.read);
      const headers = `${ACCEPT_MSGPACK}${minSeqLine(options.minSeq)}`;
      const payload = encodePayload(body);
      this.#assertFits(headers, payload, about);
      const spec = { subject, headers, payload, about, endAt, paged };
      return new RequestCall(this.exchange, this.exchange.nextNumber(), spec, resolve, reject);
    }, options.signal);
  }

  #taskCall(
    target: Target,
    subject: string,
    input: unknown,
    options: AskOptions,
    waitMs: number,
    until: TaskSpec['until'],
    resolve: Settle,
    reject: Settle,
  ): Call {
    const { exchange, clock } = this;
    const contentType = options.contentType ?? 'application/json';
    const payload = encodePayload(input, contentType);
    const taskId = taskIdOf(this.#ids, subject, options);
    const n = exchange.nextNumber();
    // An id that was made up for an ask is repeated by nobody else, and by the client until it stops waiting. That of
    // a task whose outcome nobody waits for is told, and may be used to ask or to send it again.
    const repeatedForMs = options.taskId !== undefined ? undefined : until === 'outcome' ? waitMs : Infinity;
    const open = openBlock(taskId, clock.now(), options, repeatedForMs);
    const headers = until === 'outcome' ? `${open}${REPLY_TO}${exchange.inbox}r${n}\r\n\r\n` : closed(open);
    const endAt = clock.monotonic() + waitMs;
    const progress =
      options.onProgress && new ProgressFollower(exchange, this.subjects, target, taskId, options.onProgress);
    const call = new TaskCall(
      exchange,
      n,
      { target, subject, headers, payload, taskId, contentType, endAt, until },
      progress?.stopping(resolve) ?? resolve,
      progress?.stopping(reject) ?? reject,
    );
    this.#assertFits(headers, payload, call.about);
    progress?.start((error) => call.fail(error));
    return call;
  }

  /** What `make` throws rejects the promise, so that callers have one way of hearing of errors. */
  #start(make: MakeCall, signal: AbortSignal | undefined): Promise<unknown> {
    return new Promise<unknown>((resolve, reject) => {
      if (signal === undefined) this.exchange.start(make(resolve, reject));
      else this.#startAbortable(make, signal, resolve, reject);
    });
  }

  #startAbortable(make: MakeCall, signal: AbortSignal, resolve: Settle, reject: Settle): void {
    const unfollow = (settle: Settle) => (value: unknown) => {
      signal.removeEventListener('abort', onAbort);
      settle(value);
    };
    const call = make(unfollow(resolve), unfollow(reject));
    const onAbort = (): void => call.fail(cancelledError(call.about, signal.reason));
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    this.exchange.start(call);
  }

  #assertFits(headers: string, payload: Uint8Array, about: About): void {
    const bytes = headers.length + payload.length;
    const { payloadBytesMax } = this.exchange.wire;
    if (bytes > payloadBytesMax) throw tooLargeError(about, bytes, payloadBytesMax);
  }
}

/** A block without any header isn't sent at all. */
function closed(open: string): string {
  return open === BLOCK_START ? '' : `${open}${END}`;
}

function minSeqLine(minSeq: number | undefined): string {
  if (minSeq === undefined) return '';
  if (Number.isSafeInteger(minSeq) && minSeq >= 0) return headerLine(HEADERS.minSeq, `${minSeq}`);
  throw new TroupeError('ConfigInvalid', `minSeq is ${minSeq}: it has to be a journal sequence, as send() returns it.`);
}

function assertEvent(event: unknown, target: Target): void {
  if (typeof (event as { type?: unknown } | null)?.type !== 'string') {
    throw clientError(
      'InvalidPayload',
      'A signal has to be an object with a string "type", such as { type: "approve" }.',
      { address: target.address },
    );
  }
  refuseReserved(event);
}
