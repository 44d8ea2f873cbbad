/** Which events a machine takes: now, in another state, or never. Only the root machine counts, not its children. */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import type { NodeSnapshot } from './engine.ts';
import { stateNodesOf } from './logic-kind.ts';
import type { Acceptance, MachineEvent } from './types.ts';

interface TransitionLike {
  readonly target?: unknown;
  readonly actions: readonly unknown[];
  readonly reenter?: boolean;
}

interface StateNodeLike {
  readonly transitions: ReadonlyMap<string, readonly TransitionLike[]>;
}

/** What the states of a machine handle, computed once. */
export interface EventTable {
  /** All descriptors in order of appearance: types, `a.*`, `*`. */
  readonly types: readonly string[];
  readonly exact: ReadonlySet<string>;
  readonly wildcards: readonly string[];
}

/** The table of a machine. Events that only the driver makes (`xstate.done...`) are left out. */
export function eventTable(machine: AnyStateMachine): EventTable {
  const types = new Set<string>();
  for (const node of stateNodesOf(machine).values())
    for (const type of handledTypes(node as unknown as StateNodeLike)) types.add(type);
  const all = [...types];
  const wildcards = all.filter(isWildcard);
  return { types: all, exact: new Set(all.filter((type) => !isWildcard(type))), wildcards };
}

/** Whether the machine takes the event in this state, in another one, or never. Runs guards, nothing else. */
export function acceptanceOf(table: EventTable, snapshot: NodeSnapshot, event: MachineEvent): Acceptance {
  // Asked first: XState remembers every event type that it is asked about.
  if (!handlesSomewhere(table, event.type)) return 'never';
  if (snapshot.status !== 'active') return 'never';
  const live = snapshot as unknown as AnyMachineSnapshot;
  if (live.can(event)) return 'now';
  // `on: { task: {} }` says that the event is to be ignored here, which is an answer too: it need not wait.
  return (live.machine.getTransitionData(live as never, event as never)?.length ?? 0) > 0 ? 'now' : 'later';
}

/** Types with a transition in this very state, whatever their guards say. */
export function typesAcceptedNow(snapshot: NodeSnapshot): string[] {
  if (snapshot.status !== 'active') return [];
  const nodes = (snapshot._nodes ?? []) as unknown as readonly StateNodeLike[];
  return [...new Set(nodes.flatMap((node) => [...handledTypes(node)]))];
}

function* handledTypes(node: StateNodeLike): Iterable<string> {
  for (const [type, transitions] of node.transitions) {
    if (!type.startsWith('xstate.') && transitions.some(doesSomething)) yield type;
  }
}

function doesSomething({ target, actions, reenter }: TransitionLike): boolean {
  return target !== undefined || actions.length > 0 || reenter === true;
}

function isWildcard(type: string): boolean {
  return type === '*' || type.endsWith('.*');
}

function handlesSomewhere({ exact, wildcards }: EventTable, type: string): boolean {
  if (exact.has(type)) return true;
  for (const wildcard of wildcards) {
    if (wildcard === '*' || type === wildcard.slice(0, -2) || type.startsWith(wildcard.slice(0, -1))) return true;
  }
  return false;
}
