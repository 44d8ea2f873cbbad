/**
 * The end of a step: from the runs of a kernel to the next state, and whether anybody's state value differs.
 */
import type { DriverState } from './driver-state.ts';
import type { NodeSnapshot } from './engine.ts';
import type { Kernel } from './kernel.ts';
import { type NodeRef, RUNNING } from './node-ref.ts';

/** The state after the step. */
export function commit(kernel: Kernel): DriverState {
  const { engine, base, scope } = kernel;
  const root = kernel.root.snapshot;
  let { nodes, systemIds } = base;
  if (kernel.runs !== undefined) {
    const collected: Collected = { nodes: new Map(), systemIds: new Map() };
    collect(kernel, root, collected);
    nodes = collected.nodes.size === 0 ? undefined : collected.nodes;
    systemIds = collected.systemIds.size === 0 ? undefined : collected.systemIds;
  }
  const state: DriverState = { engine, root, nodes, systemIds, now: scope.now };
  kernel.after = state;
  return state;
}

/** Whether the state value or the status of any node differs, or a node came or went. */
export function hasChanged(before: DriverState, after: DriverState): boolean {
  if (differs(before.root, after.root)) return true;
  if (before.nodes === after.nodes) return false;
  if (before.nodes === undefined || after.nodes === undefined) return true;
  if (before.nodes.size !== after.nodes.size) return true;
  for (const [ref, snapshot] of after.nodes) {
    const earlier = before.nodes.get(ref);
    if (earlier === undefined || differs(earlier, snapshot)) return true;
  }
  return false;
}

interface Collected {
  readonly nodes: Map<NodeRef, NodeSnapshot>;
  readonly systemIds: Map<string, NodeRef>;
}

function collect(kernel: Kernel, parent: NodeSnapshot, into: Collected): void {
  const { children } = parent;
  if (children === undefined) return;
  for (const id of Object.keys(children)) {
    const ref = children[id]!;
    let snapshot = kernel.snapshotOf(ref);
    // What runs below a node that has ended runs no more, even if nobody stopped it one by one.
    if (snapshot.status === 'active' && parent.status !== 'active') snapshot = { ...snapshot, status: 'stopped' };
    into.nodes.set(ref, snapshot);
    if (ref.systemId !== undefined && snapshot.status === 'active' && kernel.processingOf(ref) === RUNNING) {
      into.systemIds.set(ref.systemId, ref);
    }
    collect(kernel, snapshot, into);
  }
}

function differs(before: NodeSnapshot, after: NodeSnapshot): boolean {
  if (before === after) return false;
  if (before.status !== after.status) return true;
  const earlier = before._nodes;
  const later = after._nodes;
  if (earlier === later || earlier === undefined || later === undefined) return false;
  return earlier.length !== later.length || later.some((node) => !earlier.includes(node));
}
