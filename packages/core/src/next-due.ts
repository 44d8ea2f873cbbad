/** When an actor next does something by itself. */
import type { ActorDefinition } from './definition.ts';
import type { ActorState } from './state.ts';

type Waiting = Pick<ActorState, 'machine' | 'turn' | 'stash' | 'timers' | 'effects' | 'activeAt'>;

/** Earliest of timers, deadlines, timeouts and expiry, Unix ms; Infinity for never. */
export function nextDueAt(definition: ActorDefinition, state: Waiting): number {
  let due = Math.min(state.turn?.deadlineAt ?? Number.POSITIVE_INFINITY, expiresAt(definition, state));
  for (const one of state.stash) if (one.deadlineAt < due) due = one.deadlineAt;
  if (state.timers.size > 0) for (const timer of state.timers.values()) if (timer.dueAt < due) due = timer.dueAt;
  if (state.effects.size > 0) {
    for (const { deadlineAt } of state.effects.values())
      if (deadlineAt !== undefined && deadlineAt < due) due = deadlineAt;
  }
  return due;
}

/** When an idle actor ends, Unix ms; never while a turn is open or something waits. */
export function expiresAt(
  definition: ActorDefinition,
  state: Pick<Waiting, 'machine' | 'turn' | 'stash' | 'activeAt'>,
): number {
  const { expireAfterMs } = definition;
  if (expireAfterMs === undefined || state.machine === undefined) return Number.POSITIVE_INFINITY;
  if (state.turn !== undefined || state.stash.length > 0) return Number.POSITIVE_INFINITY;
  return state.activeAt + expireAfterMs;
}
