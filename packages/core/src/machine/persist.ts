/** From a state to plain data. The counterpart of `restore.ts`. */
import type { AnyStateMachine } from 'xstate';
import { type DriverState, snapshotIn } from './driver-state.ts';
import type { NodeSnapshot } from './engine.ts';
import { stateNodesOf } from './logic-kind.ts';
import type { NodeRef } from './node-ref.ts';
import { ROOT_PATH } from './path.ts';
import { detach, type PlacedRef } from './storable.ts';
import { STORED_FORMAT, type StoredChild, type StoredNode, type StoredRef, type StoredState } from './stored.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface StateNodeLike {
  readonly id: string;
  readonly type: string;
}

/** A state as data. Shares what it can with the state: encode it, don't write to it. @throws NotStorable */
export function persistState(state: DriverState): StoredState {
  return { format: STORED_FORMAT, now: state.now, ...persistNode(state, state.engine.root, state.root) };
}

function persistNode(state: DriverState, ref: NodeRef, snapshot: NodeSnapshot): StoredNode {
  const node: Writable<StoredNode> = { status: snapshot.status };
  persistData(node, ref, snapshot);
  if (ref.kind === 'machine') persistMachine(node, ref.logic as AnyStateMachine, snapshot);
  else if (ref.kind === 'transition') persistOwn(node, ref, snapshot);
  const children = Object.entries(snapshot.children ?? {});
  if (children.length > 0) node.children = children.map(([id, child]) => persistChild(state, id, child));
  return node;
}

function persistChild(state: DriverState, id: string, ref: NodeRef): StoredChild {
  const child: Writable<StoredChild> = {
    id,
    src: ref.src,
    session: ref.sessionId,
    node: persistNode(state, ref, snapshotIn(state, ref)!),
  };
  if (ref.systemId !== undefined) child.systemId = ref.systemId;
  if (ref._syncSnapshot) child.sync = true;
  return child;
}

const DATA = ['context', 'output', 'error'] as const;

function persistData(node: Writable<StoredNode>, ref: NodeRef, snapshot: NodeSnapshot): void {
  const refs: StoredRef[] = [];
  for (const field of DATA) {
    const value = snapshot[field];
    if (value === undefined) continue;
    const detached = detach(value, ref.path === ROOT_PATH ? field : `${ref.path}: ${field}`);
    node[field] = detached.data;
    for (const placed of detached.refs) refs.push(storedRef(field, placed));
  }
  if (refs.length > 0) node.refs = refs;
}

function storedRef(field: string, { at, ref }: PlacedRef): StoredRef {
  // The root's session is its address, which may differ where the state is restored.
  return [[field, ...at], ref.path, ref.path === ROOT_PATH ? '' : ref.sessionId];
}

function persistMachine(node: Writable<StoredNode>, machine: AnyStateMachine, snapshot: NodeSnapshot): void {
  node.value = snapshot.value;
  const { historyValue } = snapshot as { historyValue?: Record<string, readonly StateNodeLike[]> };
  const remembered = Object.entries(historyValue ?? {});
  if (remembered.length > 0) {
    node.history = Object.fromEntries(remembered.map(([id, nodes]) => [id, nodes.map((each) => each.id)]));
  }
  const order = unusualOrder(machine, snapshot);
  if (order !== undefined) node.order = order;
}

/** In parallel states XState goes by the order in which states were entered, which the value alone doesn't tell. */
function unusualOrder(machine: AnyStateMachine, snapshot: NodeSnapshot): string[] | undefined {
  if (!isParallel(machine)) return undefined;
  const usual = machine.resolveState({ value: snapshot.value as never, context: {} })
    ._nodes as readonly StateNodeLike[];
  const actual = snapshot._nodes!;
  return usual.every((each, i) => each.id === actual[i]?.id) ? undefined : actual.map((each) => each.id);
}

const parallel = new WeakMap<AnyStateMachine, boolean>();

function isParallel(machine: AnyStateMachine): boolean {
  let known = parallel.get(machine);
  if (known === undefined) {
    known = [...stateNodesOf(machine).values()].some((node) => node.type === 'parallel');
    parallel.set(machine, known);
  }
  return known;
}

const COMMON = new Set<string>(['status', ...DATA]);

function persistOwn(node: Writable<StoredNode>, ref: NodeRef, snapshot: NodeSnapshot): void {
  const own = Object.entries(snapshot).filter(([field]) => !COMMON.has(field));
  if (own.length > 0)
    node.own = Object.fromEntries(own.map(([field, value]) => [field, detach(value, `${ref.path}: ${field}`).data]));
}
