/**
 * A read: asked again until somebody answers or its time is over. Reads change nothing, so asking twice does no harm, and
 * whichever answer comes first will do.
 */
import { HEADERS, type TroupeError } from '@troupe/wire';
import { AnswerParts, pageMarkOf } from './answer-parts.ts';
import { Call } from './call.ts';
import { type About, clientError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { headerLine } from './header-block.ts';
import { readReply } from './reply.ts';

/** How long an answer may take before the question is asked again, ms: the owner may have died with it. */
export const ATTEMPT_MS = 2_000;
/** Nobody could answer now: nobody owned the actor, or its owner had too many queries under way. */
const RETRIED: readonly string[] = ['NoOwner', 'Busy'];
/** Wait before asking again then, doubled each time, ms. */
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 1_000;

/** What to ask. */
export interface RequestSpec {
  readonly subject: string;
  /** Header block, open at its end. */
  readonly headers: string;
  readonly payload: Uint8Array;
  readonly about: About;
  /** Monotonic ms. */
  readonly endAt: number;
  /** Takes an answer in pages. */
  readonly paged: boolean;
}

export class RequestCall extends Call {
  readonly #exchange: Exchange;
  readonly #spec: RequestSpec;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;
  #sent = false;
  #refusals = 0;
  #refusal: TroupeError | undefined;
  readonly #parts = new AnswerParts();

  constructor(
    exchange: Exchange,
    n: number,
    spec: RequestSpec,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    super(n, spec.subject, spec.about);
    this.#exchange = exchange;
    this.#spec = spec;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  override get endAt(): number {
    return this.#spec.endAt;
  }

  override get sent(): boolean {
    return this.#sent;
  }

  override launch(nowMs: number): void {
    const { subject, headers: open, payload, paged } = this.#spec;
    const headers = `${open}${paged ? headerLine(HEADERS.page, this.#parts.wanted) : ''}\r\n`;
    this.#sent = true;
    this.#scheduleIn(nowMs, ATTEMPT_MS);
    try {
      this.#exchange.wire.publish(subject, `${this.#exchange.inbox}q${this.n}`, headers, payload);
    } catch (cause) {
      this.fail(
        clientError('Internal', `Publishing to ${subject} failed: ${(cause as Error).message}.`, this.about, cause),
      );
    }
  }

  override onReply(_kind: number, headers: string, payload: Uint8Array): void {
    const mark = pageMarkOf(headers);
    if (mark !== undefined && !this.#parts.add(mark, payload)) return;
    if (mark !== undefined && !this.#parts.complete) {
      this.launch(this.#exchange.clock.monotonic());
      return;
    }
    const reply = readReply(headers, mark === undefined ? payload : this.#parts.whole(), this.about);
    if (reply.ok) {
      this.#exchange.end(this);
      this.#resolve(reply.value);
    } else if (RETRIED.includes(reply.error.code)) this.#onNobodyCould(reply.error);
    else if (reply.error.code === 'PageExpired' && this.#parts.startAgain())
      this.launch(this.#exchange.clock.monotonic());
    else this.fail(reply.error);
  }

  override onDisconnected(): void {}

  override onConnected(nowMs: number): void {
    this.launch(nowMs);
  }

  override onDue(nowMs: number): void {
    if (this.done) return;
    if (nowMs >= this.#spec.endAt) this.fail(this.#refusal ?? this.#lateError());
    else if (this.place === 'flight' && this.#exchange.wire.connected) this.launch(nowMs);
    else this.#scheduleIn(nowMs, Number.POSITIVE_INFINITY);
  }

  override fail(error: TroupeError): void {
    if (this.done) return;
    this.#exchange.end(this);
    this.#reject(error);
  }

  #onNobodyCould(error: TroupeError): void {
    this.#refusal = error;
    const delayMs = Math.min(RETRY_MIN_MS * 2 ** this.#refusals++, RETRY_MAX_MS);
    this.#scheduleIn(this.#exchange.clock.monotonic(), delayMs);
  }

  #scheduleIn(nowMs: number, delayMs: number): void {
    this.#exchange.schedule(this, Math.min(nowMs + delayMs, this.#spec.endAt));
  }

  #lateError(): TroupeError {
    const { wire } = this.#exchange;
    if (wire.connected)
      return clientError('Timeout', 'No answer came in time: raise timeoutMs, or see troupe doctor.', this.about);
    return clientError(
      'NotConnected',
      `There is no connection to ${wire.server}: check that nats-server runs.`,
      this.about,
    );
  }
}
