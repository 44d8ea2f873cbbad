/** Whether a script folds the same, whatever happens: compared step by step. */
import type { ActorDefinition } from '@troupe/core';
import { type Difference, differenceOf } from './difference.ts';
import { foldScript, type Trace } from './folding.ts';
import { inOtherWorld } from './other-world.ts';
import type { Operation } from './script.ts';

/** How a script failed. */
export interface Failure {
  /** Which operation showed it, from 0. */
  readonly at: number;
  readonly cause: FailureCause;
  readonly difference?: Difference | undefined;
  readonly message?: string | undefined;
}

export type FailureCause =
  /** A second fold in the same process came out otherwise. */
  | 'outside state'
  /** Only in another environment. */
  | 'environment'
  /** Only after going through the stored form. */
  | 'lost in storage'
  /** The same state, but other effects. */
  | 'other effects'
  /** A step that can never be right. */
  | 'refused';

/** Codes that no sequence of inputs excuses. */
const NEVER_RIGHT = new Set(['NotStorable', 'AnonymousLogic', 'UnknownLogic', 'EndlessStep']);

/** Undefined when every fold agrees. */
export function checkScript(definition: ActorDefinition, script: readonly Operation[]): Failure | undefined {
  const first = foldScript(definition, script, { crashes: false });
  const refused = first.findIndex(({ refused: code }) => code !== undefined && NEVER_RIGHT.has(code));
  if (refused >= 0) return { at: refused, cause: 'refused', message: first[refused]!.refusal };
  const second = inOtherWorld(() => foldScript(definition, script, { crashes: true }));
  const found = compareTraces(first, second);
  return found === undefined ? undefined : { ...found, cause: causeOf(definition, script, first, found.cause) };
}

/** What made the difference: folded again with one thing changed at a time. */
function causeOf(
  definition: ActorDefinition,
  script: readonly Operation[],
  first: readonly Trace[],
  seen: FailureCause,
): FailureCause {
  if (compareTraces(first, foldScript(definition, script, { crashes: false })) !== undefined) return 'outside state';
  if (
    compareTraces(
      first,
      inOtherWorld(() => foldScript(definition, script, { crashes: false })),
    ) !== undefined
  )
    return 'environment';
  if (compareTraces(first, foldScript(definition, script, { crashes: true })) !== undefined) return 'lost in storage';
  return seen;
}

function compareTraces(first: readonly Trace[], second: readonly Trace[]): Failure | undefined {
  for (let at = 0; at < first.length; at++) {
    const [a, b] = [first[at]!, second[at]!];
    const difference = differenceOf(a.bytes, b.bytes);
    if (difference !== undefined) return { at, cause: 'outside state', difference };
    if (a.effects !== b.effects)
      return {
        at,
        cause: 'other effects',
        difference: { path: 'effects', first: a.effects.slice(0, 300), second: b.effects.slice(0, 300) },
      };
  }
  return undefined;
}
