/**
 * All requests of one connection: who waits for what, on one inbox subscription, behind one wheel of deadlines.
 *
 * Owns the table of calls in flight and the queue behind it. Doesn't know what a task or a query is (`task-call.ts`,
 * `request-call.ts`), nor anything of NATS (`wire.ts`).
 *
 * Invariants
 * 1. At most `inFlightMax` calls are in flight and at most `queueMax` in the queue; one more fails with `Busy`.
 * 2. Nothing is published while there is no connection, so nothing piles up in the library below. What was in flight
 *    stays there and decides itself what to do when the connection is back.
 * 3. Calls are launched in the order in which they were started. (Publishing again after a lost connection or PubAck can
 *    change the order in which tasks are accepted.)
 * 4. A call ends exactly once: by an answer, its deadline, its caller, a refusal, or `close`. Whatever comes later finds no
 *    call under its number and is dropped.
 * 5. At most `POLLS_PER_SECOND_MAX` questions for missing outcomes are sent in a second: many that wait for a worker that is behind
 *    would ask for all that it can do.
 * 6. Nothing here throws at whoever delivers messages, events or time.
 */
import type { TroupeError } from '@troupe/wire';
import type { Call } from './call.ts';
import type { Clock } from './clock.ts';
import { DeadlineWheel } from './deadline-wheel.ts';
import { type About, busyError, clientError, closedError, deniedError } from './errors.ts';
import { Fifo } from './fifo.ts';
import { newId } from './task-ids.ts';
import type { Wire, WireEvent } from './wire.ts';

/** Questions for missing outcomes per second: the default `inFlightMax` asks every 5 s. */
const POLLS_PER_SECOND_MAX = 1_000;

/** Limits and names of an exchange. */
export interface ExchangeOptions {
  readonly inboxPrefix: string;
  readonly ackTimeoutMs: number;
  readonly inFlightMax: number;
  readonly queueMax: number;
}

export class Exchange {
  readonly wire: Wire;
  readonly clock: Clock;
  readonly options: ExchangeOptions;
  /** Reply addresses begin with it; it ends in a dot. */
  readonly inbox: string;
  /** True once a stream accepted anything, so that nobody answering means an election, not a missing stream. */
  everStored = false;
  readonly #wheel: DeadlineWheel;
  readonly #flight = new Map<number, Call>();
  readonly #queue = new Fifo<Call>();
  readonly #onDenied = new Map<string, Set<(error: TroupeError) => void>>();
  readonly #onReconnect = new Set<() => void>();
  readonly #onEnd = new Set<() => void>();
  #count = 0;
  #pollsSinceMs = Number.NEGATIVE_INFINITY;
  #polls = 0;
  #pumping = false;
  /** Why nothing can be started any more. */
  #ended: ((about: About) => TroupeError) | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(wire: Wire, clock: Clock, options: ExchangeOptions) {
    this.wire = wire;
    this.clock = clock;
    this.options = options;
    this.inbox = `${options.inboxPrefix}.${newId()}.`;
    this.#wheel = new DeadlineWheel(clock);
    wire.subscribe(`${this.inbox}*`, (subject, headers, payload) => this.#onMessage(subject, headers, payload));
    wire.onEvent((event) => this.#onEvent(event));
  }

  get inFlight(): number {
    return this.#flight.size;
  }
  get waiting(): number {
    return this.#queue.size;
  }
  get closed(): boolean {
    return this.#ended !== undefined;
  }

  /** The number of the next call. */
  nextNumber(): number {
    return ++this.#count;
  }

  /** Launches a call, or queues it, or fails it. */
  start(call: Call): void {
    const { inFlightMax, queueMax } = this.options;
    if (this.#ended !== undefined) {
      call.fail(this.#ended(call.about));
    } else if (this.wire.connected && this.#queue.size === 0 && this.#flight.size < inFlightMax) {
      this.#launch(call);
    } else if (this.#queue.size < queueMax) {
      call.place = 'queue';
      this.#queue.push(call);
      this.#wheel.set(call, call.endAt);
    } else call.fail(busyError(call.about, inFlightMax, queueMax));
  }

  /** When `call` wants to hear of the time next. */
  schedule(call: Call, dueAtMs: number): void {
    this.#wheel.set(call, dueAtMs);
  }

  /** Whether one more outcome may be asked for now (invariant 5); if not, in a second. */
  mayPoll(nowMs: number): boolean {
    if (nowMs - this.#pollsSinceMs >= 1_000) {
      this.#pollsSinceMs = nowMs;
      this.#polls = 0;
    }
    return this.#polls++ < POLLS_PER_SECOND_MAX;
  }

  /** To be called by a call as it ends, before it settles its promise. */
  end(call: Call): void {
    const { place } = call;
    call.place = 'done';
    this.#wheel.drop(call);
    if (place === 'queue') this.#queue.left();
    else if (place === 'flight') this.#flight.delete(call.n);
    if (this.#queue.size > 0) this.#pumpSoon();
    else if (this.#flight.size === 0 && this.#whenIdle.length > 0) this.#reportIdle();
  }

  /** Resolves once no call is under way. */
  idle(): Promise<void> {
    if (this.#flight.size === 0 && this.#queue.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Hears when the server refuses the subscription to `subject`. Returns how to stop. */
  onSubscriptionDenied(subject: string, listener: (error: TroupeError) => void): () => void {
    const listeners = this.#onDenied.get(subject) ?? new Set();
    this.#onDenied.set(subject, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#onDenied.delete(subject);
    };
  }

  /** Hears when the connection is back after a loss. Returns how to stop. */
  onReconnect(listener: () => void): () => void {
    this.#onReconnect.add(listener);
    return () => this.#onReconnect.delete(listener);
  }

  /** Hears when it is closed, by whomever. Returns how to stop. */
  onEnd(listener: () => void): () => void {
    this.#onEnd.add(listener);
    return () => this.#onEnd.delete(listener);
  }

  /** Why nothing can be started any more. */
  endedError(about: About): TroupeError {
    return (this.#ended ?? closedError)(about);
  }

  /** Fails everything under way, and whatever is started from now on. */
  close(reasonOf: (about: About) => TroupeError = closedError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reasonOf;
    for (const call of [...this.#flight.values()])
      call.fail(call.sent ? cutOffError(call.about, reasonOf) : reasonOf(call.about));
    for (let call = this.#queue.shift(); call !== undefined; call = this.#queue.shift()) {
      call.place = 'new';
      call.fail(reasonOf(call.about));
    }
    this.#wheel.close();
    for (const listener of [...this.#onEnd]) listener();
    this.#reportIdle();
  }

  #launch(call: Call): void {
    call.place = 'flight';
    this.#flight.set(call.n, call);
    call.launch(this.clock.monotonic());
  }

  /** Not at once: what ends together, such as all calls of one AbortSignal, makes room together. */
  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  /** Invariant 3. */
  #pump(): void {
    while (this.wire.connected && this.#flight.size < this.options.inFlightMax) {
      const call = this.#queue.shift();
      if (call === undefined) return;
      this.#launch(call);
    }
  }

  #reportIdle(): void {
    const listeners = this.#whenIdle;
    this.#whenIdle = [];
    for (const listener of listeners) listener();
  }

  /** The last token of the subject is the kind of answer and the number of the call (invariant 4). */
  #onMessage(subject: Uint8Array, headers: string, payload: Uint8Array): void {
    const from = this.inbox.length;
    let n = 0;
    for (let i = from + 1; i < subject.length; i++) n = n * 10 + subject[i]! - 0x30;
    this.#flight.get(n)?.onReply(subject[from]!, headers, payload);
  }

  #onEvent(event: WireEvent): void {
    switch (event.kind) {
      case 'disconnected':
        for (const call of [...this.#flight.values()]) call.onDisconnected();
        return;
      case 'connected':
        this.#onConnected();
        return;
      case 'denied':
        this.#onRefused(event.operation, event.subject);
        return;
      case 'closed':
        this.close((about) => lostError(about, this.wire.server, event.error));
    }
  }

  #onConnected(): void {
    const nowMs = this.clock.monotonic();
    for (const listener of [...this.#onReconnect]) listener();
    for (const call of [...this.#flight.values()]) if (!call.done) call.onConnected(nowMs);
    this.#pump();
  }

  #onRefused(operation: 'publish' | 'subscription', subject: string): void {
    if (operation === 'subscription' && subject === `${this.inbox}*`) {
      this.close((about) => deniedError(about, operation, subject));
    } else if (operation === 'subscription') {
      for (const listener of [...(this.#onDenied.get(subject) ?? [])]) listener(deniedError({}, operation, subject));
    } else {
      const refused = [...this.#flight.values()].filter((call) => call.subject === subject);
      for (const call of refused) call.fail(deniedError(call.about, operation, subject));
    }
  }
}

/** What was sent may have been accepted, whatever ended the connection. */
function cutOffError(about: About, reasonOf: (about: About) => TroupeError): TroupeError {
  const reason = reasonOf(about);
  const text = 'The client was closed before an answer came, so whether it took effect is unknown';
  return clientError('Closed', reason.code === 'Closed' ? `${text}.` : `${text}: ${reason.message}`, about, reason);
}

function lostError(about: About, server: string, cause: Error | undefined): TroupeError {
  const why = cause === undefined ? '' : ` (${cause.message})`;
  return clientError(
    'NotConnected',
    `The connection to ${server} ended for good${why}: check the credentials, then connect() again.`,
    about,
    cause,
  );
}
