/**
 * Whether the names under `effects` are names that the machine knows. A misspelt one would be ignored, and with it a
 * `retry: 'never'`: a card could be charged twice.
 */
import { TroupeError } from '@troupe/wire';
import type { AnyStateMachine } from 'xstate';
import { nearest } from './nearest.ts';

/** Inline logic of an invoke has a generated name, which is known only to XState. */
const GENERATED = 'xstate.invoke.';

/** @throws TroupeError `ConfigInvalid` naming the unknown name and what the machine has. */
export function checkEffectNames(type: string, machine: AnyStateMachine, effects: object | undefined): void {
  if (effects === undefined) return;
  const known = [...actorNames(machine)].sort();
  const wrong = Object.keys(effects).find((name) => !known.includes(name) && !name.startsWith(GENERATED));
  if (wrong === undefined) return;
  const guess = nearest(wrong, known);
  const hint = guess === undefined ? `It has: ${known.join(', ') || 'none'}.` : `Did you mean '${guess}'?`;
  throw new TroupeError(
    'ConfigInvalid',
    `Definition '${type}': effects.${wrong} names nothing under setup({ actors }). ${hint}`,
    { details: { name: wrong, known } },
  );
}

/** Names under `setup({ actors })`, of child machines too. */
function actorNames(machine: unknown, seen = new Set<unknown>(), names = new Set<string>()): Set<string> {
  if (seen.has(machine)) return names;
  seen.add(machine);
  const { implementations } = machine as Partial<AnyStateMachine>;
  for (const [name, logic] of Object.entries((implementations?.actors ?? {}) as Record<string, unknown>)) {
    names.add(name);
    if (typeof logic === 'object' && logic !== null) actorNames(logic, seen, names);
  }
  return names;
}
