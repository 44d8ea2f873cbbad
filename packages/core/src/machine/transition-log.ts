/**
 * Which transitions a step takes, for those who look on. Nothing is kept unless somebody records, and then the step is the
 * same: this only listens.
 */
import type { TakenTransition } from '@troupe/wire';
import { type TransitionLike, transitionId } from './structure.ts';

/** Transitions recorded of one step; a machine that goes round in circles takes thousands. */
export const TRANSITIONS_MAX = 256;

/** What XState says of a microstep. */
export interface Microstep {
  readonly actorRef?: unknown;
  readonly event?: { readonly type: string };
  readonly _transitions?: readonly TransitionLike[];
}

let recorded: TakenTransition[] | undefined;

/**
 * Runs a step and returns, beside its result, the transitions taken in it, in order, at most `TRANSITIONS_MAX`.
 *
 * @example const { result, transitions } = recordTransitions(() => step(definition, state, entry));
 */
export function recordTransitions<T>(task: () => T): {
  readonly result: T;
  readonly transitions: readonly TakenTransition[];
} {
  const outer = recorded;
  const transitions: TakenTransition[] = [];
  recorded = transitions;
  try {
    return { result: task(), transitions };
  } finally {
    recorded = outer;
  }
}

/** How much is recorded so far: for `forgetSince`. */
export function recordedCount(): number {
  return recorded === undefined ? 0 : recorded.length;
}

/** What a step that failed has taken doesn't count. */
export function forgetSince(count: number): void {
  if (recorded !== undefined) recorded.length = Math.min(recorded.length, count);
}

/** Called for every microstep. */
export function noteMicrostep({ actorRef, event, _transitions }: Microstep): void {
  if (recorded === undefined || _transitions === undefined) return;
  const path = (actorRef as { readonly path?: string } | undefined)?.path ?? '';
  for (const transition of _transitions) {
    if (recorded.length >= TRANSITIONS_MAX) return;
    // The initial transition is none of a state's.
    if (typeof transition.eventType !== 'string') continue;
    recorded.push({
      id: transitionId(transition),
      path,
      source: transition.source.id,
      targets: (transition.target ?? []).map(({ id }) => id),
      event: event?.type ?? transition.eventType,
    });
  }
}
