/**
 * Observations as they travel: Stately's inspection events, as JSON text, with our own record in `troupe`.
 *
 * Invariants
 * 1. Never throws: what JSON can't hold, or what is too large, is left out.
 * 2. Nothing is said twice in one message: context, output and event stand where Stately expects them, and
 *    `decodeObservation` puts them back.
 */
import type { ActorDefinition } from '@troupe/core';
import {
  type EffectObservation,
  INSPECTION_VERSION,
  type InspectedSnapshot,
  machineConfig,
  OBSERVED_CONTEXT_BYTES_MAX,
  OBSERVED_EVENT_BYTES_MAX,
  type ObservedChild,
  type ObservedState,
  type StateObservation,
  type StepObservation,
  toJsonValue,
} from '@troupe/wire';

const definitions = new WeakMap<ActorDefinition, string>();

/** The machine as Stately draws it, JSON in JSON. */
export function definitionText(definition: ActorDefinition): string {
  let text = definitions.get(definition);
  if (text === undefined) {
    text = JSON.stringify(machineConfig(definition.driver.structure()));
    definitions.set(definition, text);
  }
  return text;
}

/** What an actor that nobody has heard of yet begins with. */
export function actorEvent(
  actor: string,
  name: string,
  definition: string | undefined,
  state: ObservedState,
  at: number,
): string {
  return JSON.stringify({
    ...base('@xstate.actor', actor, actor, at, `${actor}@0`),
    name,
    snapshot: { status: state.status, value: state.value },
    ...(definition === undefined ? {} : { definition }),
  });
}

/** The events of one step, in order. */
export function stepEvents(step: StepObservation): string[] {
  const { actor, seq, observedAt, entry } = step;
  const event = boundedEvent(entry.event ?? { type: entryEventType(step) });
  const events = [
    `${open('@xstate.event', actor, actor, observedAt, `${actor}@${seq}e`)},"event":${event}${entry.from === undefined ? '' : `,"sourceId":${JSON.stringify(entry.from)}`}}`,
    ...childEvents(step),
  ];
  const { event: _event, ...shortEntry } = entry;
  const { context: _context, output: _output, ...after } = step.after;
  const context = bounded(step.after.context, OBSERVED_CONTEXT_BYTES_MAX);
  const record = {
    ...step,
    entry: entry.event === undefined ? entry : shortEntry,
    after: context.bytes === undefined ? after : { ...after, contextBytes: context.bytes },
  };
  events.push(snapshotEvent(actor, `${actor}@${seq}`, observedAt, event, step.after, context.text, record));
  return events;
}

/** Where an actor stands, without a step. */
export function stateEvent(observation: StateObservation): string {
  const { actor, seq, observedAt, after: state } = observation;
  const { context: _context, output: _output, ...after } = state;
  const context = bounded(state.context, OBSERVED_CONTEXT_BYTES_MAX);
  const record = {
    ...observation,
    after: context.bytes === undefined ? after : { ...after, contextBytes: context.bytes },
  };
  const event = JSON.stringify({ type: 'troupe.state' });
  return snapshotEvent(actor, `${actor}@${seq}s`, observedAt, event, state, context.text, record);
}

/** An effect, as a snapshot of the child that it is. */
export function effectEvent(observation: EffectObservation): string {
  const { actor, path, phase, attempt, effectId, observedAt, ok } = observation;
  const status = phase === 'ended' ? (ok === true ? 'done' : 'error') : 'active';
  return JSON.stringify({
    ...base('@xstate.snapshot', actor, `${actor}#${path}`, observedAt, `${effectId}${phase}${attempt}`),
    event: { type: `troupe.effect.${phase}` },
    snapshot: { status },
    troupe: observation,
  });
}

function snapshotEvent(
  actor: string,
  id: string,
  at: number,
  event: string,
  state: ObservedState,
  context: string | undefined,
  record: object,
): string {
  const { text: output } = bounded(state.output, OBSERVED_EVENT_BYTES_MAX);
  const head = JSON.stringify({ status: state.status, value: state.value, tags: state.tags }).slice(0, -1);
  const snapshot = `${head}${context === undefined ? '' : `,"context":${context}`}${output === undefined ? '' : `,"output":${output}`},"children":{}}`;
  const text = safeJson(record) ?? 'null';
  return `${open('@xstate.snapshot', actor, actor, at, id)},"event":${event},"snapshot":${snapshot},"troupe":${text}}`;
}

/** Children come, change and go: each is an actor of its own to Stately. */
function childEvents({ actor, seq, observedAt, before, after }: StepObservation): string[] {
  const events: string[] = [];
  for (const [path, child] of Object.entries(after.children)) {
    const earlier = before.children[path];
    if (earlier === undefined) events.push(childActor(actor, path, child, observedAt, seq));
    else if (earlier.status !== child.status || JSON.stringify(earlier.value) !== JSON.stringify(child.value))
      events.push(childSnapshot(actor, path, child, observedAt, seq));
  }
  for (const [path, child] of Object.entries(before.children)) {
    const ended: ObservedChild = { ...child, status: child.status === 'active' ? 'stopped' : child.status };
    if (after.children[path] === undefined) events.push(childSnapshot(actor, path, ended, observedAt, seq));
  }
  return events;
}

function childActor(actor: string, path: string, child: ObservedChild, at: number, seq: number): string {
  const slash = path.lastIndexOf('/');
  return JSON.stringify({
    ...base('@xstate.actor', actor, `${actor}#${path}`, at, `${actor}#${path}@${seq}`),
    name: child.src,
    parentId: slash < 0 ? actor : `${actor}#${path.slice(0, slash)}`,
    snapshot: childState(child),
  });
}

function childSnapshot(actor: string, path: string, child: ObservedChild, at: number, seq: number): string {
  return JSON.stringify({
    ...base('@xstate.snapshot', actor, `${actor}#${path}`, at, `${actor}#${path}@${seq}`),
    event: { type: 'troupe.step' },
    snapshot: childState(child),
  });
}

function childState({ status, value }: ObservedChild): InspectedSnapshot {
  return { status, ...(value === undefined ? {} : { value }) };
}

function base(type: string, rootId: string, sessionId: string, at: number, id: string): object {
  return { type, rootId, sessionId, createdAt: String(at), id, _version: INSPECTION_VERSION };
}

/** An object that is not closed yet. */
function open(type: string, rootId: string, sessionId: string, at: number, id: string): string {
  return JSON.stringify(base(type, rootId, sessionId, at, id)).slice(0, -1);
}

/** A step without an event of the machine's: what fired by itself, or what happened to the actor. */
function entryEventType({ entry, transitions }: StepObservation): string {
  return (entry.kind === 'tick' ? transitions[0]?.event : undefined) ?? `troupe.${entry.kind}`;
}

function boundedEvent(event: { readonly type: string }): string {
  const { text } = bounded(event, OBSERVED_EVENT_BYTES_MAX);
  return text ?? JSON.stringify({ type: String(event.type) });
}

/** Its text, or how large it would be. */
function bounded(value: unknown, bytesMax: number): { readonly text?: string; readonly bytes?: number } {
  if (value === undefined) return {};
  const text = safeJson(value);
  if (text === undefined) return { bytes: 0 };
  return text.length > bytesMax ? { bytes: text.length } : { text };
}

function safeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(toJsonValue(value));
  } catch {
    return undefined;
  }
}
