/** What people see of a state: plain data, with markers in the place of references. */
import type { AnyMachineSnapshot } from 'xstate';
import { type DriverState, snapshotIn } from './driver-state.ts';
import type { NodeSnapshot } from './engine.ts';
import { isInside } from './logic-kind.ts';
import type { NodeRef } from './node-ref.ts';
import { detachRefs } from './ref-marker.ts';
import type { ChildView, MachineView } from './types.ts';

/** The whole tree. */
export function viewOf(state: DriverState): MachineView {
  return viewNode(state, state.engine.root, state.root);
}

function viewNode(state: DriverState, ref: NodeRef, snapshot: NodeSnapshot): MachineView {
  const machine = ref.kind === 'machine' ? (snapshot as unknown as AnyMachineSnapshot) : undefined;
  const children: Record<string, ChildView> = {};
  for (const child of Object.values(snapshot.children ?? {})) {
    const inner = snapshotIn(state, child);
    if (inner !== undefined && inner.status !== 'stopped') children[child.path] = viewChild(state, child, inner);
  }
  return {
    value: machine?.value,
    context: detachRefs(snapshot.context),
    status: snapshot.status,
    ...(snapshot.output === undefined ? {} : { output: detachRefs(snapshot.output) }),
    ...(snapshot.error === undefined ? {} : { error: snapshot.error }),
    tags: machine === undefined ? [] : ([...machine.tags] as string[]).sort(),
    meta: machine === undefined ? {} : (machine.getMeta() as Record<string, unknown>),
    children,
  };
}

function viewChild(state: DriverState, ref: NodeRef, snapshot: NodeSnapshot): ChildView {
  const { src, kind } = ref;
  const child = { src, kind, status: snapshot.status };
  return isInside(kind) ? { ...child, view: viewNode(state, ref, snapshot) } : child;
}
