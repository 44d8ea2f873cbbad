/** How turns end: after a machine step, by an error that nobody handles, at their deadline. */
import { formatAddress, fromFailureRecord, TroupeError } from '@troupe/wire';
import type { OpenEffect, OpenTurn } from '../state.ts';
import type { Draft } from './draft.ts';

/** Children whose end a settling turn waits for; callbacks and observables may run for ever. */
const SETTLING = new Set(['promise', 'ask', 'tool']);
/** A state with this tag keeps its turn open though nothing runs: somebody's signal is awaited. */
export const WAITING_TAG = 'waiting';

/**
 * What follows every machine step that succeeded: ends of children that are known already, the end
 * of the machine, the end of the turn.
 */
export function afterMachineStep(draft: Draft, turnSeq: number): void {
  deliverEnded(draft);
  const { driver } = draft.definition;
  if (draft.machine === undefined) return;
  const status = driver.status(draft.machine);
  if (status.status === 'done') {
    draft.endTurn({ ok: true, value: status.output ?? null });
    cancelAll(draft);
    draft.retryStash = true;
    return;
  }
  const { turn } = draft;
  if (turn === undefined || turn.seq !== turnSeq) return;
  if (draft.definition.turn === 'settle') settleTurn(draft, turn);
  else endUnanswered(draft, turn);
}

/** An error that nobody handles ends the turn; the machine goes back to before it where that is possible. */
export function failTurn(draft: Draft, turnSeq: number, error: unknown): void {
  draft.deadLetter(error);
  const { turn } = draft;
  if (turn === undefined || turn.seq !== turnSeq) return;
  undoTurn(draft, turn);
  draft.endTurn({ ok: false, error: draft.failure(error, turn.taskId) });
}

/** Delivers the end of a child to its parent in the machine. */
export function settleEffect(
  draft: Draft,
  effect: OpenEffect,
  result: { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown },
): void {
  draft.closeEffect(effect);
  if (draft.machine === undefined || !draft.definition.driver.hasChild(draft.machine, effect.childPath)) return;
  draft.foreign(effect.turn);
  const end = result.ok ? ({ ok: true, output: result.value } as const) : result;
  const failed = draft.machineStep(effect.turn, (scope) =>
    draft.definition.driver.settle(draft.machine!, effect.childPath, end, scope),
  );
  if (failed !== undefined) failTurn(draft, effect.turn, failed.error);
  else afterMachineStep(draft, effect.turn);
}

/** The open turn's time is up: the machine is told, and what it awaits fails. */
export function expireTurn(draft: Draft): void {
  const { turn } = draft;
  if (turn === undefined) return;
  const error = new TroupeError(
    'DeadlineExceeded',
    `Task ${turn.taskId} of ${formatAddress(draft.address)} did not end within ${turn.deadlineAt - turn.openedAt} ms. Give it a later deadline, or find out what it waited for: troupe history ${formatAddress(draft.address)}.`,
    { taskId: turn.taskId },
  );
  draft.deadLetter(error);
  const awaited = draft.openOf(turn.seq, SETTLING);
  for (const effect of awaited) draft.emit({ kind: 'cancel', effectId: effect.id });
  draft.endTurn({ ok: false, error: draft.failure(error, turn.taskId) });
  tellDeadline(draft);
  for (const effect of awaited) failAwaited(draft, effect, error, turn);
}

function tellDeadline(draft: Draft): void {
  const { driver } = draft.definition;
  const event = { type: 'troupe.deadline' };
  if (draft.machine === undefined || !driver.eventTypes.includes(event.type)) return;
  const failed = draft.machineStep(0, (scope) => driver.transition(draft.machine!, '', event, scope));
  if (failed !== undefined) draft.deadLetter(failed.error);
  else afterMachineStep(draft, 0);
}

/** A promise that was cut off is an error to its machine; unhandled, the turn is undone. */
function failAwaited(draft: Draft, effect: OpenEffect, error: TroupeError, turn: OpenTurn): void {
  if (draft.open.get(effect.id) === undefined) return;
  draft.closeEffect(effect);
  if (draft.machine === undefined || !draft.definition.driver.hasChild(draft.machine, effect.childPath)) return;
  const failed = draft.machineStep(0, (scope) =>
    draft.definition.driver.settle(draft.machine!, effect.childPath, { ok: false, error }, scope),
  );
  if (failed !== undefined) undoTurn(draft, turn);
  else afterMachineStep(draft, 0);
}

/** Back to where the machine was before the turn: state, timers, and the children that were running. */
function undoTurn(draft: Draft, turn: OpenTurn): void {
  if (turn.start === undefined) return;
  for (const effect of draft.open.values()) {
    if (turn.start.effects.get(effect.id) === undefined) draft.emit({ kind: 'cancel', effectId: effect.id });
  }
  draft.machine = turn.start.machine;
  draft.open = turn.start.effects;
  draft.timers = turn.start.timers;
  draft.retryStash = true;
}

function deliverEnded(draft: Draft): void {
  for (let ended = draft.ended.shift(); ended !== undefined; ended = draft.ended.shift()) {
    const effect = draft.open.get(ended.effectId);
    if (effect === undefined) continue;
    const { outcome } = ended;
    settleEffect(draft, effect, outcome.ok ? outcome : { ok: false, error: fromFailureRecord(outcome.error) });
  }
}

function cancelAll(draft: Draft): void {
  for (const effect of draft.open.values()) {
    draft.closeEffect(effect);
    draft.emit({ kind: 'cancel', effectId: effect.id });
  }
  for (const timer of draft.timers.values()) draft.timers = draft.timers.without(timer.id);
}

function settleTurn(draft: Draft, turn: OpenTurn): void {
  if (draft.openOf(turn.seq, SETTLING).length > 0) return;
  const view = draft.definition.driver.view(draft.machine!);
  draft.endTurn({
    ok: true,
    value: view.output === undefined ? { value: view.value } : { value: view.value, output: view.output },
  });
}

function endUnanswered(draft: Draft, turn: OpenTurn): void {
  if (draft.openOf(turn.seq).length > 0 || hasTimerOf(draft, turn.seq)) return;
  if (draft.definition.driver.hasTag(draft.machine!, WAITING_TAG)) return;
  draft.warn(
    `Turn ${turn.seq} ended with null: nothing it opened is left, and it did not reply. Reply in every path, or tag the state that awaits a signal with '${WAITING_TAG}'.`,
  );
  draft.endTurn({ ok: true, value: null });
}

function hasTimerOf(draft: Draft, turnSeq: number): boolean {
  for (const timer of draft.timers.values()) if (timer.turn === turnSeq) return true;
  return false;
}
