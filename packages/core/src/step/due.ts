/**
 * What fires by itself: timers, deadlines of turns and of waiting inputs, timeouts of asks.
 *
 * Invariants
 * 1. Everything due at or before `now` fires before the entry is applied, in order of (due, id),
 *    each at its own due time: an entry journaled after a timer was due can't overtake it.
 * 2. A tick is only a reason to look; it fires nothing by itself.
 * 3. At most `FIRES_MAX` fire in one step; the rest is due at once and brings the next tick.
 */
import { formatAddress, TroupeError } from '@troupe/wire';
import { expiresAt } from '../next-due.ts';
import { PersistentMap } from '../persistent-map.ts';
import type { OpenEffect, PendingTimer, StashedInput } from '../state.ts';
import { compareIds, type Draft } from './draft.ts';
import { isDone, refuse, removeStashed, retryStash } from './inputs.ts';
import { afterMachineStep, expireTurn, failTurn, settleEffect } from './turns.ts';

export const FIRES_MAX = 1_000;

type Due =
  | { readonly at: number; readonly id: string; readonly kind: 'timer'; readonly timer: PendingTimer }
  | { readonly at: number; readonly id: string; readonly kind: 'turn' }
  | { readonly at: number; readonly id: string; readonly kind: 'stashed'; readonly input: StashedInput }
  | { readonly at: number; readonly id: string; readonly kind: 'ask'; readonly effect: OpenEffect }
  | { readonly at: number; readonly id: string; readonly kind: 'expiry' };

/** Fires everything due at or before `until`, then leaves the draft's time there. */
export function fireDue(draft: Draft, until: number): void {
  for (let fired = 0; fired < FIRES_MAX; fired++) {
    const due = next(draft, until);
    if (due === undefined) break;
    if (due.at > draft.now) draft.now = due.at;
    fire(draft, due);
    retryStash(draft);
  }
  if (until > draft.now) draft.now = until;
}

function next(draft: Draft, until: number): Due | undefined {
  let first: Due | undefined;
  const consider = (due: Due): void => {
    if (due.at > until) return;
    if (first === undefined || due.at < first.at || (due.at === first.at && compareIds(due.id, first.id) < 0))
      first = due;
  };
  for (const timer of draft.timers.values()) consider({ at: timer.dueAt, id: timer.id, kind: 'timer', timer });
  if (draft.turn !== undefined) consider({ at: draft.turn.deadlineAt, id: `${draft.turn.seq}.0`, kind: 'turn' });
  for (const input of draft.stash) consider({ at: input.deadlineAt, id: `${input.seq}.0`, kind: 'stashed', input });
  for (const effect of draft.open.values())
    if (effect.deadlineAt !== undefined) consider({ at: effect.deadlineAt, id: effect.id, kind: 'ask', effect });
  consider({ at: expiresAt(draft.definition, draft), id: `${draft.seq}.0`, kind: 'expiry' });
  return first;
}

function fire(draft: Draft, due: Due): void {
  switch (due.kind) {
    case 'timer':
      fireTimer(draft, due.timer);
      return;
    case 'turn':
      expireTurn(draft);
      return;
    case 'stashed':
      expireStashed(draft, due.input);
      return;
    case 'expiry':
      expire(draft);
      return;
    case 'ask':
      settleEffect(draft, due.effect, {
        ok: false,
        error: new TroupeError(
          'AskTimeout',
          `The ask of '${due.effect.src}' by ${formatAddress(draft.address)} was not answered in ${due.at - due.effect.openedAt} ms. Give it more time with timeoutMs, or look at the other actor.`,
        ),
      });
      return;
  }
}

/** An idle actor ends: the next input begins a new life. What must be remembered stays. */
function expire(draft: Draft): void {
  for (const effect of draft.open.values()) draft.emit({ kind: 'cancel', effectId: effect.id });
  draft.machine = undefined;
  draft.open = PersistentMap.empty();
  draft.timers = PersistentMap.empty();
  draft.recent = [];
}

function fireTimer(draft: Draft, timer: PendingTimer): void {
  draft.timers = draft.timers.without(timer.id);
  if (timer.target.kind === 'actor') {
    draft.emit({
      kind: 'send',
      to: timer.target.address,
      event: timer.event,
      causedAt: draft.now,
      trace: draft.traceOf(timer.turn),
    });
    return;
  }
  if (draft.machine === undefined || isDone(draft)) return;
  const { path } = timer.target;
  draft.foreign(timer.turn);
  const failed = draft.machineStep(timer.turn, (scope) =>
    draft.definition.driver.transition(draft.machine!, path, timer.event, scope),
  );
  if (failed === undefined) afterMachineStep(draft, timer.turn);
  else failTurn(draft, timer.turn, failed.error);
}

function expireStashed(draft: Draft, input: StashedInput): void {
  removeStashed(draft, input);
  const error = new TroupeError(
    'DeadlineExceeded',
    `${input.taskId} waited for ${input.deadlineAt - input.at} ms in the mailbox of ${formatAddress(draft.address)} and was not started. Give it a later deadline, or make the turns before it shorter.`,
  );
  if (input.origin === undefined) draft.deadLetter(error);
  else refuse(draft, { seq: input.seq, taskId: input.taskId, origin: input.origin, trace: input.trace }, error);
}
