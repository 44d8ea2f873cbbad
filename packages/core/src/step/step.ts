/**
 * The step: one actor, one journal entry, pure and synchronous.
 *
 * Invariants
 * 1. Same definition, same state, same entry: same next state, same effects, same ids.
 * 2. Time is `max(previous now, entry.at)`; nothing else of the world is read.
 * 3. What can't be applied changes nothing but the bookkeeping that it was refused.
 * 4. The first outcome of an effect counts; later ones, and those of effects that ended, are ignored.
 * 5. An entry at or below the state's sequence has been applied and is not applied again.
 */
import type {
  CancelTimerBody,
  ClaimBody,
  EntryBody,
  JournalEntry,
  OutcomeBody,
  RedriveBody,
  SelfBody,
  StreamBody,
  VersionBody,
} from '@troupe/wire';
import { formatAddress, fromFailureRecord, TroupeError } from '@troupe/wire';
import { type ActorDefinition, definitionFor } from '../definition.ts';
import { type Effect, parseEffectId } from '../effect.ts';
import { migrateState } from '../migrate.ts';
import { stepRules } from '../rules.ts';
import type { ActorState, OpenEffect } from '../state.ts';
import { decodeStoredState, resetState } from '../stored-state.ts';
import { compareIds, Draft } from './draft.ts';
import { fireDue } from './due.ts';
import { applyAsk, applyInvalid, applyMessage, applySignal, applyTask, retryStash } from './inputs.ts';
import { afterMachineStep, failTurn, settleEffect } from './turns.ts';

export interface StepResult {
  readonly state: ActorState;
  readonly effects: readonly Effect[];
}

/**
 * Folds one entry into an actor's state.
 *
 * @param definition the newest code this worker has; entries of an older version are folded by
 *   one of its `previous`.
 * @param bytes size of the stored entry, for the mailbox's bounds. Default 0.
 * @throws TroupeError `ActorSuspended` when the code of the state's version isn't here.
 * @example
 * const { state, effects } = step(definition, emptyState(address, 1, definition.hash), entry);
 */
export function step(definition: ActorDefinition, state: ActorState, entry: JournalEntry, bytes = 0): StepResult {
  if (entry.seq <= state.seq) return { state, effects: [] };
  if (entry.body.kind === 'version') return switchVersion(definition, state, entry.seq, entry.at, entry.body);
  const code = codeOf(definition, state);
  const now = stepRules.timeForwards ? Math.max(state.now, entry.at) : entry.at;
  if (entry.body.kind === 'reset' || entry.body.kind === 'import') return replaceState(code, state, entry, now);
  const draft = new Draft(code, state, entry.seq, state.now);
  if ('trace' in entry.body) draft.cause = entry.body.trace;
  if (state.nextDueAt <= now) fireDue(draft, now);
  draft.now = now;
  if (ACTIVITY.has(entry.body.kind)) draft.activeAt = now;
  apply(draft, entry.body, entry.at, bytes);
  retryStash(draft);
  if (draft.timers.size > 0) fireDue(draft, now);
  return { state: draft.finish(), effects: draft.effects };
}

/** Entries that keep an actor from expiring. */
const ACTIVITY: ReadonlySet<EntryBody['kind']> = new Set([
  'task',
  'signal',
  'ask',
  'message',
  'redrive',
  'outcome',
  'stream',
]);

function apply(draft: Draft, body: EntryBody, at: number, bytes: number): void {
  switch (body.kind) {
    case 'task':
      applyTask(draft, body, at, bytes);
      return;
    case 'signal':
      applySignal(draft, body, at, bytes);
      return;
    case 'ask':
      applyAsk(draft, body, at, bytes);
      return;
    case 'message':
      applyMessage(draft, body, at, bytes);
      return;
    case 'outcome':
      applyOutcome(draft, body);
      return;
    case 'stream':
      applyStream(draft, body);
      return;
    case 'claim':
      applyClaim(draft, body);
      return;
    case 'self':
      applySelf(draft, body);
      return;
    case 'redrive':
      applyRedrive(draft, body, at, bytes);
      return;
    case 'cancel-timer':
      cancelTimer(draft, body);
      return;
    case 'invalid':
      applyInvalid(draft, body);
      return;
    default:
      return;
  }
}

/** The effect of this actor that a global id names, while it is open. */
function ownEffect(draft: Draft, effectId: string): OpenEffect | undefined {
  const id = parseEffectId(effectId);
  if (id === undefined || id.actor !== formatAddress(draft.address)) return undefined;
  return draft.open.get(`${id.seq}.${id.n}`);
}

function applyOutcome(draft: Draft, body: OutcomeBody): void {
  const effect = ownEffect(draft, body.effectId) ?? (stepRules.firstOutcome ? undefined : anyPromise(draft));
  if (effect === undefined) return;
  settleEffect(
    draft,
    effect,
    body.result.ok ? body.result : { ok: false, error: fromFailureRecord(body.result.error) },
  );
}

/** Without R13: an outcome goes to whatever runs. */
function anyPromise(draft: Draft): OpenEffect | undefined {
  for (const effect of draft.open.values()) if (effect.kind === 'promise') return effect;
  return undefined;
}

function applyStream(draft: Draft, body: StreamBody): void {
  const effect = ownEffect(draft, body.effectId);
  if (effect === undefined || body.run < effect.run || (body.run === effect.run && body.n <= effect.n)) return;
  const current = { ...effect, run: body.run, n: body.n };
  draft.open = draft.open.with(effect.id, current);
  const { item } = body;
  if (item.kind === 'complete') settleEffect(draft, current, { ok: true, value: undefined });
  else if (item.kind === 'error') settleEffect(draft, current, { ok: false, error: fromFailureRecord(item.error) });
  else deliverItem(draft, current, item);
}

function deliverItem(
  draft: Draft,
  effect: OpenEffect,
  item: Extract<StreamBody['item'], { kind: 'event' | 'next' }>,
): void {
  const { driver } = draft.definition;
  if (draft.machine === undefined || !driver.hasChild(draft.machine, effect.childPath)) return;
  draft.foreign(effect.turn);
  const turnSeq = effect.turn === draft.turn?.seq ? effect.turn : 0;
  const failed = draft.machineStep(turnSeq, (scope) =>
    item.kind === 'next'
      ? driver.next(draft.machine!, effect.childPath, item.value, scope)
      : driver.transition(draft.machine!, parentOf(effect.childPath), item.event, scope),
  );
  if (failed === undefined) afterMachineStep(draft, turnSeq);
  else failTurn(draft, turnSeq, failed.error);
}

function applyClaim(draft: Draft, body: ClaimBody): void {
  const effect = ownEffect(draft, body.effectId);
  if (effect === undefined || effect.claim !== undefined) return;
  draft.open = draft.open.with(effect.id, { ...effect, claim: { epoch: body.epoch, worker: body.worker } });
}

/** Events from custom actions are deduplicated like a sender's messages: by effect id and counter. */
function applySelf(draft: Draft, body: SelfBody): void {
  const [effectId, k] = splitSelfId(body.effectId);
  const id = parseEffectId(effectId);
  if (id === undefined || id.actor !== formatAddress(draft.address) || draft.machine === undefined) return;
  const sender = `self:${id.seq}.${id.n}`;
  const mark = draft.senders.get(sender);
  if (mark !== undefined && k <= mark.n) return;
  draft.senders = draft.senders.with(sender, { seq: id.seq, n: k, until: draft.now + 86_400_000 });
  const turnSeq = draft.turn?.seq ?? 0;
  draft.foreign(0);
  const failed = draft.machineStep(turnSeq, (scope) =>
    draft.definition.driver.transition(draft.machine!, body.path, body.event, scope),
  );
  if (failed === undefined) afterMachineStep(draft, turnSeq);
  else draft.deadLetter(failed.error);
}

function splitSelfId(selfId: string): [string, number] {
  const at = selfId.lastIndexOf('/');
  return [selfId.slice(0, at), Number(selfId.slice(at + 1))];
}

function applyRedrive(draft: Draft, body: RedriveBody, at: number, bytes: number): void {
  if (draft.redriven.includes(body.deadSeq)) return;
  draft.redriven = [...draft.redriven.slice(-255), body.deadSeq];
  const { entry } = body;
  if (entry.kind === 'task') {
    const { taskId: _named, createdAt: _created, deadline: _deadline, ...task } = entry;
    applyTask(draft, task, at, bytes);
  } else if (entry.kind === 'signal') {
    const { taskId: _named, createdAt: _created, ...signal } = entry;
    applySignal(draft, signal, at, bytes);
  } else {
    draft.warn(`Dead letter ${body.deadSeq} came from another actor and can't be redriven; its sender has been told.`);
  }
}

function cancelTimer(draft: Draft, body: CancelTimerBody): void {
  draft.timers = draft.timers.without(body.timerId);
}

function switchVersion(
  definition: ActorDefinition,
  state: ActorState,
  seq: number,
  at: number,
  body: VersionBody,
): StepResult {
  const advanced = { ...state, seq, now: Math.max(state.now, at), count: state.count + 1 };
  if (body.version <= state.version) return { state: advanced, effects: [] };
  const target = definitionFor(definition, body.version);
  if (target === undefined) throw missingCode(definition, state, body.version);
  return { state: migrateState(definition, advanced, target), effects: [] };
}

function replaceState(code: ActorDefinition, state: ActorState, entry: JournalEntry, now: number): StepResult {
  const draft = new Draft(code, state, entry.seq, now);
  const ended = new TroupeError('Cancelled', `${formatAddress(state.address)} was ${entry.body.kind} by an operator.`);
  if (draft.turn !== undefined) draft.endTurn({ ok: false, error: draft.failure(ended, draft.turn.taskId) });
  for (const one of draft.stash)
    if (one.origin !== undefined)
      draft.settle({ ...one, origin: one.origin }, { ok: false, error: draft.failure(ended, one.taskId) });
  for (const effect of draft.open.values()) draft.emit({ kind: 'cancel', effectId: effect.id });
  const after = draft.finish();
  const base = { seq: entry.seq, now, count: after.count };
  if (entry.body.kind !== 'import') return { state: { ...resetState(after), ...base }, effects: draft.effects };
  try {
    const imported = decodeStoredState(code, state.address, entry.body.state);
    return {
      state: {
        ...imported,
        ...base,
        version: code.version,
        hash: code.hash,
        tasks: after.tasks,
        senders: after.senders,
      },
      effects: [...draft.effects, ...startsOf(imported)],
    };
  } catch (error) {
    const refused = new Draft(code, state, entry.seq, now);
    refused.deadLetter(error);
    return { state: refused.finish(), effects: refused.effects };
  }
}

/** What ran outside when a state was exported is begun again; its asks can only end by their timeouts. */
function startsOf({ effects }: ActorState): Effect[] {
  const open = [...effects.values()].filter(({ kind }) => kind !== 'ask');
  return open.sort((a, b) => compareIds(a.id, b.id)).map(({ id }) => ({ kind: 'invoke', id }));
}

function codeOf(definition: ActorDefinition, state: ActorState): ActorDefinition {
  const code = definitionFor(definition, state.version);
  if (code === undefined) throw missingCode(definition, state, state.version);
  return code;
}

function missingCode(definition: ActorDefinition, state: ActorState, version: number): TroupeError {
  return new TroupeError(
    'ActorSuspended',
    `${formatAddress(state.address)} needs version ${version} of '${definition.type}' to fold entry ${state.seq + 1} and later; this worker has ${[definition, ...definition.previous].map((one) => one.version).join(', ')}. Deploy code that lists it under previous.`,
    {
      details: { needs: version, seq: state.seq },
    },
  );
}

function parentOf(path: string): string {
  const at = path.lastIndexOf('/');
  return at < 0 ? '' : path.slice(0, at);
}
