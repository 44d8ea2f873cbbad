/**
 * One random machine twice: as a live XState actor, and as states of the driver. Every operation is done to both; then
 * both are looked at.
 */
import { type AnyActorRef, type AnyEventObject, type AnyStateMachine, createActor, SimulatedClock } from 'xstate';
import { type ChildView, childPath, type MachineView, parentPath, pathIds } from '../../src/machine/index.ts';
import { Driven, scopeAt } from './driving.ts';
import { build, type MachineSpec, type Outside } from './random-machine.ts';

export interface Operation {
  readonly kind: 'send' | 'sendChild' | 'resolve' | 'reject' | 'next' | 'back' | 'fire';
  readonly pick: number;
  readonly event: number;
}

/** What is compared of a node. */
export interface Seen {
  readonly value?: unknown;
  readonly context: unknown;
  readonly status: string;
  readonly output: unknown;
  readonly tags?: unknown;
  readonly children: Record<string, Seen>;
}

interface Timer {
  readonly path: string;
  readonly key: string;
  readonly due: number;
  readonly target: string;
  readonly event: AnyEventObject;
}

export class Twins {
  readonly machine: AnyStateMachine;
  driven!: Driven;
  readonly live: AnyActorRef;
  readonly #clock = new SimulatedClock();
  readonly #sendBacks = new Map<unknown, (event: AnyEventObject) => void>();
  readonly #byPath = new Map<string, AnyActorRef>();
  readonly #born = new Set<AnyActorRef>();
  readonly #started = new Set<unknown>();
  #replaced: { readonly older: AnyActorRef; readonly sameStep: boolean }[] = [];
  #liveTrace: string[] = [];
  #timers: Timer[] = [];
  #now = 0;
  /** Whether the comparison ends here: the step failed, or a deliberate difference came up. */
  over = false;

  constructor(spec: MachineSpec) {
    const outside: Outside = {
      custom: (label) => this.#liveTrace.push(`custom ${label}`),
      received: (self, event) => this.#liveTrace.push(`child ${pathOf(self as AnyActorRef)} ${event.type}`),
      sendBack: (self, send) => this.#sendBacks.set(self, send),
    };
    this.machine = build(spec);
    this.live = createActor(build(spec, outside), {
      clock: this.#clock,
      logger: (label: string, value: unknown) => this.#liveTrace.push(`log ${label} ${value}`),
      inspect: (event) => {
        if (event.type === '@xstate.actor') this.#listen(event.actorRef as AnyActorRef);
        if (event.type === '@xstate.event' && event.event.type === 'xstate.init') this.#started.add(event.actorRef);
      },
    }) as AnyActorRef;
    this.live.subscribe({ error: () => {} });
    this.live.start();
    const wasLive = this.#liveTrace;
    this.#both(
      () => {
        this.#liveTrace = wasLive;
      },
      () => {
        this.driven = new Driven(this.machine);
      },
    );
  }

  #listen(ref: AnyActorRef): void {
    const path = pathOf(ref);
    const older = this.#byPath.get(path);
    if (older !== undefined) this.#replaced.push({ older, sameStep: this.#born.has(older) });
    this.#born.add(ref);
    this.#byPath.set(path, ref);
    ref.on('*', (event: AnyEventObject) => this.#liveTrace.push(`emit ${path} ${event.type}`));
  }

  /** Does it to both, if it can be done. */
  apply({ kind, pick, event: n }: Operation): void {
    const event = { type: n > 3 ? 'e.x' : `e${n}` };
    if (kind === 'send') {
      this.#both(
        () => this.live.send(event),
        () => this.driven.send(event),
      );
      return;
    }
    if (kind === 'fire') return this.#fire();
    const path = this.#pick(kind, pick);
    if (path === undefined) return;
    const ref = this.#liveAt(path);
    if (kind === 'sendChild')
      this.#both(
        () => ref.send(event),
        () => this.driven.send(event, path),
      );
    if (kind === 'resolve')
      this.#both(
        () => ref.send({ type: 'xstate.promise.resolve', data: n }),
        () => this.driven.resolve(path, n),
      );
    if (kind === 'reject')
      this.#both(
        () => ref.send({ type: 'xstate.promise.reject', data: n }),
        () => this.driven.reject(path, n),
      );
    if (kind === 'next')
      this.#both(
        () => ref.send({ type: 'xstate.observable.next', data: n }),
        () => this.driven.next(path, n),
      );
    if (kind === 'back')
      this.#both(
        () => this.#sendBacks.get(ref)!(event),
        () => this.driven.send(event, parentPath(path)),
      );
  }

  #both(live: () => void, driven: () => unknown): void {
    this.#liveTrace = [];
    live();
    let threw = false;
    let reason: unknown;
    try {
      driven();
    } catch (error) {
      threw = true;
      reason = error;
    }
    const { status, error } = this.live.getSnapshot();
    this.over = threw || status === 'error';
    if (threw !== (status === 'error')) {
      throw new Error(`live is ${status} (${error}), but the driver ${threw ? 'threw' : 'went on'}`, { cause: reason });
    }
    // Deliberately different: a live actor lets a child run on whose id is given to another, or runs both for a moment.
    if (this.#replaced.some(({ older, sameStep }) => (sameStep && this.#started.has(older)) || processing(older) !== 2))
      this.over = true;
    this.#replaced = [];
    this.#born.clear();
    if (!this.over) this.#noteTimers();
  }

  /** What happened outside in the last operation, in order. */
  get traces(): { readonly live: readonly string[]; readonly driven: readonly string[] } {
    const driven = this.driven.actions.flatMap((action): string[] => {
      if (action.kind === 'emit') return [`emit ${action.path} ${action.event.type}`];
      if (action.kind === 'log') return [`log ${action.label} ${action.value}`];
      if (action.kind === 'send-child') return [`child ${action.childPath} ${action.event.type}`];
      if (action.kind === 'action') return ['custom'];
      return [];
    });
    return {
      live: initialTraceHidden(this.#liveTrace.map((line) => (line.startsWith('custom') ? 'custom' : line))),
      driven,
    };
  }

  get seen(): { readonly live: Seen; readonly driven: Seen } {
    return { live: seeLive(this.live), driven: seeView(this.driven.view) };
  }

  get timers(): { readonly live: readonly string[]; readonly driven: readonly string[] } {
    const scheduled = (
      this.live.system as unknown as {
        _snapshot: { _scheduledEvents: Record<string, { id: string; source: AnyActorRef; target: AnyActorRef }> };
      }
    )._snapshot._scheduledEvents;
    return {
      live: Object.values(scheduled)
        .filter(({ target }) => processing(target) === 1)
        .map(({ id, source }) => `${pathOf(source)} ${id}`)
        .sort(),
      driven: this.#timers
        .filter(({ target }) => this.driven.driver.hasChild(this.driven.state, target))
        .map(({ path, key }) => `${path} ${key}`)
        .sort(),
    };
  }

  #noteTimers(): void {
    for (const action of this.driven.actions) {
      if (action.kind === 'timer-set') {
        // Deliberately different: a live actor keeps both.
        if (this.#timers.some(({ path, key }) => path === action.path && key === action.timerKey)) this.over = true;
        this.#drop(({ path, key }) => path === action.path && key === action.timerKey);
        this.#timers.push({
          path: action.path,
          key: action.timerKey,
          due: this.#now + action.delayMs,
          target: action.targetPath,
          event: action.event,
        });
      }
      if (action.kind === 'timer-cancel')
        this.#drop(({ path, key }) => path === action.path && key === action.timerKey);
      if (action.kind === 'stop')
        this.#drop(({ path, target }) => isWithin(path, action.path) || isWithin(target, action.path));
    }
  }

  #drop(test: (timer: Timer) => boolean): void {
    this.#timers = this.#timers.filter((timer) => !test(timer));
  }

  /** The next timer, unless two are due together: their order is not promised. */
  #fire(): void {
    const [first, second] = [...this.#timers].sort((a, b) => a.due - b.due);
    if (first === undefined || (second !== undefined && second.due === first.due)) return;
    this.#drop((timer) => timer === first);
    const wait = first.due - this.#clock.now();
    this.#now = first.due;
    this.#both(
      () => this.#clock.increment(wait),
      () => this.driven.send(first.event, first.target),
    );
  }

  #pick(kind: Operation['kind'], pick: number): string | undefined {
    const wanted: Record<string, string[]> = {
      sendChild: ['machine', 'transition'],
      resolve: ['promise'],
      reject: ['promise'],
      next: ['observable'],
      back: ['callback'],
    };
    const paths = running(this.driven.view).filter(({ child }) => wanted[kind]!.includes(child.kind));
    return paths[pick % Math.max(1, paths.length)]?.path;
  }

  #liveAt(path: string): AnyActorRef {
    return pathIds(path).reduce((ref, id) => ref.getSnapshot().children[id] as AnyActorRef, this.live);
  }
}

function isWithin(path: string, stopped: string): boolean {
  return stopped === '' || path === stopped || path.startsWith(`${stopped}/`);
}

/** Actions of the initial state run before anybody can listen to a live actor: only custom ones and logs are seen. */
function initialTraceHidden(trace: readonly string[]): readonly string[] {
  return trace;
}

function running(view: MachineView): { path: string; child: ChildView }[] {
  return Object.entries(view.children).flatMap(([path, child]) => [
    ...(child.status === 'active' ? [{ path, child }] : []),
    ...(child.view === undefined ? [] : running(child.view)),
  ]);
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
    children: Object.fromEntries(children),
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
    children: Object.fromEntries(kids.map(([id, kid]) => [id, seeLive(kid)])),
  };
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

export { scopeAt };
