/**
 * What a `MachineState` really is. Immutable: every step makes another one, and shares with the one before what did not
 * change.
 *
 * Invariants
 * 1. `nodes` holds every descendant that is reachable over `children`, and no other; `undefined` stands for none.
 * 2. `systemIds` holds the running descendants that have a system id.
 */
import type { Engine, NodeSnapshot } from './engine.ts';
import type { NodeRef } from './node-ref.ts';
import { pathIds } from './path.ts';
import type { MachineState } from './types.ts';

export interface DriverState {
  readonly engine: Engine;
  /** The root machine's snapshot, as XState made it. */
  readonly root: NodeSnapshot;
  readonly nodes: ReadonlyMap<NodeRef, NodeSnapshot> | undefined;
  readonly systemIds: ReadonlyMap<string, NodeRef> | undefined;
  /** Time of the step that made it, Unix ms. */
  readonly now: number;
}

/** For callers, who must not look inside. */
export function sealState(state: DriverState): MachineState {
  return state as unknown as MachineState;
}

/** Back from `sealState`. @throws TypeError when the state is of another machine's driver */
export function openState(engine: Engine, sealed: MachineState): DriverState {
  const state = sealed as unknown as DriverState;
  if (state.engine !== engine) {
    throw new TypeError(
      `This state is not one of machine '${engine.machine.id}': pass what its own driver's init(), transition() or restore() returned.`,
    );
  }
  return state;
}

/** Snapshot of a node; `undefined` when the node isn't in this state. */
export function snapshotIn(state: DriverState, ref: NodeRef): NodeSnapshot | undefined {
  return ref === state.engine.root ? state.root : state.nodes?.get(ref);
}

/** The node at a path; `undefined` when there is none. */
export function findNode(state: DriverState, path: string): NodeRef | undefined {
  let ref = state.engine.root;
  for (const id of pathIds(path)) {
    const children = snapshotIn(state, ref)?.children;
    if (children === undefined || !Object.hasOwn(children, id)) return undefined;
    ref = children[id]!;
  }
  return ref;
}

/** Paths of all descendants, parents before their children. */
export function knownPaths(state: DriverState): string[] {
  return state.nodes === undefined ? [] : [...state.nodes.keys()].map((ref) => ref.path);
}
