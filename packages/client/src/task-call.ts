/**
 * A task or signal on its way: publish, PubAck, outcome, and what to do when one of them doesn't come.
 *
 * Invariants
 * 1. A named task is published again, byte for byte the same, until its PubAck or its deadline: the actor knows the id, so
 *    it takes effect once. An unnamed one is published at most once.
 * 2. Rejected without `Timeout`, `NotConnected`, `Cancelled` or `Closed` while sent means: it was not accepted, or this is
 *    its outcome.
 * 3. After the PubAck an outcome is certain to exist one day. Should its message be lost, the actor is asked for it: 2 s,
 *    then 4 s, then every 5 s, and at once after a reconnect; later where thousands wait. "Unknown" then means not yet applied: go on waiting.
 * 4. An outcome proves acceptance, whether or not its PubAck came.
 * 5. Never later than its deadline (and `GRACE_MS` for the actor's own word on it), something settles it.
 */
import { type ContentType, TroupeError } from '@troupe/wire';
import { Call, REPLY } from './call.ts';
import { clientError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { type PolledOutcome, readOutcome, readPolledOutcome } from './outcome.ts';
import { type PubAck, readPubAck } from './pub-ack.ts';
import type { Target } from './target.ts';

/** How long after a turn's deadline the client waits for the actor's own `DeadlineExceeded`, ms. */
export const GRACE_MS = 500;

/** When the actor is asked for a missing outcome, ms after the one before; the last one repeats. */
const POLL_AFTER_MS = [4_000, 5_000];
/** When too many are asked for in this second. */
const POLL_LATER_MS = 1_000;
/** How long nobody may listen on the task subject before it is refused: an election takes 4 to 9 s, and pauses of 14 s
 * have been seen when a leader was killed on a busy machine. */
const PATIENCE_ELECTION_MS = 20_000;
const RETRY_NOBODY_MS = 250;

/** Everything about a task that doesn't change on its way. */
export interface TaskSpec {
  readonly target: Target;
  /** The task or the signal subject. */
  readonly subject: string;
  /** Header block, complete. */
  readonly headers: string;
  readonly payload: Uint8Array;
  /** Undefined: unnamed. */
  readonly taskId: string | undefined;
  readonly contentType: ContentType;
  /** Monotonic ms. */
  readonly endAt: number;
  /** Resolve with the outcome, or as soon as it is stored with `{ seq, taskId }`. */
  readonly until: 'outcome' | 'stored';
}

/** How far it has come. */
type Phase =
  /** Not published, or the connection it was published on is gone. */
  | 'unsent'
  | 'sent'
  /** The server said that nobody takes it; it is tried again. */
  | 'refused'
  | 'accepted';

export class TaskCall extends Call {
  readonly #exchange: Exchange;
  readonly #spec: TaskSpec;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;
  #phase: Phase = 'unsent';
  #everSent = false;
  /** Publishes that nothing was heard of: each of them may have been accepted. */
  #unanswered = 0;
  #seq = 0;
  #polls = 0;
  /** Since when nobody takes it; 0 while somebody may. */
  #refusedSince = 0;
  #refusal: TroupeError | undefined;

  constructor(
    exchange: Exchange,
    n: number,
    spec: TaskSpec,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    super(n, spec.subject, { address: spec.target.address, taskId: spec.taskId });
    this.#exchange = exchange;
    this.#spec = spec;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  override get endAt(): number {
    return this.#spec.endAt;
  }

  override get sent(): boolean {
    return this.#everSent;
  }

  override launch(nowMs: number): void {
    const { subject, headers, payload } = this.#spec;
    this.#phase = 'sent';
    this.#everSent = true;
    this.#unanswered++;
    this.#scheduleIn(nowMs, this.#exchange.options.ackTimeoutMs);
    try {
      this.#exchange.wire.publish(subject, `${this.#exchange.inbox}a${this.n}`, headers, payload);
    } catch (cause) {
      this.fail(
        clientError('Internal', `Publishing to ${subject} failed: ${(cause as Error).message}.`, this.about, cause),
      );
    }
  }

  override onReply(kind: number, headers: string, payload: Uint8Array): void {
    if (kind === REPLY.ack) this.#onPubAck(readPubAck(headers, payload));
    else if (kind === REPLY.outcome) this.#onOutcome(headers, payload);
    else if (kind === REPLY.query)
      this.#onPolled(readPolledOutcome(headers, payload, this.#spec.contentType, this.about));
  }

  override onDisconnected(): void {
    if (this.#phase === 'accepted') return;
    if (this.#spec.taskId !== undefined || !this.#everSent) this.#phase = 'unsent';
    else this.fail(this.#unknownError('The connection was lost before the PubAck came'));
  }

  override onConnected(nowMs: number): void {
    if (this.#phase === 'accepted') this.#poll(nowMs);
    else this.launch(nowMs);
  }

  override onDue(nowMs: number): void {
    if (this.done) return;
    if (nowMs >= this.#spec.endAt) this.fail(this.#lateError());
    else if (!this.#exchange.wire.connected || this.place === 'queue')
      this.#scheduleIn(nowMs, Number.POSITIVE_INFINITY);
    else if (this.#phase === 'accepted') this.#poll(nowMs);
    else if (this.#spec.taskId !== undefined) this.launch(nowMs);
    else this.#scheduleIn(nowMs, Number.POSITIVE_INFINITY);
  }

  override fail(error: TroupeError): void {
    if (this.done) return;
    this.#exchange.end(this);
    this.#reject(error);
  }

  #succeed(value: unknown): void {
    this.#exchange.end(this);
    this.#resolve(value);
  }

  /** On the way of nearly every task, so it neither reads the time nor moves the deadline. */
  #onPubAck(ack: PubAck): void {
    if (this.#phase === 'accepted') return;
    this.#unanswered--;
    if (ack.kind === 'stored') this.#onStored(ack.seq);
    else if (ack.kind === 'refused') this.#onRefused(aboutTask(ack.error, this));
    else this.#onNobody(ack.kind === 'unavailable' ? ack.error : nobodyError(this.subject));
  }

  #onStored(seq: number): void {
    this.#phase = 'accepted';
    this.#seq = seq;
    this.#exchange.everStored = true;
    if (this.#spec.until === 'stored') this.#succeed({ seq, taskId: this.#spec.taskId ?? `${seq}` });
  }

  /** Invariant 1: an unnamed task is not tried again, although nothing was stored. */
  #onNobody(error: TroupeError): void {
    const nowMs = this.#exchange.clock.monotonic();
    const { everStored, options } = this.#exchange;
    this.#refusal = aboutTask(error, this);
    if (this.#refusedSince === 0) this.#refusedSince = nowMs;
    const patienceMs = everStored ? PATIENCE_ELECTION_MS : options.ackTimeoutMs;
    if (nowMs - this.#refusedSince >= patienceMs || this.#spec.taskId === undefined) {
      this.#onRefused(this.#refusal);
      return;
    }
    this.#phase = 'refused';
    this.#scheduleIn(nowMs, RETRY_NOBODY_MS);
  }

  /** Invariant 2: a repeat that is refused says nothing about the publish before it. */
  #onRefused(error: TroupeError): void {
    this.fail(
      this.#unanswered > 0 ? this.#unknownError('A repeat was refused after a PubAck did not come', error) : error,
    );
  }

  #onOutcome(headers: string, payload: Uint8Array): void {
    if (this.#spec.until !== 'outcome') return;
    const outcome = readOutcome(headers, payload, this.about);
    if (outcome.ok) this.#succeed(outcome.value);
    else this.fail(outcome.error);
  }

  /** Invariant 3. */
  #poll(nowMs: number): void {
    if (!this.#exchange.mayPoll(nowMs)) {
      this.#scheduleIn(nowMs, POLL_LATER_MS);
      return;
    }
    const delayMs = POLL_AFTER_MS[this.#polls++] ?? POLL_AFTER_MS.at(-1)!;
    this.#scheduleIn(nowMs, delayMs);
    const { target, taskId } = this.#spec;
    const { inbox, wire } = this.#exchange;
    wire.publish(target.query, `${inbox}q${this.n}`, '', outcomeQuery(taskId ?? `${this.#seq}`));
  }

  #onPolled(polled: PolledOutcome): void {
    if (polled.kind === 'open' || this.#spec.until !== 'outcome') return;
    if (polled.kind === 'ended') this.#succeed(polled.value);
    else this.fail(polled.error);
  }

  #scheduleIn(nowMs: number, delayMs: number): void {
    this.#exchange.schedule(this, Math.min(nowMs + delayMs, this.#spec.endAt));
  }

  #lateError(): TroupeError {
    const { wire } = this.#exchange;
    if (this.#phase === 'accepted') {
      const text = `The task was accepted at sequence ${this.#seq}, but no outcome came in time: it goes on; look with outcome('${this.#spec.taskId ?? this.#seq}').`;
      return clientError('Timeout', text, this.about);
    }
    if (this.#refusal !== undefined && this.#phase === 'refused') return this.#refusal;
    if (this.#everSent) return this.#unknownError('No PubAck came in time');
    if (wire.connected)
      return clientError(
        'Timeout',
        'It waited in the queue of this client until its deadline, nothing was sent: send less at once.',
        this.about,
      );
    return clientError(
      'NotConnected',
      `There was no connection to ${wire.server} until the deadline, nothing was sent: check that nats-server runs.`,
      this.about,
    );
  }

  #unknownError(what: string, cause?: TroupeError): TroupeError {
    const next =
      this.#spec.taskId === undefined
        ? 'look at the state of the actor before you send it again.'
        : `send it again with taskId '${this.#spec.taskId}', which takes effect once.`;
    return clientError('Timeout', `${what}, so whether the task was accepted is unknown: ${next}`, this.about, cause);
  }
}

const encoder = new TextEncoder();

function outcomeQuery(taskId: string): Uint8Array {
  return encoder.encode(JSON.stringify({ query: 'outcome', taskId }));
}

function nobodyError(subject: string): TroupeError {
  return new TroupeError(
    'NotAccepted',
    `No journal stream takes ${subject}: is a worker running (troupe dev, or troupe worker)? It makes the stream; see troupe doctor.`,
  );
}

/** The same error, saying whom it concerns. */
function aboutTask(error: TroupeError, call: TaskCall): TroupeError {
  const { code, message, details, retryable } = error;
  const said = clientError(code, message, call.about);
  return new TroupeError(code, message, { actor: said.actor, taskId: said.taskId, details, retryable, cause: error });
}
