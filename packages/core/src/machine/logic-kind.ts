/**
 * Which kind of logic a machine starts, and where it is found by name. XState's logic objects carry no tag, so promise,
 * callback and observable logic are told apart by how their pure parts answer a probe; nothing of the user's runs.
 */
import { type AnyActorLogic, type AnyStateMachine, StateMachine, type StateNode } from 'xstate';
import { effectKind } from './effect-logic.ts';
import type { InvokeKind } from './types.ts';

/** `machine` and `transition` are stepped inside the actor; the others run outside. */
export type LogicKind = 'machine' | 'transition' | InvokeKind;

interface Probed {
  transition(
    snapshot: unknown,
    event: { type: string; data?: unknown },
    scope: unknown,
  ): { status?: string } | undefined;
  getInitialSnapshot(scope: unknown, input: unknown): object;
}

/** The state nodes of a machine by id: XState's own index, which its types hide. */
export function stateNodesOf(machine: AnyStateMachine): ReadonlyMap<string, StateNode> {
  return (machine as unknown as { idMap: ReadonlyMap<string, StateNode> }).idMap;
}

const kinds = new WeakMap<object, LogicKind>();

/** Kind of an actor logic. Unknown logic with a `start` counts as a callback: it runs outside and may send back. */
export function kindOfLogic(logic: AnyActorLogic): LogicKind {
  let kind = kinds.get(logic);
  if (kind === undefined) {
    kind = isMachine(logic)
      ? 'machine'
      : logic.start === undefined
        ? 'transition'
        : (effectKind(logic) ?? probe(logic));
    kinds.set(logic, kind);
  }
  return kind;
}

/** Whether nodes of this kind are stepped inside the actor. */
export function isInside(kind: LogicKind): kind is 'machine' | 'transition' {
  return kind === 'machine' || kind === 'transition';
}

/** Whether a logic is a state machine, also one from another copy of XState. */
export function isMachine(logic: unknown): logic is AnyStateMachine {
  if (logic instanceof StateMachine) return true;
  return typeof logic === 'object' && logic !== null && '__xstatenode' in logic && 'implementations' in logic;
}

/** The logic that `src` names in a machine, generated names of inline invokes (`xstate.invoke.<n>.<state>`) included. */
export function findLogic(machine: AnyStateMachine, src: string): AnyActorLogic | undefined {
  const generated = /^xstate\.invoke\.(\d+)\.(.*)/.exec(src);
  if (generated === null) {
    const actors = machine.implementations.actors as Record<string, AnyActorLogic | undefined>;
    return Object.hasOwn(actors, src) ? actors[src] : undefined;
  }
  const node = stateNodesOf(machine).get(generated[2]!);
  const invoke = node?.config.invoke as { src?: unknown } | { src?: unknown }[] | undefined;
  const logic = (Array.isArray(invoke) ? invoke[Number(generated[1])] : invoke)?.src;
  return typeof logic === 'object' ? (logic as AnyActorLogic) : undefined;
}

/** The name under which a machine's `setup` has this very logic, if it has. */
export function nameOfLogic(machine: AnyStateMachine, logic: unknown): string | undefined {
  const actors = machine.implementations.actors as Record<string, unknown>;
  return Object.keys(actors).find((name) => actors[name] === logic);
}

function probe(logic: AnyActorLogic): InvokeKind {
  const probed = logic as unknown as Probed;
  try {
    const initial = probed.getInitialSnapshot({}, undefined);
    if ('_subscription' in initial) return 'observable';
    const after = probed.transition(initial, { type: 'xstate.promise.resolve' }, { self: {} });
    return after?.status === 'done' ? 'promise' : 'callback';
  } catch {
    // Callback logic looks for its running instance and finds none.
    return 'callback';
  }
}
