/**
 * The driver of XState v5 machines: `MachineDriver` on the kernel and its neighbours. See `types.ts` for what each
 * function promises.
 */
import type { MachineBody } from '@troupe/wire';
import type { AnyActorLogic, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { acceptanceOf, eventTable, typesAcceptedNow } from './acceptance.ts';
import { commit, hasChanged } from './commit.ts';
import { type DriverState, findNode, knownPaths, openState, sealState, snapshotIn } from './driver-state.ts';
import { effectMeta } from './effect-logic.ts';
import { createEngine, type Engine, type NodeSnapshot } from './engine.ts';
import { UnknownChild } from './errors.ts';
import { hashMachine, machineReplies } from './fingerprint.ts';
import { Kernel } from './kernel.ts';
import type { NodeRef } from './node-ref.ts';
import { createdRun, resumedRun } from './node-run.ts';
import { scopeOf } from './node-scope.ts';
import { ROOT_PATH } from './path.ts';
import { persistState } from './persist.ts';
import { ReadFrame, withFrame } from './read-frame.ts';
import { attachRefs } from './ref-marker.ts';
import { goneRef, restoreState } from './restore.ts';
import { enterSeed, leaveSeed } from './seeded-globals.ts';
import { startChild } from './start-child.ts';
import { structureOf } from './structure.ts';
import { forgetSince, recordedCount } from './transition-log.ts';
import type {
  Acceptance,
  LogicInfo,
  MachineDriver,
  MachineEvent,
  MachineScope,
  MachineStep,
  RunningChild,
  StartChildOptions,
} from './types.ts';
import { viewOf } from './view.ts';

/** Stamped into stored states. */
export const ENGINE = 'xstate@5';

const ENDED: MachineStep['actions'] = Object.freeze([]);

/**
 * A driver for any machine made with `setup().createMachine()`. Make one per definition and keep it: its states belong
 * to it.
 *
 * @example
 * const driver = createMachineDriver(machine);
 * const { state, actions } = driver.init({ type: 'support', key: 'john' }, scope);
 */
export function createMachineDriver(machine: AnyStateMachine): MachineDriver {
  const engine = createEngine(machine);
  const table = eventTable(machine);
  let structure: MachineBody | undefined;
  return {
    engine: ENGINE,
    hash: hashMachine(machine),
    structure: () => {
      structure ??= structureOf(machine);
      return structure;
    },
    replies: machineReplies(machine),
    eventTypes: table.types,
    init: (input, scope) => init(engine, input, scope),
    transition: (state, path, event, scope) => transition(engine, openState(engine, state), path, event, scope),
    settle: (state, path, result, scope) => settle(engine, openState(engine, state), path, result, scope),
    next: (state, path, value, scope) => next(engine, openState(engine, state), path, value, scope),
    accepts: (state, event, scope) => accepts(engine, openState(engine, state), event, scope, table),
    acceptedNow: (state) => typesAcceptedNow(openState(engine, state).root),
    hasChild: (state, path) => isRunning(openState(engine, state), path),
    logicOf: (state, path) => logicOf(openState(engine, state), path),
    status: (state) => openState(engine, state).root as ReturnType<MachineDriver['status']>,
    hasTag: (state, tag) => (openState(engine, state).root as unknown as AnyMachineSnapshot).hasTag(tag),
    contexts: (state) => contextsOf(openState(engine, state)),
    view: (state) => viewOf(openState(engine, state)),
    persist: (state) => persistState(openState(engine, state)),
    restore: (persisted) => sealState(restoreState(engine, persisted)),
    start: (options) => start(openState(engine, options.state), options),
  };
}

const UNBORN: NodeSnapshot = Object.freeze({ status: 'active', output: undefined, error: undefined });

function init(engine: Engine, input: unknown, scope: MachineScope): MachineStep {
  const base: DriverState = { engine, root: UNBORN, nodes: undefined, systemIds: undefined, now: scope.now };
  const kernel = new Kernel(engine, base, scope, createdRun(engine.root, UNBORN));
  step(kernel, () => {
    const first = engine.machine.getInitialSnapshot(scopeOf(engine.root), input as never) as unknown as NodeSnapshot;
    // XState catches what entry actions throw; here it is the step's.
    if (first.status === 'error') throw first.error;
    kernel.root.snapshot = kernel.settled(kernel.root, first);
    kernel.start(engine.root);
  });
  return { state: sealState(commit(kernel)), actions: kernel.log.actions, changed: true };
}

function transition(
  engine: Engine,
  base: DriverState,
  path: string,
  event: MachineEvent,
  scope: MachineScope,
): MachineStep {
  const ref = path === ROOT_PATH ? engine.root : findNode(base, path);
  // What reaches a node that has ended is dropped, as a live actor's would be.
  if (ref === undefined || snapshotIn(base, ref)?.status !== 'active') return unchanged(base);
  const attached = attachRefs(event, (marker) => refIn(base, marker['troupe.ref'], marker.session));
  return resume(engine, base, scope, (kernel) => kernel.deliver(ref, attached));
}

function settle(
  engine: Engine,
  base: DriverState,
  path: string,
  result: Parameters<MachineDriver['settle']>[2],
  scope: MachineScope,
): MachineStep {
  const ref = childAt(base, path);
  const before = snapshotIn(base, ref)!;
  if (before.status !== 'active') return unchanged(base);
  const after: NodeSnapshot = result.ok
    ? { ...before, status: 'done', output: result.output }
    : { ...before, status: 'error', error: result.error };
  return resume(engine, base, scope, (kernel) => kernel.update(kernel.run(ref)!, after));
}

function next(engine: Engine, base: DriverState, path: string, value: unknown, scope: MachineScope): MachineStep {
  const ref = childAt(base, path);
  const before = snapshotIn(base, ref)!;
  if (before.status !== 'active') return unchanged(base);
  return resume(engine, base, scope, (kernel) => kernel.update(kernel.run(ref)!, { ...before, context: value }));
}

function resume(engine: Engine, base: DriverState, scope: MachineScope, task: (kernel: Kernel) => void): MachineStep {
  const kernel = new Kernel(engine, base, scope, resumedRun(engine.root, base.root));
  step(kernel, task);
  const state = commit(kernel);
  return { state: sealState(state), actions: kernel.log.actions, changed: hasChanged(base, state) };
}

function step(kernel: Kernel, task: (kernel: Kernel) => void): void {
  const { engine, scope } = kernel;
  const outer = engine.frame;
  const taken = recordedCount();
  enterSeed(scope.seed, scope.now);
  engine.frame = kernel;
  try {
    task(kernel);
    kernel.rethrow();
  } catch (error) {
    forgetSince(taken);
    throw error;
  } finally {
    engine.frame = outer;
    leaveSeed();
  }
}

function unchanged(state: DriverState): MachineStep {
  return { state: sealState(state), actions: ENDED, changed: false };
}

function accepts(
  engine: Engine,
  state: DriverState,
  event: MachineEvent,
  scope: MachineScope | undefined,
  table: ReturnType<typeof eventTable>,
): Acceptance {
  const address = scope === undefined ? engine.machine.id : `${scope.address.type}/${scope.address.key}`;
  enterSeed(scope?.seed ?? '', scope?.now ?? state.now);
  try {
    return withFrame(engine, new ReadFrame(state, address), () => acceptanceOf(table, state.root, event));
  } finally {
    leaveSeed();
  }
}

function isRunning(state: DriverState, path: string): boolean {
  const ref = findNode(state, path);
  return ref !== undefined && snapshotIn(state, ref)?.status === 'active';
}

function logicOf(state: DriverState, path: string): LogicInfo | undefined {
  const ref = findNode(state, path);
  if (ref === undefined) return undefined;
  const { kind, src, logic } = ref;
  const meta = effectMeta(logic);
  return { kind, src, ...(meta === undefined ? {} : { meta }) };
}

function start(state: DriverState, options: StartChildOptions): RunningChild {
  const { logic } = childAt(state, options.childPath);
  return startChild(logic as AnyActorLogic, options);
}

function contextsOf({ root, nodes }: DriverState): unknown[] {
  const contexts = [root.context];
  for (const { context } of nodes?.values() ?? []) if (context !== undefined) contexts.push(context);
  return contexts;
}

function childAt(state: DriverState, path: string): NodeRef {
  const ref = path === ROOT_PATH ? undefined : findNode(state, path);
  if (ref === undefined) throw new UnknownChild(path, knownPaths(state));
  return ref;
}

function refIn(state: DriverState, path: string, sessionId: string): NodeRef {
  const ref = findNode(state, path);
  if (ref !== undefined && (path === ROOT_PATH || ref.sessionId === sessionId)) return ref;
  return goneRef(state.engine, path, sessionId);
}
