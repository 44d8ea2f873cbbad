/** What counts as a failure of a step, and when two are the same. */
import type { Effect } from '@troupe/core';

/**
 * `refused`: the entry became a dead letter. `failed`: a turn ended with an error. `thrown`: the step itself threw, so that the
 * actor is suspended. `expectation`: a state that somebody said must never be.
 */
export type FailureKind = 'refused' | 'failed' | 'thrown' | 'expectation';

export interface StepFailure {
  readonly kind: FailureKind;
  /** Entry in whose step it showed. */
  readonly seq: number;
  readonly code: string;
  readonly message: string;
}

/** The failure among what a step wants done: the refusal first, which is the cause. */
export function failureAmong(seq: number, effects: readonly Effect[]): StepFailure | undefined {
  for (const effect of effects)
    if (effect.kind === 'dead-letter') return { kind: 'refused', seq, ...codeOf(effect.error) };
  for (const effect of effects)
    if ((effect.kind === 'reply' || effect.kind === 'answer') && !effect.outcome.ok)
      return { kind: 'failed', seq, ...codeOf(effect.outcome.error) };
  return undefined;
}

/** A thrown value as a failure. */
export function failureOf(kind: FailureKind, seq: number, error: unknown): StepFailure {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return {
    kind,
    seq,
    code: typeof code === 'string' ? code : error instanceof Error ? error.name : 'Error',
    message: error instanceof Error ? error.message : String(error),
  };
}

/**
 * Whether two failures are one and the same fault: kind, code, and message but for its numbers (sequences and times differ
 * when entries are left out). An expectation is one fault, however it says so.
 */
export function isSameFailure(a: StepFailure, b: StepFailure): boolean {
  if (a.kind !== b.kind) return false;
  return a.kind === 'expectation' || (a.code === b.code && withoutNumbers(a.message) === withoutNumbers(b.message));
}

/** `order/42: StepFailed: ...` in words. */
export function describeFailure({ kind, seq, code, message }: StepFailure): string {
  const what = {
    refused: 'was refused',
    failed: 'ended a turn with an error',
    thrown: 'could not be stepped',
    expectation: 'broke the expectation',
  }[kind];
  return `entry ${seq} ${what}: ${code}: ${message}`;
}

function withoutNumbers(message: string): string {
  return message.replace(/\d+/g, '#');
}

function codeOf({ code, message }: { readonly code: string; readonly message: string }): {
  code: string;
  message: string;
} {
  return { code, message };
}
