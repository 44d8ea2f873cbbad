/**
 * Machines made at random, as data, so that another process can build the same one. `specs` says what can occur; `build`
 * makes the machine. Events are `e0` to `e3`; the context counts and logs what ran, in order.
 */
import fc from 'fast-check';
import {
  type AnyActorLogic,
  type AnyEventObject,
  type AnyStateMachine,
  and,
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  fromCallback,
  fromObservable,
  fromPromise,
  fromTransition,
  log,
  not,
  or,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stateIn,
} from 'xstate';
import { createReplyAction } from '../../src/machine/index.ts';

export interface ActionSpec {
  readonly kind: (typeof ACTIONS)[number];
  readonly n: number;
}

export interface GuardSpec {
  readonly kind: 'none' | 'modulo' | 'in' | 'not' | 'and' | 'or' | 'named';
  readonly n: number;
}

export interface TransitionSpec {
  readonly event: number;
  /** Index among all states; below 0 for none. */
  readonly target: number;
  readonly reenter: boolean;
  readonly guard: GuardSpec;
  readonly actions: readonly ActionSpec[];
}

export interface NodeSpec {
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'shallow' | 'deep';
  readonly states: readonly NodeSpec[];
  readonly initial: number;
  readonly entry: readonly ActionSpec[];
  readonly exit: readonly ActionSpec[];
  readonly on: readonly TransitionSpec[];
  readonly always: readonly TransitionSpec[];
  readonly after: readonly TransitionSpec[];
  readonly done: readonly TransitionSpec[];
  /** Index into `SOURCES`; below 0 for none. */
  readonly invoke: number;
  readonly onError: boolean;
}

export interface MachineSpec {
  readonly root: NodeSpec;
  /** The machine that it may run as `kid`. */
  readonly kid: MachineSpec | undefined;
}

const ACTIONS = [
  'count',
  'raise',
  'raiseLater',
  'cancel',
  'emit',
  'log',
  'custom',
  'reply',
  'enqueue',
  'spawnChild',
  'spawn',
  'stop',
  'sendRef',
  'sendLater',
  'sendParent',
] as const;

/** What may be invoked or spawned. */
export const SOURCES = ['job', 'listener', 'stream', 'tally', 'kid'] as const;

const action = fc.record({ kind: fc.constantFrom(...ACTIONS), n: fc.nat(3) });
const actions = fc.array(action, { maxLength: 2 });
const guard = fc.record({
  kind: fc.constantFrom('none', 'none', 'modulo', 'in', 'not', 'and', 'or', 'named') as fc.Arbitrary<GuardSpec['kind']>,
  n: fc.nat(11),
});
const transition = fc.record({
  event: fc.nat(5),
  target: fc.integer({ min: -1, max: 11 }),
  reenter: fc.boolean(),
  guard,
  actions,
});
const few = (max: number) => fc.array(transition, { maxLength: max });

function node(depth: number): fc.Arbitrary<NodeSpec> {
  const leaf = fc.constantFrom('atomic', 'atomic', 'atomic', 'final', 'shallow', 'deep') as fc.Arbitrary<
    NodeSpec['type']
  >;
  const type =
    depth === 0
      ? leaf
      : (fc.constantFrom(
          'atomic',
          'atomic',
          'compound',
          'compound',
          'parallel',
          'final',
          'shallow',
          'deep',
        ) as typeof leaf);
  return fc.record({
    type,
    states: depth === 0 ? fc.constant([]) : fc.array(node(depth - 1), { minLength: 2, maxLength: 3 }),
    initial: fc.nat(2),
    entry: actions,
    exit: actions,
    on: few(3),
    always: few(1),
    after: few(1),
    done: few(1),
    invoke: fc.integer({ min: -4, max: SOURCES.length - 1 }),
    onError: fc.boolean(),
  }) as fc.Arbitrary<NodeSpec>;
}

function spec(kids: number): fc.Arbitrary<MachineSpec> {
  const root = node(2).map(
    (made) => ({ ...made, type: made.type === 'parallel' ? made.type : 'compound' }) as NodeSpec,
  );
  return fc.record({ root, kid: kids === 0 ? fc.constant(undefined) : spec(kids - 1) });
}

/** Machines with children of children. */
export const specs: fc.Arbitrary<MachineSpec> = spec(2);

/** What the outside of a machine is told, for comparing orders. */
export interface Outside {
  custom(label: string): void;
  received(self: unknown, event: AnyEventObject): void;
  sendBack(self: unknown, send: (event: AnyEventObject) => void): void;
}

const NOBODY: Outside = { custom: () => {}, received: () => {}, sendBack: () => {} };

/**
 * Sends of all kinds end at the first count, so that no machine answers itself for ever; no transition is taken from the
 * second one, since a wildcard that starts a child that ends at once would never rest. By depth: a parent starts many
 * children, and each of them counts from nothing.
 */
const LIMITS = [
  { sends: 24, transitions: 48 },
  { sends: 10, transitions: 16 },
  { sends: 4, transitions: 6 },
] as const;

interface Context {
  n: number;
  log: string[];
  refs: Record<string, unknown>;
  kids: Record<string, boolean>;
}

function forget({ refs, kids }: Context, n: number): Partial<Context> {
  return { refs: { ...refs, [n]: undefined }, kids: { ...kids, [n]: false } };
}

type Loose = Record<string, unknown>;

/** The machine of a spec. Two of the same spec differ in nothing. */
export function build(
  machineSpec: MachineSpec,
  outside: Outside = NOBODY,
  id = 'm',
  ofParent = false,
): AnyStateMachine {
  const kid = machineSpec.kid === undefined ? undefined : build(machineSpec.kid, outside, `${id}k`, true);
  const actors: Record<string, AnyActorLogic> = {
    job: fromPromise(() => new Promise(() => {})),
    listener: fromCallback(({ self, sendBack, receive }) => {
      outside.sendBack(self, sendBack as never);
      receive((event) => outside.received(self, event));
    }),
    stream: fromObservable(() => ({ subscribe: () => ({ unsubscribe: () => {} }) }) as never),
    tally: fromTransition((count: number, event: AnyEventObject) => count + event.type.length, 0),
    ...(kid === undefined ? {} : { kid }),
  };
  const builder = new Builder(id, machineSpec, Object.keys(actors), outside, ofParent);
  const config = builder.config();
  void setup;
  return createMachine(config as never, { actors, guards: builder.guards } as never) as unknown as AnyStateMachine;
}

class Builder {
  readonly guards: Loose = { odd: ({ context }: { context: Context }) => context.n % 2 === 1 };
  readonly #id: string;
  readonly #spec: MachineSpec;
  readonly #sources: readonly string[];
  readonly #outside: Outside;
  readonly #ofParent: boolean;
  readonly #limits: (typeof LIMITS)[number];
  readonly #withinLimit = ({ context }: { context: unknown }) => (context as Context).n < this.#limits.transitions;
  readonly #targets: string[] = [];
  #delays = 0;

  constructor(id: string, machineSpec: MachineSpec, sources: readonly string[], outside: Outside, ofParent: boolean) {
    this.#id = id;
    this.#spec = machineSpec;
    this.#sources = sources;
    this.#outside = outside;
    this.#ofParent = ofParent;
    // The id of a child is its parent's and one letter more.
    this.#limits = LIMITS[id.length - 1]!;
  }

  config(): Loose {
    this.#collect(this.#spec.root, this.#id);
    return {
      ...this.#state(this.#spec.root, this.#id),
      id: this.#id,
      context: { n: 0, log: [], refs: {}, kids: {} },
      options: { maxIterations: 50 },
      output: ({ context }: { context: Context }) => ({ n: context.n }),
    };
  }

  #collect(spec: NodeSpec, id: string): void {
    if (spec.type !== 'compound' && spec.type !== 'parallel') return;
    spec.states.forEach((state, i) => {
      this.#targets.push(`#${id}.s${i}`);
      this.#collect(state, `${id}.s${i}`);
    });
  }

  #state(spec: NodeSpec, id: string): Loose {
    if (spec.type === 'shallow' || spec.type === 'deep') return { type: 'history', history: spec.type };
    const entry = spec.entry.map((each) => this.#action(each));
    if (spec.type === 'final')
      return { type: 'final', entry, output: ({ context }: { context: Context }) => context.n };
    const nested = spec.type === 'compound' || spec.type === 'parallel';
    return {
      entry,
      exit: spec.exit.map((each) => this.#action(each)),
      tags: [`tag-${id}`],
      on: this.#on(spec.on, id),
      always: spec.always.map((each) => this.#transition(each, id, true)),
      after: Object.fromEntries(spec.after.map((each) => [this.#delay(), this.#transition(each, id)])),
      invoke: this.#invoke(spec, id),
      ...(nested ? this.#nested(spec, id) : {}),
    };
  }

  #nested(spec: NodeSpec, id: string): Loose {
    const states = Object.fromEntries(spec.states.map((state, i) => [`s${i}`, this.#state(state, `${id}.s${i}`)]));
    const onDone = id === this.#id ? [] : spec.done.map((each) => this.#transition(each, id));
    const possible = spec.states
      .map((state, i) => ({ state, i }))
      .filter(({ state }) => !['shallow', 'deep'].includes(state.type));
    if (spec.type === 'parallel')
      return possible.length === 0
        ? { type: 'parallel', states: { ...states, x: {} }, onDone }
        : { type: 'parallel', states, onDone };
    if (possible.length === 0) return { initial: 'x', states: { ...states, x: {} }, onDone };
    return { initial: `s${possible[spec.initial % possible.length]!.i}`, states, onDone };
  }

  #on(transitions: readonly TransitionSpec[], id: string): Loose {
    const on: Record<string, unknown[]> = {};
    for (const each of transitions) {
      const type = each.event === 4 ? '*' : each.event === 5 ? 'e.*' : `e${each.event}`;
      on[type] = [...(on[type] ?? []), this.#transition(each, id)];
    }
    return on;
  }

  #transition(spec: TransitionSpec, id: string, always = false): Loose {
    const target = spec.target < 0 ? undefined : this.#targets[spec.target % this.#targets.length];
    const guardOf = this.#guard(always && spec.guard.kind === 'none' ? { ...spec.guard, kind: 'modulo' } : spec.guard);
    void id;
    return {
      ...(target === undefined ? {} : { target, reenter: spec.reenter }),
      guard: guardOf === undefined ? this.#withinLimit : and([this.#withinLimit, guardOf] as never),
      actions: [this.#count('t'), ...spec.actions.map((each) => this.#action(each))],
    };
  }

  #guard({ kind, n }: GuardSpec): unknown {
    const modulo = ({ context }: { context: Context }) => context.n % 3 === n % 3;
    const inside = stateIn(this.#targets[n % this.#targets.length]!);
    if (kind === 'none') return undefined;
    if (kind === 'modulo') return modulo;
    if (kind === 'in') return inside;
    if (kind === 'not') return not(inside);
    if (kind === 'and') return and([modulo, not(inside)] as never);
    if (kind === 'or') return or([modulo, inside] as never);
    return 'odd';
  }

  #invoke(spec: NodeSpec, id: string): unknown {
    const src = spec.invoke < 0 ? undefined : this.#sources[spec.invoke % this.#sources.length];
    if (src === undefined) return [];
    const note = this.#count(`i-${src}`);
    return {
      src,
      id: `inv.${id}`,
      input: ({ context }: { context: Context }) => ({ n: context.n }),
      ...(src === 'stream' || src === 'tally' ? { onSnapshot: { actions: note } } : {}),
      onDone: { actions: [this.#count('done')] },
      ...(spec.onError ? { onError: { actions: [this.#count('error')] } } : {}),
    };
  }

  /** Every delay once in the machine, so that no two timers of one node are due together. */
  #delay(): number {
    this.#delays++;
    return 10 * this.#delays + this.#id.length + this.#delays / 64;
  }

  #count(label: string): unknown {
    return assign(({ context, event }) => {
      const { n, log: lines } = context as Context;
      return { n: n + 1, log: [...lines.slice(-30), `${label}:${event.type}`] };
    });
  }

  #limited(label: string, then: (enqueue: never, args: { context: Context; event: AnyEventObject }) => void): unknown {
    return enqueueActions((args) => {
      args.enqueue(this.#count(label) as never);
      if ((args.context as Context).n < this.#limits.sends) then(args.enqueue as never, args as never);
    });
  }

  #action({ kind, n }: ActionSpec): unknown {
    const src = this.#sources[n % this.#sources.length]!;
    const event = { type: `e${n}` };
    switch (kind) {
      case 'count':
        return this.#count('c');
      case 'raise':
        return this.#limited('raise', (enqueue: { raise(event: unknown): void }) => enqueue.raise(event));
      case 'raiseLater':
        return this.#limited('later', (enqueue: (action: unknown) => void) => {
          enqueue(cancel(`late${n}`));
          enqueue(raise(event as never, { delay: 3 + n * 1.75, id: `late${n}` }));
        });
      case 'cancel':
        return cancel(`late${n}`);
      case 'emit':
        return emit({ type: `out${n}` } as never);
      case 'log':
        return log(({ context }) => (context as Context).n, 'at');
      case 'custom':
        return Object.assign(
          ({ context }: { context: Context }) => this.#outside.custom(`${this.#id}:${n}:${context.n}`),
          {},
        );
      case 'reply':
        return createReplyAction('reply', (({ context }: { context: Context }) => context.n) as never);
      case 'enqueue':
        return enqueueActions(({ enqueue, check }) => {
          if (check('odd' as never)) enqueue(this.#count('odd') as never);
          enqueue.emit({ type: 'checked' } as never);
        });
      case 'spawnChild':
        return this.#limited('sc', (enqueue: (action: unknown) => void, { context }) => {
          if (context.kids[n] === true) return;
          enqueue(assign(({ context: now }) => ({ kids: { ...(now as Context).kids, [n]: true } })));
          enqueue(spawnChild(src as never, { id: `k${n}`, syncSnapshot: n === 2 } as never));
        });
      case 'spawn':
        return this.#limited('sp', (enqueue: (action: unknown) => void, { context }) => {
          if (context.refs[n] !== undefined) return;
          enqueue(
            assign(({ context, spawn }) => ({
              refs: {
                ...(context as Context).refs,
                [n]: (spawn as (src: string, o: object) => unknown)(src, { id: `r${n}` }),
              },
            })),
          );
        });
      case 'stop':
        return enqueueActions(({ enqueue }) => {
          enqueue.stopChild(n % 2 === 0 ? `k${n}` : `r${n}`);
          // In half of the cases the machine forgets the child, so that it may start it again.
          if (n > 1) return;
          enqueue(assign(({ context }) => forget(context as Context, n)) as never);
        });
      case 'sendRef':
        return this.#limited('send', (enqueue: (action: unknown) => void, { context }) => {
          if (context.refs[n] !== undefined)
            enqueue(sendTo((({ context: now }: { context: Context }) => now.refs[n]) as never, event as never));
        });
      case 'sendLater':
        return this.#limited('sendLater', (enqueue: (action: unknown) => void, { context }) => {
          if (context.refs[n] === undefined) return;
          enqueue(cancel(`sl${n}`));
          enqueue(
            sendTo((({ context: now }: { context: Context }) => now.refs[n]) as never, event as never, {
              delay: 5 + n * 2.25,
              id: `sl${n}`,
            }),
          );
        });
      case 'sendParent':
        return this.#ofParent
          ? this.#limited('up', (enqueue: (action: unknown) => void) => enqueue(sendParent(event as never)))
          : this.#count('no-parent');
    }
  }
}
