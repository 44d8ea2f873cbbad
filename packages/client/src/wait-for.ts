/**
 * Waiting for a state: looked at when the actor publishes something, and otherwise at growing intervals, because a timer or a
 * signal can change a state without a word.
 *
 * Invariants
 * 1. One look at a time, and at least `PAUSE_MS` between two: a busy actor doesn't make a busy waiter.
 * 2. An actor that doesn't exist yet, or has no owner now, is waited for; every other refusal ends the waiting.
 */
import { isTroupeError, TroupeError } from '@troupe/wire';
import { type Clock, pause } from './clock.ts';
import { cancelledError, clientError } from './errors.ts';
import { publishedSeq } from './published-seq.ts';
import type { Requests } from './requests.ts';
import { type StateFields, type StateView, toStateView } from './state-view.ts';
import type { Target } from './target.ts';
import { checkedMs } from './task-message.ts';

/** Options of `waitFor`. */
export interface WaitForOptions {
  /** How long to wait, ms. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Stops waiting (`Cancelled`). */
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 30_000;
const PAUSE_MS = 20;
/** Looks without an occasion: after 100 ms, then half as long again each time, up to 2 s. */
const LOOK_MIN_MS = 100;
const LOOK_MAX_MS = 2_000;
/** Longest single look, ms. */
const READ_MS = 5_000;
const WAITED_FOR = ['NotFound', 'NoOwner', 'Timeout', 'NotConnected'];

/** What the actor published last, as a reason to look again. */
class Occasion {
  seq: number | undefined;
  #wake: AbortController | undefined;

  note(headers: string): void {
    this.seq = Math.max(this.seq ?? 0, publishedSeq(headers));
    this.#wake?.abort();
  }

  /** Ends after `delayMs`, at the next occasion, or when `signal` aborts. */
  async next(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    this.#wake = new AbortController();
    const either = signal === undefined ? this.#wake.signal : AbortSignal.any([signal, this.#wake.signal]);
    await pause(clock, delayMs, either);
    this.#wake = undefined;
  }
}

/** Resolves with the first state seen that `predicate` holds for. */
export async function waitForState(
  requests: Requests,
  target: Target,
  predicate: (state: StateView) => boolean,
  options: WaitForOptions,
): Promise<StateView> {
  const { clock, exchange } = requests;
  const endAt = clock.monotonic() + checkedMs('timeoutMs', options.timeoutMs, TIMEOUT_MS);
  const occasion = new Occasion();
  const subscription = exchange.wire.subscribe(target.out, (_subject, headers) => occasion.note(headers));
  let seen: StateView | TroupeError | undefined;
  let lookMs = LOOK_MIN_MS;
  try {
    for (;;) {
      const leftMs = endAt - clock.monotonic();
      if (leftMs <= 0) throw lateError(target, seen);
      const before = occasion.seq;
      seen = await look(requests, target, {
        timeoutMs: Math.min(READ_MS, leftMs),
        minSeq: before,
        signal: options.signal,
      });
      if (!(seen instanceof TroupeError) && predicate(seen)) return seen;
      await pause(clock, PAUSE_MS, options.signal);
      if (occasion.seq === before)
        await occasion.next(clock, Math.min(lookMs, endAt - clock.monotonic()), options.signal);
      if (options.signal?.aborted === true) throw cancelledError({ address: target.address }, options.signal.reason);
      lookMs = Math.min(lookMs * 1.5, LOOK_MAX_MS);
    }
  } finally {
    subscription.close();
  }
}

async function look(
  requests: Requests,
  target: Target,
  options: { timeoutMs: number; minSeq: number | undefined; signal: AbortSignal | undefined },
): Promise<StateView | TroupeError> {
  try {
    return toStateView((await requests.query(target, 'state', {}, options)) as Partial<StateFields>);
  } catch (error) {
    if (isTroupeError(error) && WAITED_FOR.includes(error.code)) return error;
    throw error;
  }
}

function lateError(target: Target, seen: StateView | TroupeError | undefined): TroupeError {
  const about = { address: target.address };
  if (seen === undefined)
    return clientError('Timeout', 'The state could not be read in time: see troupe doctor.', about);
  if (seen instanceof TroupeError)
    return clientError('Timeout', `The state was not reached in time; last: ${seen.message}`, about, seen);
  const { actor } = clientError('Timeout', '', about);
  const value = JSON.stringify(seen.value);
  return new TroupeError('Timeout', `The state was not reached in time; last seen at sequence ${seen.seq}: ${value}.`, {
    actor,
    details: { seq: seen.seq, value: seen.value, status: seen.status },
  });
}
