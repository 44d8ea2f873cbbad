/**
 * Requests with one reply, multiplexed over one wildcard inbox: the client's own `request` makes a timer, two promises, a
 * random token and a stack trace for each call, and costs about half of what a JetStream publish can reach.
 *
 * Invariants
 * 1. Every call settles: with its reply, at its deadline (checked every `WHEEL_MS`), or at once when the connection is
 *    lost while it is in flight (the outcome is then unknown).
 * 2. At most `inFlightMax` calls are on the wire and at most `waitingMax` wait for room or for the connection; more are
 *    refused with `full`. The client's own buffer, which has no bound, is never written to while disconnected.
 * 3. Calls that wait are sent in the order in which they were made.
 * 4. Nothing is ever sent twice.
 */
import { PortError } from '@troupe/runtime';
import type { Msg, MsgHdrs, NatsConnection, PublishOptions } from 'nats';
import { statusOf } from './header-block.ts';
import { headerText, subjectBytes } from './message-bytes.ts';

export interface RawRequestOptions {
  /** Inbox under which replies come, without the last token. */
  readonly inbox: string;
  /** Default 4,096: above what two cores can keep busy, below what would fill the client's socket buffer. */
  readonly inFlightMax?: number;
  /** Default 16,384. */
  readonly waitingMax?: number;
}

/** How precisely deadlines are kept, ms. */
const WHEEL_MS = 20;

interface Call {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs | undefined;
  readonly timeoutMs: number;
  readonly deadlineAt: number;
  readonly resolve: (reply: Msg) => void;
  readonly reject: (error: PortError) => void;
}

export class RawRequests {
  readonly #nc: NatsConnection;
  readonly #inbox: string;
  readonly #inboxLength: number;
  readonly #inFlightMax: number;
  readonly #waitingMax: number;
  readonly #inFlight = new Map<number, Call>();
  #waiting: Call[] = [];
  #token = 0;
  #connected = true;
  #closed = false;
  #wheel: NodeJS.Timeout | undefined;

  constructor(nc: NatsConnection, options: RawRequestOptions) {
    this.#nc = nc;
    this.#inbox = `${options.inbox}.`;
    this.#inboxLength = this.#inbox.length;
    this.#inFlightMax = options.inFlightMax ?? 4_096;
    this.#waitingMax = options.waitingMax ?? 16_384;
    nc.subscribe(`${this.#inbox}*`, { callback: (error, msg) => error ?? this.#receive(msg) });
  }

  /** Calls on the wire and waiting. */
  get pending(): { readonly inFlight: number; readonly waiting: number } {
    return { inFlight: this.#inFlight.size, waiting: this.#waiting.length };
  }

  /**
   * Sends one request and resolves with its reply. Rejects with `PortError`: `timeout` or `disconnected` (the outcome is
   * unknown), `no-responders` (nobody received it), `full` (too many calls wait), `denied`, `too-large`, `closed`.
   */
  request(subject: string, payload: Uint8Array, headers: MsgHdrs | undefined, timeoutMs: number): Promise<Msg> {
    return new Promise((resolve, reject) => {
      const deadlineAt = performance.now() + timeoutMs;
      const call: Call = { subject, payload, headers, timeoutMs, deadlineAt, resolve, reject };
      if (this.#closed) reject(new PortError('closed', 'the connection is closed'));
      else if (this.#connected && this.#waiting.length === 0 && this.#inFlight.size < this.#inFlightMax)
        this.#send(call);
      else if (this.#waiting.length < this.#waitingMax) this.#waiting.push(call);
      else reject(new PortError('full', `${this.#waitingMax} calls wait already, ${subject} was not sent`));
      this.#turnWheel();
    });
  }

  /** Tells whether the connection is up. Losing it fails what is in flight (invariant 1); getting it sends what waits. */
  connectionChanged(connected: boolean): void {
    this.#connected = connected;
    if (connected) this.#sendWaiting();
    else this.#failAll(new PortError('disconnected', 'the connection was lost before the answer came'));
  }

  /** The server refused to let us publish to `subject`. */
  denied(subject: string): void {
    for (const [token, call] of this.#inFlight) {
      if (call.subject !== subject) continue;
      this.#inFlight.delete(token);
      call.reject(new PortError('denied', `no permission to publish to ${subject}`));
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#wheel);
    const error = new PortError('closed', 'the connection was closed');
    this.#failAll(error);
    for (const call of this.#waiting) call.reject(error);
    this.#waiting = [];
  }

  #send(call: Call): void {
    const token = ++this.#token;
    // The client fills in nothing but `reply` and `headers`, and `undefined` means none.
    const options = { reply: this.#inbox + token, headers: call.headers } as PublishOptions;
    try {
      this.#nc.publish(call.subject, call.payload, options);
    } catch (error) {
      call.reject(publishError(call.subject, error));
      return;
    }
    this.#inFlight.set(token, call);
  }

  #sendWaiting(): void {
    let sent = 0;
    while (this.#connected && sent < this.#waiting.length && this.#inFlight.size < this.#inFlightMax) {
      this.#send(this.#waiting[sent++]!);
    }
    if (sent > 0) this.#waiting.splice(0, sent);
  }

  #receive(msg: Msg): void {
    const token = tokenOf(subjectBytes(msg), this.#inboxLength);
    const call = this.#inFlight.get(token);
    if (call === undefined) return;
    this.#inFlight.delete(token);
    if (this.#waiting.length > 0) this.#sendWaiting();
    if (msg.data.length === 0 && statusOf(headerText(msg)) === 503) {
      call.reject(new PortError('no-responders', `nobody takes ${call.subject}`));
    } else call.resolve(msg);
  }

  #turnWheel(): void {
    if (this.#wheel !== undefined || this.#closed) return;
    this.#wheel = setTimeout(() => {
      this.#wheel = undefined;
      this.#expire();
      if (this.#inFlight.size + this.#waiting.length > 0) this.#turnWheel();
    }, WHEEL_MS);
  }

  #expire(): void {
    const now = performance.now();
    for (const [token, call] of this.#inFlight) {
      if (call.deadlineAt > now) continue;
      this.#inFlight.delete(token);
      call.reject(new PortError('timeout', `${call.subject} was not answered within ${Math.round(call.timeoutMs)} ms`));
    }
    if (this.#waiting.some((call) => call.deadlineAt <= now)) this.#expireWaiting(now);
    this.#sendWaiting();
  }

  #expireWaiting(now: number): void {
    const kind = this.#connected ? 'timeout' : 'disconnected';
    this.#waiting = this.#waiting.filter((call) => {
      if (call.deadlineAt > now) return true;
      call.reject(new PortError(kind, `${call.subject} could not be sent within ${Math.round(call.timeoutMs)} ms`));
      return false;
    });
  }

  #failAll(error: PortError): void {
    const calls = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const call of calls) call.reject(error);
  }
}

/** The decimal number behind the inbox. */
function tokenOf(subject: Uint8Array, from: number): number {
  let token = 0;
  for (let i = from; i < subject.length; i++) token = token * 10 + subject[i]! - 48;
  return token;
}

function publishError(subject: string, error: unknown): PortError {
  const code = (error as { code?: string }).code;
  if (code === 'MAX_PAYLOAD_EXCEEDED') {
    return new PortError('too-large', `the message to ${subject} is over the server's limit`, { cause: error });
  }
  const kind = code === 'CONNECTION_CLOSED' || code === 'CONNECTION_DRAINING' ? 'closed' : 'other';
  return new PortError(kind, `${subject} could not be sent: ${(error as Error).message}`, { cause: error });
}
