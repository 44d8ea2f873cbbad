/**
 * Following what a turn publishes of itself while a caller waits for its outcome.
 *
 * Invariants
 * 1. It listens before the task is published, on the same connection, so that nothing of the beginning is missed.
 * 2. It stops when the call settles, however it does.
 */
import { decodePayload, HEADERS, type Subjects, TroupeError } from '@troupe/wire';
import type { Progress } from './call-options.ts';
import { cancelledError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { findHeader } from './header-block.ts';
import type { Target } from './target.ts';
import type { Subscription } from './wire.ts';

export class ProgressFollower {
  readonly #exchange: Exchange;
  readonly #target: Target;
  readonly #subject: string;
  readonly #onProgress: (progress: Progress) => void;
  #subscription: Subscription | undefined;

  /** Throws `ConfigInvalid` for a task without an id: nobody knows yet under which subject it publishes. */
  constructor(
    exchange: Exchange,
    subjects: Subjects,
    target: Target,
    taskId: string | undefined,
    onProgress: (progress: Progress) => void,
  ) {
    if (taskId === undefined)
      throw new TroupeError('ConfigInvalid', 'onProgress needs a task with an id: leave out named: false.');
    this.#exchange = exchange;
    this.#target = target;
    this.#subject = subjects.stream(target.address, taskId);
    this.#onProgress = onProgress;
  }

  /** A function that stops it, then settles. */
  stopping(settle: (value: unknown) => void): (value: unknown) => void {
    return (value) => {
      this.#subscription?.close();
      this.#subscription = undefined;
      settle(value);
    };
  }

  /** @param fail ends the call, when the listener throws or may not listen. */
  start(fail: (error: TroupeError) => void): void {
    const { wire } = this.#exchange;
    this.#subscription = wire.subscribe(this.#subject, (_subject, headers, payload) => {
      try {
        this.#onProgress(readProgress(headers, payload));
      } catch (error) {
        fail(cancelledError({ address: this.#target.address }, error));
      }
    });
  }
}

function readProgress(headers: string, payload: Uint8Array): Progress {
  const chunk = decodePayload(payload, findHeader(headers, HEADERS.contentType)).value;
  const n = Number(findHeader(headers, HEADERS.streamSeq) ?? 0);
  return { chunk, n, effectId: findHeader(headers, HEADERS.effectId) };
}
