/**
 * What a step was, for those who look at it: the owner while it is watched, and history long after. Pure: made from the
 * states before and after, the entry and the effects, which is all that there is to know.
 */
import {
  type AskBody,
  correlationId,
  correlationOf,
  type EntryBody,
  formatAddress,
  type JournalEntry,
  type ObservedEffect,
  type ObservedEntry,
  type ObservedState,
  type StepFacts,
  TASK_EVENT,
  type TakenTransition,
  type TaskBody,
  type TraceContext,
} from '@troupe/wire';
import { type ActorDefinition, definitionFor } from './definition.ts';
import { type AnswerEffect, type Effect, effectIdOf, parseEffectId, type ReplyEffect } from './effect.ts';
import type { MachineView } from './machine/types.ts';
import type { ActorState, OpenEffect, OpenTurn } from './state.ts';

/** All that a step had and gave. */
export interface StepRecord {
  readonly before: ActorState;
  readonly after: ActorState;
  readonly entry: JournalEntry;
  readonly effects: readonly Effect[];
  readonly transitions: readonly TakenTransition[];
  /** Size of the stored entry. */
  readonly bytes: number;
}

/**
 * The facts of a step.
 *
 * @param definition the newest code; the states may be of older versions that it lists.
 * @example
 * const { result, transitions } = recordTransitions(() => step(definition, before, entry, bytes));
 * stepFacts(definition, { before, after: result.state, effects: result.effects, entry, transitions, bytes }).transitions
 */
export function stepFacts(definition: ActorDefinition, record: StepRecord): StepFacts {
  const { before, after, entry, effects, transitions, bytes } = record;
  const settled = settledBy(before, after, entry.body);
  const trace = traceOf(before, entry.body);
  const dead = effects.find((effect) => effect.kind === 'dead-letter');
  const { turn } = after;
  return {
    actor: formatAddress(after.address),
    seq: entry.seq,
    at: entry.at,
    entry: observeEntry(before, entry.body, bytes),
    before: observeState(definition, before, false),
    after: observeState(definition, after),
    transitions,
    effects: effects.map((effect) => observeEffect(after, effect)),
    ...(settled === undefined ? {} : { settled }),
    ...(turn === undefined ? {} : { turn: observeTurn(turn) }),
    ended: effects.flatMap((effect) => endedBy(record, effect)),
    ...(dead === undefined ? {} : { error: { code: dead.error.code, message: dead.error.message } }),
    correlation: stepCorrelation(before, entry, after.address),
    ...(trace === undefined ? {} : { trace }),
    waiting: after.stash.length,
    running: after.effects.size,
    timers: after.timers.size,
    count: after.count,
    turns: after.turns,
    version: after.version,
  };
}

/** The correlation id of what an entry leads to, known before it is applied: see `StepFacts.correlation`. */
export function stepCorrelation(before: ActorState, entry: JournalEntry, address = before.address): string {
  return correlationOf(traceOf(before, entry.body)) ?? correlationId(address, beginningOf(before, entry));
}

/** A state as observers see it; without its context where only the difference matters. */
export function observeState(definition: ActorDefinition, state: ActorState, withContext = true): ObservedState {
  if (state.machine === undefined) return { status: 'active', tags: [], children: {} };
  const code = definitionFor(definition, state.version) ?? definition;
  const view = code.driver.view(state.machine);
  return {
    status: view.status,
    value: view.value,
    ...(withContext ? { context: view.context } : {}),
    ...(view.output === undefined ? {} : { output: view.output }),
    tags: view.tags,
    children: childrenOf(view),
  };
}

/** The open turn, as observers see it. */
export function observeTurn({ seq, taskId, openedAt, deadlineAt }: OpenTurn): NonNullable<StepFacts['turn']> {
  return { seq, taskId, openedAt, deadlineAt };
}

function childrenOf(view: MachineView): ObservedState['children'] {
  const children: [string, ObservedState['children'][string]][] = [];
  for (const [path, child] of Object.entries(view.children)) {
    const { src, kind, status } = child;
    children.push([path, { src, kind, status, ...(child.view === undefined ? {} : { value: child.view.value }) }]);
    if (child.view !== undefined) children.push(...Object.entries(childrenOf(child.view)));
  }
  return Object.fromEntries(children);
}

function observeEntry(before: ActorState, body: EntryBody, bytes: number): ObservedEntry {
  const event = eventOf(before, body);
  return {
    kind: body.kind,
    ...(event === undefined ? {} : { event }),
    ...('taskId' in body && body.taskId !== undefined ? { taskId: body.taskId } : {}),
    ...('effectId' in body ? { effectId: body.effectId } : {}),
    ...('from' in body ? { from: formatAddress(body.from) } : {}),
    ...(body.kind === 'outcome' ? { ok: body.result.ok } : {}),
    bytes,
  };
}

/** What the machine got to see, as far as the entry tells. */
function eventOf(before: ActorState, body: EntryBody): ObservedEntry['event'] {
  switch (body.kind) {
    case 'task':
    case 'ask':
      return taskEvent(body);
    case 'signal':
      return body.payload as ObservedEntry['event'];
    case 'message':
    case 'self':
      return body.event;
    case 'redrive':
      return eventOf(before, body.entry);
    case 'outcome':
      return body.result.ok
        ? { type: `xstate.done.actor.${childOf(before, body.effectId)}`, output: body.result.value }
        : {
            type: `xstate.error.actor.${childOf(before, body.effectId)}`,
            error: { code: body.result.error.code, message: body.result.error.message },
          };
    case 'stream':
      if (body.item.kind === 'event') return body.item.event;
      return { type: `xstate.snapshot.${childOf(before, body.effectId)}`, item: body.item };
    default:
      return undefined;
  }
}

function taskEvent(body: TaskBody | AskBody): NonNullable<ObservedEntry['event']> {
  const { payload } = body;
  const raw = body.kind === 'task' && body.raw;
  const isEvent = !raw && typeof payload === 'object' && payload !== null && !Array.isArray(payload);
  if (isEvent && typeof (payload as { readonly type?: unknown }).type === 'string')
    return payload as NonNullable<ObservedEntry['event']>;
  return { type: TASK_EVENT, input: payload };
}

/** The open effect that a global id names. */
function openEffect(state: ActorState, effectId: string): OpenEffect | undefined {
  const id = parseEffectId(effectId);
  if (id === undefined || id.actor !== formatAddress(state.address)) return undefined;
  return state.effects.get(`${id.seq}.${id.n}`);
}

function childOf(before: ActorState, effectId: string): string {
  return openEffect(before, effectId)?.childPath ?? effectId;
}

function settledBy(before: ActorState, after: ActorState, body: EntryBody): string | undefined {
  if (body.kind !== 'outcome' && body.kind !== 'stream') return undefined;
  const effect = openEffect(before, body.effectId);
  return effect !== undefined && after.effects.get(effect.id) === undefined ? body.effectId : undefined;
}

/** The trace context of what an entry leads to, known before it is applied; undefined when no client gave one. */
export function stepTrace(before: ActorState, entry: JournalEntry): TraceContext | undefined {
  return traceOf(before, entry.body);
}

/** The trace that an entry carries, or that of the turn which it goes on with. */
function traceOf(before: ActorState, body: EntryBody): TraceContext | undefined {
  if (body.kind === 'redrive') return body.entry.trace;
  if ('trace' in body && body.trace !== undefined) return body.trace;
  return BEGINNINGS.has(body.kind) ? undefined : turnOf(before, body)?.trace;
}

/** Entries that nothing in this actor led to. */
const BEGINNINGS: ReadonlySet<EntryBody['kind']> = new Set([
  'task',
  'signal',
  'ask',
  'message',
  'redrive',
  'reset',
  'import',
  'version',
  'cancel-timer',
  'invalid',
]);

function turnOf(before: ActorState, body: EntryBody): OpenTurn | undefined {
  const effect = 'effectId' in body ? openEffect(before, body.effectId) : undefined;
  if (effect !== undefined && effect.turn !== before.turn?.seq) return undefined;
  return before.turn;
}

/** Sequence of the entry that everything this one does goes back to, within the actor. */
function beginningOf(before: ActorState, { seq, body }: JournalEntry): number {
  if (BEGINNINGS.has(body.kind)) return seq;
  const effect = 'effectId' in body ? openEffect(before, body.effectId) : undefined;
  if (effect !== undefined) return effect.turn || Number(effect.id.slice(0, effect.id.indexOf('.')));
  if (body.kind === 'self') return parseEffectId(body.effectId.slice(0, body.effectId.lastIndexOf('/')))?.seq ?? seq;
  return before.turn?.seq ?? seq;
}

function observeEffect(after: ActorState, effect: Effect): ObservedEffect {
  const { id, kind } = effect;
  switch (effect.kind) {
    case 'invoke': {
      const src = after.effects.get(id)?.src;
      return { id, kind, ...(src === undefined ? {} : { src }) };
    }
    case 'ask':
      return { id, kind, to: formatAddress(effect.to) };
    case 'send':
      return { id, kind, to: formatAddress(effect.to), name: effect.event.type };
    case 'answer':
      return { id, kind, to: formatAddress(effect.to), effectId: effect.effectId, ok: effect.outcome.ok };
    case 'reply':
      return { id, kind, ok: effect.outcome.ok };
    case 'emit':
      return { id, kind, name: effect.event.type };
    case 'child-event':
      return { id, kind, name: effect.event.type, effectId: effectIdOf(after.address, effect.effectId) };
    case 'cancel':
      return { id, kind, effectId: effectIdOf(after.address, effect.effectId) };
    case 'action':
      return { id, kind, name: effect.type };
    case 'log':
      return { id, kind, name: effect.message };
    case 'dead-letter':
      return { id, kind };
  }
}

/**
 * How long a turn took by the journal's clock, ms: from the entry that opened it, or let it in, to the one that ended it, so that
 * one of a single entry took 0. A task that waited and failed without ever getting further counts from when it was accepted.
 *
 * @param effect tells its end
 * @param now of the state after the step
 */
export function turnDurationMs(before: ActorState, effect: ReplyEffect | AnswerEffect, now: number): number {
  const { known } = waitingFor(before, effect);
  if (known === undefined) return 0;
  if ('openedAt' in known) return Math.max(0, now - known.openedAt);
  return effect.outcome.ok ? 0 : Math.max(0, now - known.at);
}

/** The turn that an effect ends, or the task that waits for one; undefined: it began and ended in one step. */
function waitingFor({ turn, stash }: ActorState, effect: ReplyEffect | AnswerEffect) {
  const taskId = effect.kind === 'answer' ? effect.effectId : effect.taskId;
  const known = turn?.taskId === taskId ? turn : stash.find((one) => one.taskId === taskId);
  return { taskId, known };
}

function endedBy({ before, after, entry }: StepRecord, effect: Effect): StepFacts['ended'] {
  if (effect.kind !== 'answer' && (effect.kind !== 'reply' || effect.repeat)) return [];
  const { taskId, known } = waitingFor(before, effect);
  const seq = effect.kind === 'reply' ? effect.turnSeq : (known?.seq ?? entry.seq);
  const { outcome } = effect;
  const durationMs = turnDurationMs(before, effect, after.now);
  return [{ seq, taskId, durationMs, ok: outcome.ok, ...(outcome.ok ? {} : { code: outcome.error.code }) }];
}
