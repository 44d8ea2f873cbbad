/**
 * What an actor tells the world while somebody listens: outcomes of its turns and events that its machine emits.
 *
 * Invariants
 * 1. At most `bufferMax` events wait for the reader; beyond that the oldest are dropped and counted.
 * 2. At least once: after a takeover an event can come again, with the same `effectId`. Nothing is made up for while the
 *    connection is away; each such gap is counted.
 */
import { decodeOutcome, type TroupeError } from '@troupe/wire';
import { cancelledError, closedError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { findHeader } from './header-block.ts';
import { readOutcome, type TaskOutcome } from './outcome.ts';
import { publishedSeq } from './published-seq.ts';
import type { Target } from './target.ts';
import type { Subscription } from './wire.ts';

/** Something an actor published. */
export type WatchEvent<TOutput = unknown> = WatchedOutcome<TOutput> | WatchedEvent;

/** A turn ended. */
export type WatchedOutcome<TOutput = unknown> = TaskOutcome<TOutput> & {
  readonly kind: 'outcome';
  /** The id given by the client, else the sequence of the task. */
  readonly taskId: string;
  /** Sequence of the journal entry that ended it; 0 when not told. */
  readonly seq: number;
  /** The same for repeats of the same thing. */
  readonly effectId: string | undefined;
};

/** The machine emitted an event. */
export interface WatchedEvent {
  readonly kind: 'event';
  readonly event: unknown;
  /** Sequence of the journal entry that caused it; 0 when not told. */
  readonly seq: number;
  /** The same for repeats of the same thing. */
  readonly effectId: string | undefined;
}

/** Options of `watch`. */
export interface WatchOptions {
  /** Events kept for a slow reader. Default 1,024. */
  readonly bufferMax?: number | undefined;
  /** Ends the iteration with `Cancelled`. */
  readonly signal?: AbortSignal | undefined;
}

const BUFFER_MAX = 1_024;

/** Makes a watch; `ActorRef.watch` does. */
export let createWatch: <TOutput>(exchange: Exchange, target: Target, options: WatchOptions) => Watch<TOutput>;

/**
 * A running watch. It listens from the moment it is made until the loop over it is left, or `close`.
 *
 * @example
 * await using events = john.watch();
 * for await (const event of events) if (event.kind === 'outcome' && event.ok) console.log(event.value);
 */
export class Watch<TOutput = unknown>
  implements AsyncIterableIterator<WatchEvent<TOutput>, undefined>, AsyncDisposable
{
  readonly #target: Target;
  readonly #bufferMax: number;
  readonly #subscription: Subscription;
  readonly #stops: (() => void)[] = [];
  #buffer: WatchEvent<TOutput>[] = [];
  #waiting: { resolve(next: IteratorResult<WatchEvent<TOutput>, undefined>): void; reject(error: unknown): void }[] =
    [];
  #end: { readonly error: TroupeError | undefined } | undefined;
  #dropped = 0;
  #gaps = 0;

  static {
    createWatch = (exchange, target, options) => new Watch(exchange, target, options);
  }

  private constructor(exchange: Exchange, target: Target, options: WatchOptions) {
    this.#target = target;
    this.#bufferMax = Math.max(1, options.bufferMax ?? BUFFER_MAX);
    if (exchange.closed) throw closedError({ address: target.address });
    this.#subscription = exchange.wire.subscribe(target.out, (_subject, headers, payload) => {
      this.#push(this.#read(headers, payload));
    });
    this.#stops.push(exchange.onSubscriptionDenied(target.out, (error) => this.#finish(error)));
    this.#stops.push(exchange.onEnd(() => this.#finish(exchange.endedError({ address: target.address }))));
    this.#stops.push(exchange.onReconnect(() => this.#gaps++));
    this.#follow(options.signal);
  }

  /** Events that were thrown away because nobody took them in time. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How often the connection was lost meanwhile, and with it what the actor published. */
  get gaps(): number {
    return this.#gaps;
  }

  next(): Promise<IteratorResult<WatchEvent<TOutput>, undefined>> {
    const event = this.#buffer.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#end?.error !== undefined) return Promise.reject(this.#end.error);
    if (this.#end !== undefined) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<WatchEvent<TOutput>, undefined>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Stops listening and drops what is buffered. Idempotent. */
  close(): void {
    this.#buffer = [];
    this.#finish(undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #push(event: WatchEvent<TOutput>): void {
    if (this.#end !== undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve({ done: false, value: event });
    else this.#keep(event);
  }

  #keep(event: WatchEvent<TOutput>): void {
    this.#buffer.push(event);
    if (this.#buffer.length <= this.#bufferMax) return;
    this.#buffer.shift();
    this.#dropped++;
  }

  #finish(error: TroupeError | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#subscription.close();
    for (const stop of this.#stops) stop();
    for (const { resolve, reject } of this.#waiting) {
      if (error === undefined) resolve({ done: true, value: undefined });
      else reject(error);
    }
    this.#waiting = [];
  }

  #read(headers: string, payload: Uint8Array): WatchEvent<TOutput> {
    const about = { address: this.#target.address };
    const { effectId, taskId } = decodeOutcome({ payload, header: (name) => findHeader(headers, name) });
    const published = { seq: publishedSeq(headers), effectId };
    const read = readOutcome(headers, payload, taskId === undefined ? about : { ...about, taskId });
    if (taskId !== undefined) return { kind: 'outcome', taskId, ...(read as TaskOutcome<TOutput>), ...published };
    return { kind: 'event', event: read.ok ? read.value : undefined, ...published };
  }

  #follow(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    const onAbort = (): void => this.#finish(cancelledError({ address: this.#target.address }, signal.reason));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    this.#stops.push(() => signal.removeEventListener('abort', onAbort));
  }
}
