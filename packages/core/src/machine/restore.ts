/** From stored data back to a state. The counterpart of `persist.ts`; it never writes to what it is given. */
import type { AnyStateMachine } from 'xstate';
import type { DriverState } from './driver-state.ts';
import type { Engine, NodeSnapshot } from './engine.ts';
import { UnreadableState } from './errors.ts';
import { findLogic, kindOfLogic, stateNodesOf } from './logic-kind.ts';
import { NodeRef } from './node-ref.ts';
import { childPath, pathIds, ROOT_PATH } from './path.ts';
import { attach, type PlacedRef } from './storable.ts';
import { STORED_FORMAT, type StoredChild, type StoredNode, type StoredState } from './stored.ts';

interface Restoring {
  readonly engine: Engine;
  readonly refs: Map<string, NodeRef>;
  readonly nodes: Map<NodeRef, NodeSnapshot>;
  readonly systemIds: Map<string, NodeRef>;
}

/** The state that `persist` was given. @throws UnreadableState when the machine no longer has what it names */
export function restoreState(engine: Engine, persisted: unknown): DriverState {
  const stored = checkFormat(engine, persisted);
  const restoring: Restoring = { engine, refs: new Map(), nodes: new Map(), systemIds: new Map() };
  makeRefs(restoring, engine.root, stored);
  const root = restoreNode(restoring, engine.root, stored);
  return {
    engine,
    root,
    nodes: restoring.nodes.size === 0 ? undefined : restoring.nodes,
    systemIds: restoring.systemIds.size === 0 ? undefined : restoring.systemIds,
    now: stored.now ?? 0,
  };
}

function checkFormat(engine: Engine, persisted: unknown): StoredState {
  const stored = persisted as StoredState | undefined;
  if (stored?.format === STORED_FORMAT && stored.status !== undefined) return stored;
  throw new UnreadableState(engine.machine.id, `its format is ${String(stored?.format)}, not ${STORED_FORMAT}`);
}

/** All references first, since any node's data may name any other. */
function makeRefs(restoring: Restoring, parent: NodeRef, node: StoredNode): void {
  for (const child of node.children ?? []) {
    const ref = makeRef(restoring, parent, child);
    restoring.refs.set(ref.path, ref);
    makeRefs(restoring, ref, child.node);
  }
}

function makeRef({ engine }: Restoring, parent: NodeRef, child: StoredChild): NodeRef {
  const machine = parent.logic as AnyStateMachine;
  const logic = findLogic(machine, child.src);
  if (logic === undefined) {
    throw new UnreadableState(machine.id, `child '${child.id}' runs '${child.src}', which its actors don't have`);
  }
  return NodeRef.create({
    engine,
    id: child.id,
    sessionId: child.session,
    path: childPath(parent.path, child.id),
    kind: kindOfLogic(logic),
    logic,
    src: child.src,
    parent,
    systemId: child.systemId,
    syncSnapshot: child.sync === true,
  });
}

function restoreNode(restoring: Restoring, ref: NodeRef, node: StoredNode): NodeSnapshot {
  const data = restoreData(restoring, node);
  // Filled before it is complete, so that the order in `nodes` is parents first.
  const children: Record<string, NodeRef> = {};
  if (ref !== restoring.engine.root) restoring.nodes.set(ref, data);
  for (const child of node.children ?? []) {
    const inner = restoring.refs.get(childPath(ref.path, child.id))!;
    children[child.id] = inner;
    restoreNode(restoring, inner, child.node);
  }
  const snapshot = ref.kind === 'machine' ? restoreMachine(ref, node, data, children) : data;
  if (ref !== restoring.engine.root) restoring.nodes.set(ref, snapshot);
  if (ref.systemId !== undefined && node.status === 'active') restoring.systemIds.set(ref.systemId, ref);
  return snapshot;
}

function restoreData(restoring: Restoring, node: StoredNode): NodeSnapshot {
  let data: unknown = { context: node.context, output: node.output, error: node.error };
  if (node.refs !== undefined)
    data = attach(
      data,
      node.refs.map((stored) => placeRef(restoring, stored)),
    );
  const { context, output, error } = data as { context: unknown; output: unknown; error: unknown };
  const snapshot = { ...node.own, status: node.status, output, error };
  return 'context' in node ? { ...snapshot, context } : snapshot;
}

function placeRef(restoring: Restoring, [at, path, sessionId]: NonNullable<StoredNode['refs']>[number]): PlacedRef {
  return { at, ref: refAt(restoring, path, sessionId) };
}

function refAt({ engine, refs }: Restoring, path: string, sessionId: string): NodeRef {
  if (path === ROOT_PATH) return engine.root;
  const ref = refs.get(path);
  return ref !== undefined && ref.sessionId === sessionId ? ref : goneRef(engine, path, sessionId);
}

/** A reference to a node that ended before: what it is sent is dropped. */
export function goneRef(engine: Engine, path: string, sessionId: string): NodeRef {
  return NodeRef.create({
    engine,
    id: pathIds(path).at(-1)!,
    sessionId,
    path,
    kind: 'transition',
    logic: engine.machine,
    src: '',
    parent: engine.root,
    systemId: undefined,
    syncSnapshot: false,
  });
}

function restoreMachine(
  ref: NodeRef,
  node: StoredNode,
  { context, output, error }: NodeSnapshot,
  children: Record<string, NodeRef>,
): NodeSnapshot {
  const machine = ref.logic as AnyStateMachine;
  let resolved: object;
  try {
    resolved = machine.resolveState({ value: node.value as never, context: {} });
  } catch (cause) {
    throw new UnreadableState(machine.id, cause instanceof Error ? cause.message : String(cause));
  }
  const history = Object.entries(node.history ?? {});
  const snapshot: Record<string, unknown> = {
    ...resolved,
    status: node.status,
    output,
    error,
    context: context ?? {},
    children,
    historyValue: Object.fromEntries(history.map(([id, ids]) => [id, stateNodes(machine, ids)])),
  };
  if (node.order !== undefined) {
    snapshot._nodes = stateNodes(machine, node.order);
    snapshot.value = node.value;
  }
  return snapshot as unknown as NodeSnapshot;
}

function stateNodes(machine: AnyStateMachine, ids: readonly string[]): unknown[] {
  return ids.map((id) => {
    const node = stateNodesOf(machine).get(id);
    if (node === undefined) throw new UnreadableState(machine.id, `it has no state '#${id}'`);
    return node;
  });
}
