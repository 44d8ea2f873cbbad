/** A machine as data, for drawing: states, transitions, what they start. See `MachineBody` of wire for the fields. */
import type { InvokeStructure, LogicStructure, MachineBody, StateStructure, TransitionStructure } from '@troupe/wire';
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { findLogic, isMachine, kindOfLogic } from './logic-kind.ts';

interface StateNodeLike {
  readonly id: string;
  readonly key: string;
  readonly type: StateStructure['kind'];
  readonly history: 'shallow' | 'deep' | false;
  readonly initial: { readonly target?: readonly StateNodeLike[]; readonly actions?: readonly unknown[] } | undefined;
  readonly tags: readonly string[];
  readonly description?: string;
  readonly meta?: unknown;
  readonly config: { readonly entry?: unknown; readonly exit?: unknown; readonly target?: unknown };
  readonly invoke: readonly { readonly id: string; readonly src: string }[];
  readonly transitions: ReadonlyMap<string, readonly TransitionLike[]>;
  readonly always?: readonly TransitionLike[];
  readonly states: Readonly<Record<string, StateNodeLike>>;
  readonly parent?: StateNodeLike;
}

/** A transition as XState keeps it. */
export interface TransitionLike {
  readonly source: StateNodeLike;
  readonly target?: readonly StateNodeLike[];
  readonly eventType: string;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
  readonly reenter: boolean;
  readonly delay?: number | string;
  readonly description?: string;
}

/** Machines inside machines inside machines: deeper ones are shown without their states. */
const DEPTH_MAX = 8;

/** The structure of a machine and of the machines that it starts. */
export function structureOf(machine: AnyStateMachine, depth = 0): MachineBody {
  const root = machine.root as unknown as StateNodeLike;
  return { id: machine.id, root: stateOf(root), actors: logicsOf(machine, root, depth) };
}

/** The id by which a structure names a transition of its machine. */
export function transitionId(transition: TransitionLike): string {
  const { source, eventType } = transition;
  const all = eventType === '' ? source.always : source.transitions.get(eventType);
  return idOf(source.id, eventType, Math.max(0, all?.indexOf(transition) ?? 0));
}

function idOf(source: string, event: string, n: number): string {
  return `${source}|${event}|${n}`;
}

function stateOf(node: StateNodeLike): StateStructure {
  const initial = node.type === 'compound' ? node.initial?.target?.[0]?.id : historyDefault(node);
  const { meta } = node;
  return {
    id: node.id,
    key: node.key,
    kind: node.type,
    ...(node.type === 'history' ? { history: node.history === 'deep' ? 'deep' : 'shallow' } : {}),
    ...(initial === undefined ? {} : { initial }),
    initialActions: node.type === 'compound' ? namesOf(node.initial?.actions) : [],
    tags: [...node.tags],
    ...(node.description === undefined ? {} : { description: node.description }),
    ...(isPlain(meta) ? { meta } : {}),
    entry: namesOf(node.config.entry),
    exit: namesOf(node.config.exit),
    invokes: node.invoke.map(({ id, src }): InvokeStructure => ({ id, src })),
    transitions: [...transitionsOf(node)],
    states: Object.values(node.states).map(stateOf),
  };
}

function* transitionsOf(node: StateNodeLike): Iterable<TransitionStructure> {
  for (const [event, transitions] of node.transitions)
    for (const [n, transition] of transitions.entries()) yield transitionOf(node, event, n, transition);
  for (const [n, transition] of (node.always ?? []).entries()) yield transitionOf(node, '', n, transition);
}

function transitionOf(
  node: StateNodeLike,
  event: string,
  n: number,
  { target, guard, actions, reenter, delay, description }: TransitionLike,
): TransitionStructure {
  const named = guardName(guard);
  return {
    id: idOf(node.id, event, n),
    event,
    kind: kindOfEvent(event),
    ...(delay === undefined ? {} : { delay: String(delay) }),
    source: node.id,
    targets: (target ?? []).map(({ id }) => id),
    ...(named === undefined ? {} : { guard: named }),
    actions: namesOf(actions),
    reenter,
    ...(description === undefined ? {} : { description }),
  };
}

function kindOfEvent(event: string): TransitionStructure['kind'] {
  if (event === '') return 'always';
  if (event.startsWith('xstate.after.')) return 'after';
  if (event.startsWith('xstate.done.')) return 'done';
  return event.startsWith('xstate.error.') ? 'error' : 'event';
}

/** `history` states name their default by key or by `#id`. */
function historyDefault(node: StateNodeLike): string | undefined {
  const target = node.type === 'history' ? node.config.target : undefined;
  if (typeof target !== 'string') return undefined;
  return target.startsWith('#') ? target.slice(1) : node.parent?.states[target]?.id;
}

function logicsOf(machine: AnyStateMachine, root: StateNodeLike, depth: number): Record<string, LogicStructure> {
  const names = new Set([...Object.keys(machine.implementations.actors), ...invokedBy(root)]);
  const logics: [string, LogicStructure][] = [];
  for (const name of names) {
    const logic = findLogic(machine, name);
    if (logic !== undefined) logics.push([name, logicOf(logic, depth)]);
  }
  return Object.fromEntries(logics);
}

function* invokedBy(node: StateNodeLike): Iterable<string> {
  for (const { src } of node.invoke) yield src;
  for (const inner of Object.values(node.states)) yield* invokedBy(inner);
}

function logicOf(logic: AnyActorLogic, depth: number): LogicStructure {
  const kind = kindOfLogic(logic);
  return isMachine(logic) && depth < DEPTH_MAX ? { kind, machine: structureOf(logic, depth + 1) } : { kind };
}

function namesOf(actions: unknown): string[] {
  if (actions === undefined || actions === null) return [];
  return (Array.isArray(actions) ? actions : [actions]).map((action) => nameOf(action));
}

function guardName(guard: unknown): string | undefined {
  if (guard === undefined || guard === null) return undefined;
  const { guards, name } = guard as { readonly guards?: readonly unknown[]; readonly name?: string };
  // and(), or() and not() keep what they combine.
  if (Array.isArray(guards)) return `${name || 'all of'}(${guards.map(guardName).join(', ')})`;
  return nameOf(guard);
}

/** A name, `{ type }`, one of XState's makers (a function with a `type`), or a function. */
function nameOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const { type, name } = value as { readonly type?: unknown; readonly name?: unknown };
  if (typeof type === 'string') return type;
  return typeof name === 'string' && name !== '' ? name : '(inline)';
}

/** Whether JSON keeps it. */
function isPlain(meta: unknown): boolean {
  if (meta === undefined) return false;
  try {
    return JSON.stringify(meta) !== undefined;
  } catch {
    return false;
  }
}
