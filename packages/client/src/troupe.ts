/** The client: one connection to a troupe. */
import { createSubjects } from '@troupe/wire';
import { type ActorRef, createActorRef } from './actor-ref.ts';
import { type Clock, pause } from './clock.ts';
import type { ActorContract, AnyEvent, EventOfContract, InputOfContract, OutputOfContract } from './contract.ts';
import { Exchange, type ExchangeOptions } from './exchange.ts';
import { type ActorPage, type ListOptions, listActors } from './listing.ts';
import { Requests } from './requests.ts';
import { targetOf } from './target.ts';
import { Tracing, type TracingOptions } from './tracing.ts';
import type { Wire } from './wire.ts';

/** How much a connection has to do. */
export interface TroupeStatus {
  readonly connected: boolean;
  /** Address of the server, without credentials. */
  readonly server: string;
  /** Requests under way. */
  readonly inFlight: number;
  /** Requests that wait for their turn. */
  readonly waiting: number;
}

/** Options of `close`. */
export interface CloseOptions {
  /** How long requests that are under way may go on, ms. Default 0: they are rejected with `Closed` at once. */
  readonly drainMs?: number | undefined;
}

/** How long the server may take to confirm what was published before closing, ms. */
const FLUSH_MS = 2_000;

type TroupeOptions = ExchangeOptions & TracingOptions & { readonly prefix: string };

/** A client over any wire, in any time; `connect` makes the usual one. */
export let createTroupe: (wire: Wire, clock: Clock, options: TroupeOptions) => Troupe;

/**
 * A connection to a troupe. One per process will do: requests share it and don't wait for each other.
 *
 * @example
 * await using troupe = await connect();
 * const john = troupe.actor('support', 'john');
 */
export class Troupe implements AsyncDisposable {
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #exchange: Exchange;
  readonly #requests: Requests;
  #closing: Promise<void> | undefined;

  static {
    createTroupe = (wire, clock, options) => new Troupe(wire, clock, options);
  }

  private constructor(wire: Wire, clock: Clock, options: TroupeOptions) {
    this.#wire = wire;
    this.#clock = clock;
    this.#exchange = new Exchange(wire, clock, options);
    const isTraced = options.trace !== undefined || options.onSpan !== undefined;
    const tracing = isTraced ? new Tracing(options, clock) : undefined;
    this.#requests = new Requests(this.#exchange, clock, createSubjects(options.prefix), tracing);
  }

  /** How much it has to do right now. */
  get status(): TroupeStatus {
    const { connected, server } = this.#wire;
    return { connected, server, inFlight: this.#exchange.inFlight, waiting: this.#exchange.waiting };
  }

  /**
   * A reference to an actor. Nothing is sent; the actor need not exist.
   *
   * @param contract The actor type, or a contract, which types what can be said to it.
   * @param key Which one: 1 to 256 bytes.
   * @throws TroupeError `InvalidType`, `InvalidKey`.
   * @example
   * const john = troupe.actor('support', 'john');
   * const typed = troupe.actor(support, 'john');
   */
  actor(type: string, key: string): ActorRef<unknown, unknown, AnyEvent>;
  actor<const TContract extends ActorContract>(
    contract: TContract,
    key: string,
  ): ActorRef<InputOfContract<TContract>, OutputOfContract<TContract>, EventOfContract<TContract>>;
  actor(contract: string | ActorContract, key: string): ActorRef<unknown, unknown, AnyEvent> {
    const type = typeof contract === 'string' ? contract : contract.type;
    return createActorRef(this.#requests, targetOf(this.#requests.subjects, { type, key }));
  }

  /**
   * A page of the actors there are, with their states. Needs the role of an operator. Iterating over the page goes on with
   * the pages behind it.
   *
   * @example
   * const page = await troupe.actors({ type: 'support', limit: 50 });
   * for await (const { key, value } of page) console.log(key, value);
   */
  actors(options: ListOptions = {}): Promise<ActorPage> {
    return listActors(this.#requests, options);
  }

  /** Throws `Closed` or what ended the connection, when it ended. */
  assertOpen(): void {
    if (this.#exchange.closed) throw this.#exchange.endedError({});
  }

  /**
   * Closes the connection: waits up to `drainMs` for what is under way, rejects the rest and every later call with `Closed`,
   * and makes sure that the server has got what was sent. Idempotent. Never rejects.
   */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainMs ?? 0);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(drainMs: number): Promise<void> {
    if (drainMs > 0) await this.#within(drainMs, this.#exchange.idle());
    this.#exchange.close();
    await this.#within(FLUSH_MS, this.#wire.connected ? this.#wire.flush() : Promise.resolve());
    await this.#within(FLUSH_MS, this.#wire.close());
  }

  async #within(waitMs: number, work: Promise<void>): Promise<void> {
    const stop = new AbortController();
    const ended = work.catch(() => {}).finally(() => stop.abort());
    await Promise.race([ended, pause(this.#clock, waitMs, stop.signal)]);
  }
}
