/**
 * Compare-and-set over a store that may lose acknowledgements. Shared by both implementations of the ports, so that the
 * simulation exercises the very decisions that run in production.
 *
 * Invariants
 * 1. A definite mismatch on an attempt whose forerunners all had a definite answer is a conflict.
 * 2. After an attempt without an answer, nothing is reported before the leader was read: what is stored is ours (saved),
 *    is still what was expected (the same bytes are sent again: the comparison makes that safe), or is another's
 *    (conflict).
 * 3. "Busy" (10164 on a replicated stream: another write to this subject is in flight) says nothing about who wins: wait
 *    a moment and try again.
 */
import { type Clock, PortError, type SaveResult } from './ports.ts';

/** What the store answered to one attempt. */
export type WriteAttempt =
  | { readonly kind: 'stored'; readonly revision: number }
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'busy' };

export interface ConditionalWrite {
  readonly clock: Clock;
  /** Time for everything together, ms. Default 5,000. */
  readonly deadlineMs?: number;
  /** 0: nothing must be stored yet. Undefined: no comparison, the last write wins. */
  readonly expectedRevision: number | undefined;
  /** Sends the write once. Rejects with `timeout` or `disconnected` when nobody knows whether it was stored. */
  attempt(timeoutMs: number): Promise<WriteAttempt>;
  /** What is stored now, from the leader, and whether this very call wrote it. */
  readBack(timeoutMs: number): Promise<{ readonly revision: number; readonly mine: boolean } | undefined>;
}

/** Default deadline of every port call, ms. */
export const PORT_DEADLINE_MS = 5_000;

/** After this long without an answer the leader is asked what is stored. */
const ATTEMPT_TIMEOUT_MS = 2_000;
const BUSY_WAIT_MS = 3;
const BUSY_WAIT_MAX_MS = 50;
const RETRY_WAIT_MS = 20;

/** Runs a conditional write to a definite result, or rejects at the deadline with the last `PortError`. */
export async function compareAndSet(write: ConditionalWrite): Promise<SaveResult> {
  const { clock } = write;
  const endAt = clock.monotonic() + (write.deadlineMs ?? PORT_DEADLINE_MS);
  let doubt: PortError | undefined;
  for (let round = 1; ; round++) {
    const timeoutMs = Math.min(ATTEMPT_TIMEOUT_MS, endAt - clock.monotonic());
    if (timeoutMs <= 0) throw doubt ?? new PortError('timeout', 'the store stayed busy until the deadline');
    try {
      if (doubt !== undefined) {
        const known = decide(await write.readBack(timeoutMs), write.expectedRevision);
        if (known !== undefined) return known;
      }
      const answer = await write.attempt(timeoutMs);
      if (answer.kind === 'stored') return { kind: 'saved', revision: answer.revision };
      if (answer.kind === 'mismatch' && doubt === undefined) return { kind: 'conflict' };
      if (answer.kind === 'busy') await wait(clock, Math.min(BUSY_WAIT_MS * round, BUSY_WAIT_MAX_MS));
    } catch (error) {
      if (!isDoubt(error)) throw error;
      doubt = error;
      await wait(clock, RETRY_WAIT_MS);
    }
  }
}

/** Invariant 2; undefined: send it again. */
function decide(
  stored: { readonly revision: number; readonly mine: boolean } | undefined,
  expectedRevision: number | undefined,
): SaveResult | undefined {
  if (stored?.mine) return { kind: 'saved', revision: stored.revision };
  if (expectedRevision !== undefined && (stored?.revision ?? 0) !== expectedRevision) return { kind: 'conflict' };
  return undefined;
}

function isDoubt(error: unknown): error is PortError {
  return error instanceof PortError && (error.kind === 'timeout' || error.kind === 'disconnected');
}

function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(resolve, ms);
  });
}
