/** Rebuilding an actor: folding a stretch of its journal. */
import type { JournalEntry } from '@troupe/wire';
import type { ActorDefinition } from './definition.ts';
import type { Effect } from './effect.ts';
import type { ActorState } from './state.ts';
import { step } from './step/step.ts';

/**
 * Folds entries in order. Any split of the same entries gives the same state and effects.
 *
 * @param onStep called after each entry with the state and effects it gave; return false to stop.
 * @throws TroupeError `ActorSuspended` when code of an older version is needed and missing.
 * @example
 * const state = fold(definition, emptyState(address, 1, definition.hash), entries);
 */
export function fold(
  definition: ActorDefinition,
  state: ActorState,
  entries: Iterable<JournalEntry>,
  onStep?: (state: ActorState, entry: JournalEntry, effects: readonly Effect[]) => boolean | undefined,
): ActorState {
  let current = state;
  for (const entry of entries) {
    const result = step(definition, current, entry);
    current = result.state;
    if (onStep?.(current, entry, result.effects) === false) break;
  }
  return current;
}
