/**
 * One step. A kernel lives from the start of a step to its end, and plays XState's actors in it: it starts, feeds and
 * stops the nodes that are stepped inside in the order in which live actors would run, and writes down what has to
 * happen outside.
 *
 * It does not know what an event means (XState's machine does), nor what becomes of the actions (the runtime does).
 *
 * Invariants
 * 1. The state it starts from is never written to. A throw leaves nothing behind.
 * 2. Order is XState's: an event sent to a node that is busy waits; one sent to a node at rest is taken at once; what a
 *    step defers (sends, starts, stops, timers) happens after the node's new snapshot is set.
 * 3. A throw while a child steps is the child's error and undoes that child's step only. A throw of the root, an error
 *    that no state handles, logic without a name, or a step without end fail the whole step, whoever catches on the way.
 * 4. A path has at most one running node: starting another one there ends the older first, and what the older still
 *    does in this step has no timers and effects.
 * 5. A node created here gets its ids from the scope.
 */
import type { AnyActorRef, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { ActionLog } from './action-log.ts';
import { nameAnonymousChildren } from './anonymous-children.ts';
import { type DriverState, findNode } from './driver-state.ts';
import { type Engine, type Frame, GONE, type NodeSnapshot } from './engine.ts';
import { AnonymousLogic, EndlessStep, UnhandledError, UnknownLogic } from './errors.ts';
import { isInside, kindOfLogic, type LogicKind, nameOfLogic } from './logic-kind.ts';
import { adoptActor, NOT_STARTED, type NodeRef, type Processing, RUNNING, STOPPED } from './node-ref.ts';
import { createdRun, type NodeRun, resumedRun } from './node-run.ts';
import { type ExecutableAction, scopeOf } from './node-scope.ts';
import { childPath } from './path.ts';
import { recordAction } from './record-action.ts';
import { SystemIds } from './system-ids.ts';
import type { MachineEvent, MachineScope } from './types.ts';

/** Microsteps of one step, and events between its nodes, before it counts as endless. */
export const MICROSTEPS_MAX = 10_000;

const STOP: MachineEvent = Object.freeze({ type: 'xstate.stop' });

interface SpawnParams {
  readonly actorRef: NodeRef | undefined;
  readonly src: unknown;
}

/** Whether the end of such a node is reported. Who runs a promise ended it himself, and nothing can be aimed at it. */
function isReported(kind: LogicKind): boolean {
  return kind !== 'promise' && kind !== 'ask' && kind !== 'tool';
}

export class Kernel implements Frame {
  readonly engine: Engine;
  readonly scope: MachineScope;
  readonly base: DriverState;
  readonly log = new ActionLog();
  readonly root: NodeRun;
  /** Runs of the descendants that this step touched; `undefined` while there is none. */
  runs: Map<NodeRef, NodeRun> | undefined;
  /** The state after the step, for custom actions that run later. */
  after: DriverState | undefined;
  readonly #systemIds: SystemIds;
  /** The last node that this step started at each path. */
  #started: Map<string, NodeRef> | undefined;
  /** Nodes whose path was taken while they were busy. */
  #replaced: Set<NodeRef> | undefined;
  #fatal: { readonly error: unknown } | undefined;
  #microsteps = 0;

  constructor(engine: Engine, base: DriverState, scope: MachineScope, root: NodeRun) {
    this.engine = engine;
    this.base = base;
    this.scope = scope;
    this.root = root;
    this.#systemIds = new SystemIds(base.systemIds);
    this.runs = undefined;
    this.after = undefined;
  }

  // Nodes

  run(ref: NodeRef): NodeRun | undefined {
    if (ref === this.root.ref) return this.root;
    const run = this.runs?.get(ref);
    if (run !== undefined) return run;
    const snapshot = this.base.nodes?.get(ref);
    if (snapshot === undefined) return undefined;
    return this.#keep(resumedRun(ref, snapshot));
  }

  #keep(run: NodeRun): NodeRun {
    this.runs ??= new Map();
    this.runs.set(run.ref, run);
    return run;
  }

  snapshotOf(ref: NodeRef): NodeSnapshot {
    if (ref === this.root.ref) return this.root.snapshot;
    return this.runs?.get(ref)?.snapshot ?? this.base.nodes?.get(ref) ?? GONE;
  }

  processingOf(ref: NodeRef): Processing {
    return this.run(ref)?.processing ?? STOPPED;
  }

  // Life of a node

  constructing(actor: unknown): void {
    const made = actor as AnyActorRef & { src: unknown; logic: AnyStateMachine; options: { id?: string }; id: string };
    const parent = (made as unknown as { _parent: NodeRef })._parent;
    const machine = this.run(parent)!.ref.logic as AnyStateMachine;
    const src = typeof made.src === 'string' ? made.src : nameOfLogic(machine, made.logic);
    if (src === undefined) throw this.fail(new AnonymousLogic(`Actor logic started as '${made.id}'`, machine.id));
    const path = childPath(parent.path, made.id);
    const anonymous = made.options.id === undefined;
    const ref = adoptActor(made, { engine: this.engine, path, kind: kindOfLogic(made.logic), logic: made.logic, src });
    if (anonymous) this.#noteAnonymous(this.run(parent)!, ref);
  }

  #noteAnonymous(parent: NodeRun, ref: NodeRef): void {
    parent.anonymous ??= [];
    parent.anonymous.push(ref);
  }

  adopt(ref: NodeRef): { readonly status: string } {
    const run = this.#keep(createdRun(ref, { status: 'active', output: undefined, error: undefined }));
    const shell = ref as unknown as { options: { input?: unknown } | undefined };
    run.input = shell.options?.input;
    shell.options = undefined;
    run.snapshot = this.#firstSnapshot(run);
    return { status: run.snapshot.status };
  }

  #firstSnapshot(run: NodeRun): NodeSnapshot {
    const { ref } = run;
    if (ref.kind === 'observable') return { ...run.snapshot, context: undefined };
    if (!isInside(ref.kind)) return run.snapshot;
    try {
      return this.settled(run, ref.logic.getInitialSnapshot(scopeOf(ref), run.input) as NodeSnapshot);
    } catch (error) {
      if (this.#fatal !== undefined) throw error;
      return { status: 'error', output: undefined, error };
    }
  }

  start(ref: NodeRef): void {
    const run = this.run(ref);
    if (run === undefined || run.processing !== NOT_STARTED) return;
    if (!this.#isCurrent(ref) || this.#isReplaced(ref)) {
      this.stop(run);
      return;
    }
    this.#endOlderAt(ref);
    if (ref.systemId !== undefined) this.claimSystemId(ref.systemId, ref);
    run.processing = RUNNING;
    const { status } = run.snapshot;
    if (status === 'active') this.#launch(run);
    if (status === 'error') this.#crash(run, run.snapshot.error);
    else this.update(run, run.snapshot);
    if (run.processing !== RUNNING) return;
    run.open = true;
    this.#drain(run);
  }

  #launch(run: NodeRun): void {
    const { ref, input } = run;
    run.input = undefined;
    if (ref.kind === 'machine') ref.logic.start?.(run.snapshot as AnyMachineSnapshot, scopeOf(ref));
    else this.log.invoke(ref, input);
  }

  /** Whether its parent still has this node under its id: another may have taken the place within the same step. */
  #isCurrent(ref: NodeRef): boolean {
    if (ref._parent === undefined) return true;
    return this.run(ref._parent)!.snapshot.children?.[ref.id] === ref;
  }

  #endOlderAt(ref: NodeRef): void {
    const older = this.#started?.get(ref.path) ?? (this.base.nodes && findNode(this.base, ref.path));
    this.#started ??= new Map();
    this.#started.set(ref.path, ref);
    const run = older === undefined || older === ref ? undefined : this.run(older);
    if (run === undefined) return;
    this.stop(run);
    if (run.processing !== RUNNING) return;
    // It is busy and will stop later, but has to be reported before the new one's effects.
    this.log.stop(run.ref);
    this.#replaced ??= new Set();
    this.#replaced.add(run.ref);
  }

  /** Whether another node has taken the path of this one or of a node above: nothing may be done in its name. */
  #isReplaced(ref: NodeRef): boolean {
    if (this.#replaced === undefined) return false;
    for (let at: NodeRef | undefined = ref; at !== undefined; at = at._parent) if (this.#replaced.has(at)) return true;
    return false;
  }

  update(run: NodeRun, snapshot: NodeSnapshot): void {
    const { ref } = run;
    run.snapshot = snapshot;
    if (run.deferred.length > 0) this.#flush(run);
    if (snapshot.status === 'active') this.#tellParentOfSnapshot(run);
    else if (snapshot.status === 'error') this.#crash(run, snapshot.error);
    else if (snapshot.status === 'done') {
      this.end(run, isReported(ref.kind));
      const done = { type: `xstate.done.actor.${ref.id}`, output: snapshot.output, actorId: ref.id };
      if (ref._parent !== undefined) this.deliver(ref._parent, done);
    }
  }

  #flush(run: NodeRun): void {
    const { deferred } = run;
    for (let i = 0; i < deferred.length; i++) deferred[i]!();
    deferred.length = 0;
  }

  #tellParentOfSnapshot(run: NodeRun): void {
    const { ref, snapshot } = run;
    if (!ref._syncSnapshot || ref._parent === undefined || run.processing !== RUNNING) return;
    this.deliver(ref._parent, { type: `xstate.snapshot.${ref.id}`, snapshot });
  }

  /** Ends a node: it takes nothing more. `report` says whether the outside has to be told. */
  end(run: NodeRun, report: boolean): void {
    if (run.processing !== RUNNING) return;
    run.inbox.length = 0;
    run.open = false;
    run.processing = STOPPED;
    this.releaseSystemId(run.ref);
    const parent = run.ref._parent === undefined ? undefined : this.run(run.ref._parent);
    if (report && parent?.stopping !== true && !this.#isReplaced(run.ref)) this.log.stop(run.ref);
  }

  #crash(run: NodeRun, error: unknown): void {
    const { ref } = run;
    if (ref._parent === undefined) throw this.fail(new UnhandledError(this.engine.machine.id, error));
    this.end(run, isReported(ref.kind));
    this.deliver(ref._parent, { type: `xstate.error.actor.${ref.id}`, error, actorId: ref.id });
  }

  stopChild(parent: NodeRef, child: NodeRef): void {
    if (child._parent !== parent) {
      throw new Error(`Cannot stop child actor ${child.id} of ${parent.id} because it is not a child`);
    }
    const run = this.run(child);
    if (run !== undefined) this.stop(run);
  }

  stop(run: NodeRun): void {
    if (run.processing === STOPPED) return;
    run.inbox.length = 0;
    if (run.processing === NOT_STARTED) {
      run.processing = STOPPED;
      if (run.snapshot.status === 'active') run.snapshot = { ...run.snapshot, status: 'stopped' };
      return;
    }
    run.inbox.push(STOP);
    if (run.open && !run.busy) this.#drain(run);
  }

  // Events

  deliver(ref: NodeRef, event: MachineEvent): void {
    const run = this.run(ref);
    if (run === undefined || run.processing === STOPPED) return;
    run.inbox.push(event);
    if (run.open && !run.busy) this.#drain(run);
  }

  #drain(run: NodeRun): void {
    run.busy = true;
    const inside = isInside(run.ref.kind);
    while (run.inbox.length > 0) {
      const event = run.inbox.shift()!;
      if (inside) this.#take(run, event);
      else this.#takeOutside(run, event);
    }
    run.busy = false;
  }

  #take(run: NodeRun, event: MachineEvent): void {
    this.microstepped();
    const stop = event.type === STOP.type;
    if (stop) run.stopping = true;
    const next = this.#transition(run, event);
    if (next === undefined) return;
    this.update(run, next);
    if (!stop) return;
    if (run.snapshot.status === 'active') run.snapshot = { ...run.snapshot, status: 'stopped' };
    this.end(run, true);
  }

  #transition(run: NodeRun, event: MachineEvent): NodeSnapshot | undefined {
    const { ref } = run;
    const recorded = this.log.length;
    try {
      return this.settled(
        run,
        ref.logic.transition(run.snapshot as AnyMachineSnapshot, event, scopeOf(ref)) as NodeSnapshot,
      );
    } catch (error) {
      if (this.#fatal !== undefined) throw error;
      if (run === this.root) throw this.fail(error);
      if (ref.kind === 'machine') this.log.rewind(recorded);
      run.deferred.length = 0;
      run.snapshot = { ...run.snapshot, status: 'error', error };
      this.#crash(run, error);
      return undefined;
    }
  }

  #takeOutside(run: NodeRun, event: MachineEvent): void {
    if (event.type === STOP.type) {
      run.snapshot = { ...run.snapshot, status: 'stopped' };
      this.end(run, true);
    } else if (run.ref.kind === 'callback' && !this.#isReplaced(run.ref)) {
      this.log.sendChild(run.ref, event);
    }
  }

  /** A snapshot as it may be kept: every child under an id of its own, and none without logic. */
  settled(run: NodeRun, snapshot: NodeSnapshot): NodeSnapshot {
    if (this.runs === undefined || snapshot.children === undefined) return snapshot;
    const named = run.anonymous === undefined ? snapshot : nameAnonymousChildren(this, run.anonymous, snapshot);
    run.anonymous = undefined;
    return named;
  }

  // What a node's logic asks for

  perform(ref: NodeRef, action: ExecutableAction): void {
    const run = this.run(ref)!;
    if (action.type === 'xstate.spawnChild') this.#refuseMissing(ref, action.params as SpawnParams);
    if (run.processing === RUNNING) recordAction(this, ref, action);
    else run.deferred.push(() => recordAction(this, ref, action));
  }

  defer(ref: NodeRef, task: () => void): void {
    this.run(ref)!.deferred.push(task);
  }

  schedule(source: NodeRef, target: NodeRef, event: MachineEvent, delayMs: number, id: string | undefined): void {
    if (!this.#isReplaced(source)) this.log.setTimer(source, target, event, delayMs, id ?? this.nextId());
  }

  cancel(source: NodeRef, id: string): void {
    if (!this.#isReplaced(source)) this.log.cancelTimer(source, id);
  }

  nextId(): string {
    return this.scope.nextId();
  }

  address(): string {
    const { type, key } = this.scope.address;
    return `${type}/${key}`;
  }

  microstepped(): void {
    if (++this.#microsteps <= MICROSTEPS_MAX) return;
    throw this.fail(new EndlessStep(this.engine.machine.id, `${MICROSTEPS_MAX} microsteps`));
  }

  // System ids

  systemRef(systemId: string): NodeRef | undefined {
    return this.#systemIds.get(systemId);
  }

  systemRefs(): Record<string, NodeRef> {
    return this.#systemIds.all();
  }

  claimSystemId(systemId: string, ref: NodeRef): void {
    this.#systemIds.claim(systemId, ref);
  }

  releaseSystemId(ref: NodeRef): void {
    this.#systemIds.release(ref);
  }

  /** Makes an error the whole step's, so that nobody on the way takes it for a child's. Returns it, to be thrown. */
  fail(error: unknown): unknown {
    this.#fatal ??= { error };
    return this.#fatal.error;
  }

  /** The step's own error, if it failed and somebody swallowed the throw. */
  rethrow(): void {
    if (this.#fatal !== undefined) throw this.#fatal.error;
  }

  #refuseMissing(ref: NodeRef, { actorRef, src }: SpawnParams): void {
    if (actorRef === undefined) throw this.fail(new UnknownLogic(String(src), (ref.logic as AnyStateMachine).id));
  }
}
