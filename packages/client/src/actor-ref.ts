/** One actor, seen from outside. */
import type { ActorAddress } from '@troupe/wire';
import type { Accepted, AskOptions, ReadOptions, SendOptions, SignalOptions } from './call-options.ts';
import { type HistoryEntry, type HistoryOptions, readHistory } from './history.ts';
import { type OutcomeView, toOutcomeView } from './outcome.ts';
import type { Requests } from './requests.ts';
import { type StateFields, type StateView, toStateView } from './state-view.ts';
import type { Target } from './target.ts';
import { type WaitForOptions, waitForState } from './wait-for.ts';
import { createWatch, type Watch, type WatchOptions } from './watch.ts';

/** Makes a reference; `Troupe.actor` does. */
export let createActorRef: <TInput, TOutput, TEvent extends { readonly type: string }>(
  requests: Requests,
  target: Target,
) => ActorRef<TInput, TOutput, TEvent>;

/**
 * One actor, wherever it lives and whether or not it exists yet: making a reference costs nothing and sends nothing. Made by
 * `troupe.actor(type, key)`.
 *
 * Every method rejects with a `TroupeError`; `code` says what happened, `retryable` whether the same call can succeed later.
 * Besides the actor's own errors these are `NotAccepted`, `StreamFull`, `PayloadTooLarge`, `PermissionDenied` (it was not
 * accepted), `NotConnected`, `Timeout` (see the message for what is known), `Busy`, `Cancelled` and `Closed`.
 *
 * @typeParam TInput What a task carries.
 * @typeParam TOutput What a turn replies.
 * @typeParam TEvent Events it takes.
 */
export class ActorRef<
  TInput = unknown,
  TOutput = unknown,
  TEvent extends { readonly type: string } = { readonly type: string },
> {
  readonly #requests: Requests;
  readonly #target: Target;

  static {
    createActorRef = (requests, target) => new ActorRef(requests, target);
  }

  private constructor(requests: Requests, target: Target) {
    this.#requests = requests;
    this.#target = target;
  }

  /** Which actor. */
  get address(): ActorAddress {
    return this.#target.address;
  }

  /**
   * Sends a task and waits for its outcome: what the turn replied. A connection that breaks meanwhile, a lost PubAck, a worker
   * that dies: the task still takes effect once, and the outcome still comes (see `named`).
   *
   * @throws TroupeError The outcome's, when the turn failed; `Timeout` when none came in time although the task may go on.
   * @example
   * const answer = await john.ask('My name is John', { deadlineMs: 5_000, taskId: 'hello-1' });
   */
  ask(input: TInput | TEvent, options?: AskOptions): Promise<TOutput> {
    return this.#requests.ask(this.#target, input, options) as Promise<TOutput>;
  }

  /**
   * Sends a task and waits until it is accepted, which is durable. How it ends is told by `outcome(taskId)` or `watch()`.
   *
   * @example
   * const { seq, taskId } = await john.send({ text: 'later will do' });
   */
  send(input: TInput | TEvent, options?: SendOptions): Promise<Accepted> {
    return this.#requests.send(this.#target, input, options);
  }

  /**
   * Sends an event that is applied at once, also while a turn is open, and waits until it is accepted.
   *
   * @example
   * await john.signal({ type: 'approve', by: 'ann' });
   */
  signal(event: TEvent, options?: SignalOptions): Promise<Accepted> {
    return this.#requests.signal(this.#target, event, options);
  }

  /**
   * Asks the owner something. Never waits behind a turn, never creates the actor, changes nothing.
   *
   * @param name `state`, `history`, `outcome`, `timers`, or what the definition adds, such as `search` of a memory.
   * @param args Its arguments. A field named `query` is overwritten.
   * @throws TroupeError `NotFound` for an actor that never was, `NoOwner` when nobody owned it in time.
   * @example
   * const hits = await troupe.actor('memory', 'john').query('search', { text: 'shoe size', k: 3 });
   */
  query(name: string, args: Readonly<Record<string, unknown>> = {}, options?: ReadOptions): Promise<unknown> {
    return this.#requests.query(this.#target, name, args, options);
  }

  /**
   * The state as of now, or as of `minSeq` or later.
   *
   * @throws TroupeError As `query`.
   * @example
   * const { seq } = await john.send({ type: 'pay' });
   * const paid = (await john.snapshot({ minSeq: seq })).matches('paid');
   */
  async snapshot(options?: ReadOptions): Promise<StateView> {
    return toStateView((await this.query('state', {}, options)) as Partial<StateFields>);
  }

  /**
   * What became of a task: under way, unknown to the actor, or how it ended. Known for 24 hours after it was accepted.
   *
   * @param taskId As returned by `send`.
   * @throws TroupeError `OutcomeExpired` when it ended, but how is no longer remembered.
   * @example
   * const outcome = await john.outcome(taskId);
   * if (outcome.status === 'ended' && outcome.ok) console.log(outcome.value);
   */
  async outcome(taskId: string, options?: ReadOptions): Promise<OutcomeView<TOutput>> {
    const about = { address: this.#target.address, taskId };
    return toOutcomeView(await this.query('outcome', { taskId }, options), about) as OutcomeView<TOutput>;
  }

  /**
   * The journal, oldest entry first, read page by page as the loop goes on.
   *
   * @example
   * for await (const entry of john.history({ last: 20 })) console.log(entry.seq, entry.body.kind);
   */
  history(options: HistoryOptions = {}): AsyncGenerator<HistoryEntry, void> {
    return readHistory(this.#requests, this.#target, options);
  }

  /**
   * Waits until the state is as wished, and returns it. A state that came and went between two looks can be missed.
   *
   * @throws TroupeError `Timeout`, with the last state seen in `details`; whatever `predicate` throws.
   * @example
   * await order.waitFor((state) => state.matches('settled'), { timeoutMs: 30_000 });
   */
  waitFor(predicate: (state: StateView) => boolean, options: WaitForOptions = {}): Promise<StateView> {
    return waitForState(this.#requests, this.#target, predicate, options);
  }

  /**
   * What the actor publishes from now on: outcomes of turns and emitted events. Leaving the loop stops it.
   *
   * @example
   * for await (const event of john.watch()) console.log(event);
   */
  watch(options: WatchOptions = {}): Watch<TOutput> {
    return createWatch<TOutput>(this.#requests.exchange, this.#target, options);
  }
}
