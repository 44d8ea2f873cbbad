/**
 * One random machine twice: as a live XState actor, and as states of the driver. Every operation is done to both; then
 * both are looked at.
 */
import { type AnyActorRef, type AnyEventObject, createActor, SimulatedClock } from 'xstate';
import { childPath, EndlessStep, type MachineView, pathIds } from '../../src/machine/index.ts';
import { type Move, type Operation, Pilot } from './pilot.ts';
import { build, type MachineSpec, type Outside } from './random-machine.ts';

/** What is compared of a node. */
export interface Seen {
  readonly value?: unknown;
  readonly context: unknown;
  readonly status: string;
  readonly output: unknown;
  readonly tags?: unknown;
  readonly children: Record<string, Seen>;
}

/** The same thing as seen on both sides. */
export interface Both<T> {
  readonly live: T;
  readonly driven: T;
}

export class Twins {
  readonly live: AnyActorRef;
  pilot!: Pilot;
  /** Whether the comparison ends here: the step failed, or a deliberate difference came up. */
  over = false;
  readonly #clock = new SimulatedClock();
  readonly #sendBacks = new Map<unknown, (event: AnyEventObject) => void>();
  readonly #byPath = new Map<string, AnyActorRef>();
  readonly #born = new Set<AnyActorRef>();
  readonly #started = new Set<unknown>();
  #replaced: { readonly older: AnyActorRef; readonly sameStep: boolean }[] = [];
  #trace: string[] = [];

  constructor(spec: MachineSpec) {
    const outside: Outside = {
      custom: () => this.#trace.push('custom'),
      received: (self, event) => this.#trace.push(`child ${pathOf(self as AnyActorRef)} ${event.type}`),
      sendBack: (self, send) => this.#sendBacks.set(self, send),
    };
    this.live = createActor(build(spec, outside), {
      clock: this.#clock,
      logger: (label: string, value: unknown) => this.#trace.push(`log ${label} ${value}`),
      inspect: (event) => {
        if (event.type === '@xstate.actor') this.#listen(event.actorRef as AnyActorRef);
        if (event.type === '@xstate.event' && event.event.type === 'xstate.init') this.#started.add(event.actorRef);
      },
    }) as AnyActorRef;
    this.live.subscribe({ error: () => {} });
    this.live.start();
    this.#settle(() => {
      this.pilot = new Pilot(build(spec));
    });
  }

  /** Does it to both, if it can be done. */
  apply(operation: Operation): void {
    const move = this.pilot.plan(operation);
    if (move === undefined) return;
    this.#trace = [];
    this.#makeLive(move);
    this.#settle(() => this.pilot.make(move));
  }

  /** What happened outside in the last operation, in order. */
  get traces(): Both<readonly string[]> {
    const driven = this.pilot.driven.actions.flatMap((action): string[] => {
      if (action.kind === 'emit') return [`emit ${action.path} ${action.event.type}`];
      if (action.kind === 'log') return [`log ${action.label} ${action.value}`];
      if (action.kind === 'send-child') return [`child ${action.childPath} ${action.event.type}`];
      if (action.kind === 'action') return ['custom'];
      return [];
    });
    return { live: this.#trace, driven };
  }

  get seen(): Both<Seen> {
    return { live: seeLive(this.live), driven: seeView(this.pilot.driven.view) };
  }

  get timers(): Both<readonly string[]> {
    const { _snapshot } = this.live.system as unknown as { _snapshot: { _scheduledEvents: Record<string, Scheduled> } };
    const scheduled = Object.values(_snapshot._scheduledEvents).filter(({ target }) => processing(target) === 1);
    return {
      live: scheduled.map(({ id, source }) => `${pathOf(source)} ${id}`).sort(),
      driven: this.pilot.timers.map(({ path, key }) => `${path} ${key}`).sort(),
    };
  }

  #listen(ref: AnyActorRef): void {
    const path = pathOf(ref);
    const older = this.#byPath.get(path);
    if (older !== undefined) this.#replaced.push({ older, sameStep: this.#born.has(older) });
    this.#born.add(ref);
    this.#byPath.set(path, ref);
    ref.on('*', (event: AnyEventObject) => this.#trace.push(`emit ${path} ${event.type}`));
  }

  #makeLive(move: Move): void {
    if (move.kind === 'fire') {
      this.#clock.increment(move.timer.due - this.#clock.now());
      return;
    }
    const ref = this.#liveAt(move.path);
    if (move.kind === 'back') this.#sendBacks.get(ref)!(move.event);
    else if (move.kind === 'resolve') ref.send({ type: 'xstate.promise.resolve', data: move.value });
    else if (move.kind === 'reject') ref.send({ type: 'xstate.promise.reject', data: move.value });
    else if (move.kind === 'next') ref.send({ type: 'xstate.observable.next', data: move.value });
    else ref.send(move.event);
  }

  /** Lets the driver follow, which has to fail exactly when the live actor has. */
  #settle(follow: () => void): void {
    let failure: { readonly cause: unknown } | undefined;
    try {
      follow();
    } catch (cause) {
      failure = { cause };
    }
    const { status, error } = this.live.getSnapshot();
    const excused = failure?.cause instanceof EndlessStep;
    if (!excused && (failure !== undefined) !== (status === 'error')) {
      throw new Error(`live is ${status} (${error}), but the driver ${failure ? 'threw' : 'went on'}`, failure);
    }
    this.over =
      failure !== undefined ||
      this.pilot.replacedTimer ||
      this.#replaced.some(isTreatedOtherwise(this.#started)) ||
      [...this.#born].some((ref) => this.#started.has(ref) && processing(ref) === 2 && isStopped(ref));
    this.#replaced = [];
    this.#born.clear();
  }

  #liveAt(path: string): AnyActorRef {
    return pathIds(path).reduce((ref, id) => ref.getSnapshot().children[id] as AnyActorRef, this.live);
  }
}

interface Scheduled {
  readonly id: string;
  readonly source: AnyActorRef;
  readonly target: AnyActorRef;
}

/** A live actor lets a child run on whose id is given to another, or runs both for a moment. */
function isTreatedOtherwise(started: ReadonlySet<unknown>) {
  return ({ older, sameStep }: { readonly older: AnyActorRef; readonly sameStep: boolean }): boolean =>
    (sameStep && started.has(older)) || processing(older) === 1;
}

function pathOf(ref: AnyActorRef): string {
  const parent = (ref as unknown as { _parent?: AnyActorRef })._parent;
  return parent === undefined ? '' : childPath(pathOf(parent), ref.id);
}

function seeView(view: MachineView): Seen {
  const children = Object.entries(view.children).map(([path, child]): [string, Seen] => [
    pathIds(path).at(-1)!,
    child.view === undefined
      ? { context: undefined, status: child.status, output: undefined, children: {} }
      : seeView(child.view),
  ]);
  const isMachine = view.value !== undefined;
  return {
    ...(isMachine ? { value: view.value, tags: view.tags } : {}),
    context: withRefIds(view.context),
    status: view.status,
    output: view.output,
    children: shown(view.status, children),
  };
}

function seeLive(ref: AnyActorRef): Seen {
  const snapshot = ref.getSnapshot();
  const isMachine = 'value' in snapshot;
  const kids = Object.entries((snapshot.children ?? {}) as Record<string, AnyActorRef>).filter(
    ([, kid]) => !isStopped(kid),
  );
  const outside = !isMachine && (snapshot.context === undefined || '_subscription' in snapshot);
  return {
    ...(isMachine ? { value: snapshot.value, tags: [...snapshot.tags].sort() } : {}),
    context: outside ? undefined : withRefIds(snapshot.context),
    status: snapshot.status,
    output: outside ? undefined : snapshot.output,
    children: shown(
      snapshot.status,
      kids.map(([id, kid]) => [id, seeLive(kid)]),
    ),
  };
}

/** Below a node in error live actors run on, which is deliberately different. */
function shown(status: string, children: readonly (readonly [string, Seen])[]): Record<string, Seen> {
  return status === 'error' ? {} : Object.fromEntries(children);
}

/** Stopped by whatever way: a transition actor that was stopped still says it is active. */
function isStopped(ref: AnyActorRef): boolean {
  const { status } = ref.getSnapshot();
  return status === 'stopped' || (processing(ref) !== 1 && status === 'active');
}

/** XState's number: 0 not started, 1 running, 2 stopped. */
function processing(ref: AnyActorRef): number {
  return (ref as unknown as { _processingStatus: number })._processingStatus;
}

function withRefIds(context: unknown): unknown {
  if (typeof context !== 'object' || context === null) return context;
  const { refs, ...rest } = context as { refs?: Record<string, unknown> };
  if (refs === undefined) return context;
  const ids = Object.entries(refs).map(([n, ref]) => {
    const marker = (ref ?? {}) as { 'troupe.ref'?: string; id?: string };
    return [n, marker['troupe.ref'] === undefined ? marker.id : pathIds(marker['troupe.ref']).at(-1)];
  });
  return { ...rest, refs: Object.fromEntries(ids) };
}
