/**
 * Folding an entry without applying it.
 *
 * Invariants
 * 1. Nothing of the machine runs: no transition, no guard, no timer that is due.
 * 2. Whoever waits for it is told, and its id is remembered, so that a repeat gets the same refusal.
 */
import type { JournalEntry, TroupeError } from '@troupe/wire';
import { type ActorDefinition, definitionFor } from '../definition.ts';
import type { ActorState } from '../state.ts';
import { Draft } from './draft.ts';
import { applyAsk, applyInvalid, applyMessage, applySignal, applyTask } from './inputs.ts';
import type { StepResult } from './step.ts';

/**
 * The state after an entry that was set aside, and the effects that tell of it: the dead letter and the error outcome.
 * Time stands still in it.
 *
 * @example refuseEntry(definition, state, entry, new TroupeError('Quarantined', '...'))
 */
export function refuseEntry(
  definition: ActorDefinition,
  state: ActorState,
  entry: JournalEntry,
  refusal: TroupeError,
): StepResult {
  if (entry.seq <= state.seq) return { state, effects: [] };
  const code = definitionFor(definition, state.version) ?? definition;
  const draft = new Draft(code, state, entry.seq, state.now);
  refuse(draft, entry, refusal);
  return { state: { ...draft.finish(), version: state.version, hash: state.hash }, effects: draft.effects };
}

function refuse(draft: Draft, { body, at }: JournalEntry, refusal: TroupeError): void {
  switch (body.kind) {
    case 'task':
      applyTask(draft, body, at, 0, refusal);
      return;
    case 'signal':
      applySignal(draft, body, at, 0, refusal);
      return;
    case 'ask':
      applyAsk(draft, body, at, 0, refusal);
      return;
    case 'message':
      applyMessage(draft, body, at, 0, refusal);
      return;
    case 'invalid':
      applyInvalid(draft, body);
      return;
    default:
      draft.deadLetter(refusal);
  }
}
