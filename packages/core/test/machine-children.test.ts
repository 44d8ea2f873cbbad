/** Children: those stepped inside, those run outside, and references to them. */
import { describe, expect, test } from 'vitest';
import {
  type AnyActorRef,
  type AnyStateMachine,
  assign,
  createMachine,
  emit,
  enqueueActions,
  forwardTo,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  fromTransition,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stopChild,
} from 'xstate';
import { createEffectLogic, effectMeta } from '../src/machine/index.ts';
import { drive } from './support/driving.ts';

const stream = { subscribe: () => ({ unsubscribe: () => {} }) } as never;
const actors = {
  promise: fromPromise<number, number>(async () => 1),
  callback: fromCallback<{ type: string }, number>(() => {}),
  observable: fromObservable<number, number>(() => stream),
  events: fromEventObservable<{ type: 'x' }, number>(() => stream),
  transition: fromTransition((sum: number, event: { type: string; by?: number }) => sum + (event.by ?? 0), 0),
  ask: createEffectLogic<string, { key: string }>('ask', { type: 'expert' }),
  tool: createEffectLogic<string>('tool', { name: 'search' }),
};

describe('every kind of logic', () => {
  const machine = setup({ actors }).createMachine({
    invoke: [
      { src: 'promise', id: 'p', input: 1 },
      { src: 'callback', id: 'c', input: 2 },
      { src: 'observable', id: 'o', input: 3 },
      { src: 'events', id: 'e', input: 4 },
      { src: 'transition', id: 't' },
      { src: 'ask', id: 'a', input: { key: 'k' } },
      { src: 'tool', id: 'l' },
    ],
  });

  test('is told apart, run outside where it has to be, with its input', () => {
    const actor = drive(machine);
    expect(actor.of('invoke').map(({ childPath, invoke, src, input }) => [childPath, invoke, src, input])).toEqual([
      ['p', 'promise', 'promise', 1],
      ['c', 'callback', 'callback', 2],
      ['o', 'observable', 'observable', 3],
      ['e', 'observable', 'events', 4],
      ['a', 'ask', 'ask', { key: 'k' }],
      ['l', 'tool', 'tool', undefined],
    ]);
    expect(actor.view.children.t).toMatchObject({ kind: 'transition', status: 'active', view: { context: 0 } });
  });

  test('can be asked for, with what effect logic was made of', () => {
    const actor = drive(machine).reload();
    expect(actor.driver.logicOf(actor.state, 'a')).toEqual({ kind: 'ask', src: 'ask', meta: { type: 'expert' } });
    expect(actor.driver.logicOf(actor.state, 't')).toEqual({ kind: 'transition', src: 'transition' });
    expect(actor.driver.logicOf(actor.state, 'nobody')).toBeUndefined();
    expect(effectMeta(actors.tool)).toEqual({ name: 'search' });
    expect(effectMeta(actors.promise)).toBeUndefined();
  });
});

describe('a child outside', () => {
  test('a callback gets events, and sends back through its parent', () => {
    const machine = setup({ actors }).createMachine({
      context: { got: 0 },
      invoke: { src: 'callback', id: 'c', input: 1 },
      on: { ping: { actions: forwardTo('c') }, pong: { actions: assign({ got: 1 }) } },
    });
    const actor = drive(machine).send({ type: 'ping', n: 3 });
    expect(actor.actions).toEqual([{ kind: 'send-child', childPath: 'c', event: { type: 'ping', n: 3 } }]);
    expect(actor.send('pong').context.got).toBe(1);
    expect(actor.send('ping', 'c').actions).toEqual([{ kind: 'send-child', childPath: 'c', event: { type: 'ping' } }]);
  });

  test('an observable’s values reach onSnapshot, its completion onDone', () => {
    const machine = setup({ actors, types: { context: {} as { seen: unknown[] } } }).createMachine({
      context: { seen: [] },
      invoke: {
        src: 'observable',
        id: 'o',
        input: 1,
        onSnapshot: { actions: assign({ seen: ({ context, event }) => [...context.seen, event.snapshot.context] }) },
        onDone: { actions: assign({ seen: ({ context }) => [...context.seen, 'done'] }) },
      },
    });
    const actor = drive(machine).reload().next('o', 5).reload().next('o', 6).resolve('o');
    expect(actor.context.seen).toEqual([undefined, 5, 6, 'done']);
    expect(actor.driver.hasChild(actor.state, 'o')).toBe(false);
  });

  test('a child that ended takes no second end', () => {
    const machine = setup({ actors }).createMachine({
      invoke: { src: 'promise', id: 'p', input: 1, onDone: { actions: emit({ type: 'once' }) } },
    });
    const actor = drive(machine).resolve('p', 1);
    expect(actor.of('emit')).toHaveLength(1);
    expect(actor.resolve('p', 2).actions).toEqual([]);
    expect(actor.reload().reject('p', 2).actions).toEqual([]);
  });

  test('an inline src is found again after a restart', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: {
          invoke: [{ src: fromPromise(async () => 1) }, { src: fromCallback(() => {}), id: 'cb' }],
          on: { done: 'b' },
        },
        b: {},
      },
    });
    const actor = drive(machine);
    expect(actor.of('invoke').map(({ src }) => src)).toEqual(['xstate.invoke.0.m.a', 'xstate.invoke.1.m.a']);
    actor.reload();
    expect(actor.driver.logicOf(actor.state, '0.m.a')).toMatchObject({ kind: 'promise' });
  });
});

describe('a machine inside', () => {
  const grandchild = createMachine({
    id: 'grandchild',
    initial: 'on',
    states: {
      on: { after: { 100: { actions: sendParent({ type: 'beep' }) } }, on: { end: 'off' } },
      off: { type: 'final' },
    },
    output: 'grand',
  });
  const child = setup({
    actors: { grandchild, ...actors },
    types: { input: {} as { n: number }, context: {} as { n: number } },
  }).createMachine({
    id: 'child',
    context: ({ input }) => ({ n: input.n }),
    initial: 'work',
    states: {
      work: {
        invoke: [
          { src: 'grandchild', id: 'g', onDone: 'over' },
          { src: 'promise', id: 'p', input: 9 },
        ],
        on: { beep: { actions: [sendParent({ type: 'beeped' }), assign({ n: ({ context }) => context.n + 1 })] } },
      },
      over: { type: 'final' },
    },
    output: ({ context }) => ({ total: context.n }),
  });
  const root = setup({ actors: { child }, types: { context: {} as { beeps: number; result: unknown } } }).createMachine(
    {
      context: { beeps: 0, result: undefined },
      initial: 'busy',
      states: {
        busy: {
          invoke: {
            src: 'child',
            id: 'c',
            input: { n: 5 },
            onDone: { target: 'idle', actions: assign({ result: ({ event }) => event.output }) },
          },
          on: { beeped: { actions: assign({ beeps: ({ context }) => context.beeps + 1 }) }, leave: 'idle' },
        },
        idle: {},
      },
    },
  );

  test('is stepped with its parent, at any depth, and through reloads', () => {
    const actor = drive(root);
    expect(actor.of('timer-set')).toMatchObject([{ path: 'c/g', targetPath: 'c/g', delayMs: 100 }]);
    expect(actor.of('invoke')).toMatchObject([{ childPath: 'c/p' }]);
    const [timer] = actor.of('timer-set');
    actor.reload().send(timer!.event, 'c/g');
    expect(actor.context.beeps).toBe(1);
    expect(actor.reload().send('end', 'c/g').view).toMatchObject({ value: 'idle', context: { result: { total: 6 } } });
  });

  test('its end is told, and voids all below it with one word', () => {
    const actor = drive(root).send('leave');
    expect(actor.actions).toEqual([{ kind: 'stop', path: 'c' }]);
    expect(actor.driver.hasChild(actor.state, 'c/p')).toBe(false);
  });

  test('is shown with everything below it', () => {
    const { children } = drive(root).view;
    expect(Object.keys(children)).toEqual(['c']);
    expect(Object.keys(children.c!.view!.children)).toEqual(['c/g', 'c/p']);
    expect(children.c!.view!.children['c/p']).toEqual({ src: 'promise', kind: 'promise', status: 'active' });
  });
});

describe('spawned children', () => {
  test('without ids get their own, which stay, and do not collide', () => {
    const machine = setup({ actors }).createMachine({
      entry: [spawnChild('transition'), spawnChild('transition'), spawnChild('promise', { input: 1 })],
      on: { more: { actions: spawnChild('transition') } },
    });
    const actor = drive(machine);
    expect(Object.keys(actor.view.children)).toEqual(['1.0', '1.1', '1.2']);
    expect(actor.reload().send('more').view.children).toHaveProperty('2\\.0');
    actor.reload().send({ type: 'add', by: 4 }, '1.1');
    expect(Object.values(actor.view.children).map(({ view }) => view?.context)).toEqual([0, 4, undefined, 0]);
    expect(actor.driver.hasChild(actor.state, 'undefined')).toBe(false);
  });

  test('referenced anywhere in the context are the same children after a reload', () => {
    const machine = setup({ actors, types: { context: {} as Record<string, never> } }).createMachine({
      context: (({ spawn, self }: { spawn: (src: string) => AnyActorRef; self: AnyActorRef }) => {
        const shared = { ref: spawn('transition') };
        const circle: Record<string, unknown> = { shared };
        circle.self = circle;
        return {
          list: [spawn('transition'), { deep: spawn('transition') }],
          map: new Map<unknown, unknown>([
            ['a', spawn('transition')],
            [spawn('transition'), 'b'],
          ]),
          set: new Set<unknown>([spawn('transition'), spawn('transition'), 'plain']),
          shared,
          circle,
          me: self,
        };
      }) as never,
      on: {
        all: {
          actions: enqueueActions(({ enqueue, context }) => {
            for (const ref of refsOf(context)) enqueue(sendTo(ref as never, { type: 'add', by: 1 } as never));
          }),
        },
      },
    });
    const actor = drive(machine as AnyStateMachine)
      .reload()
      .reload()
      .send('all');
    expect(Object.values(actor.view.children).map(({ view }) => view!.context)).toEqual([1, 1, 1, 1, 1, 1, 1]);
    const context = actor.context as { circle: { self: unknown; shared: unknown }; shared: unknown };
    expect(context.circle.shared).toEqual(context.shared);
    actor.reload();
    expect(actor.send('all').view.children['1.0']!.view!.context).toBe(2);
  });

  test('a reference to a child that ended does not reach the next one under its id', () => {
    const machine = setup({ actors, types: { context: {} as { old?: AnyActorRef } } }).createMachine({
      context: {},
      entry: assign({ old: ({ spawn }) => spawn('transition', { id: 'kid' }) }),
      on: {
        replace: { actions: [stopChild('kid'), spawnChild('transition', { id: 'kid' })] },
        use: { actions: sendTo(({ context }) => context.old!, { type: 'add', by: 1 }) },
        look: { actions: emit(({ context }) => ({ type: 'saw', status: context.old!.getSnapshot().status })) },
      },
    });
    for (const reload of [false, true]) {
      const actor = drive(machine).send('replace');
      if (reload) actor.reload();
      expect(actor.send('use').view.children.kid!.view!.context).toBe(0);
      expect(actor.send('look').of('emit')[0]!.event.status).toBe('stopped');
    }
  });

  test('under an id in use end the older child first', () => {
    const machine = setup({ actors }).createMachine({
      entry: spawnChild('promise', { id: 'p', input: 1 }),
      on: { again: { actions: spawnChild('promise', { id: 'p', input: 2 }) } },
    });
    expect(drive(machine).reload().send('again').actions).toEqual([
      { kind: 'stop', path: 'p' },
      { kind: 'invoke', childPath: 'p', invoke: 'promise', src: 'promise', input: 2 },
    ]);
  });

  test('replaced while they are busy are reported before their successors begin', () => {
    const child = createMachine({
      id: 'child',
      after: { 100: {} },
      on: {
        up: {
          actions: [
            sendParent({ type: 'again' }),
            sendParent({ type: 'after' }),
            sendParent({ type: 'x' }, { delay: 5 }),
          ],
        },
      },
    });
    const machine = setup({ actors: { child }, types: { context: {} as { after: number } } }).createMachine({
      context: { after: 0 },
      initial: 'a',
      states: { a: { invoke: { src: 'child', id: 'c' }, on: { again: { target: 'a', reenter: true } } } },
      on: { after: { actions: assign({ after: ({ context }) => context.after + 1 }) } },
    });
    const actor = drive(machine).send('up', 'c');
    expect(actor.actions.map(({ kind }) => kind)).toEqual(['stop', 'timer-set']);
    expect(actor.context.after).toBe(1);
  });

  test('stopped in the step that spawned them are never started', () => {
    const machine = setup({ actors }).createMachine({
      on: { go: { actions: [spawnChild('promise', { id: 'p', input: 1 }), stopChild('p')] } },
    });
    const actor = drive(machine).send('go');
    expect(actor.actions).toEqual([]);
    expect(actor.view.children).toEqual({});
  });

  test('keep their parent informed with syncSnapshot', () => {
    const machine = setup({ actors, types: { context: {} as { sums: number[] } } }).createMachine({
      context: { sums: [] },
      entry: spawnChild('transition', { id: 't', syncSnapshot: true }),
      on: {
        'xstate.snapshot.t': {
          actions: assign({
            sums: ({ context, event }) => [
              ...context.sums,
              (event as never as { snapshot: { context: number } }).snapshot.context,
            ],
          }),
        },
      } as never,
    });
    expect(drive(machine).reload().send({ type: 'add', by: 3 }, 't').context.sums).toEqual([0, 3]);
  });

  test('by identity of registered logic are found by its name', () => {
    const machine = setup({ actors }).createMachine({ entry: spawnChild(actors.promise as never, { id: 'p' }) });
    expect(drive(machine).of('invoke')).toMatchObject([{ src: 'promise' }]);
  });

  test('a system id is free again once its child has ended', () => {
    const machine = setup({ actors }).createMachine({
      initial: 'a',
      states: {
        a: { invoke: { src: 'promise', systemId: 's', input: 1 }, on: { again: { target: 'a', reenter: true } } },
      },
      on: { twice: { actions: spawnChild('promise', { systemId: 's', input: 1 }) } },
    });
    const actor = drive(machine).reload().send('again').reload();
    expect(() => actor.send('twice')).toThrow(/system ID 's' already exists/);
  });
});

function refsOf(context: unknown): AnyActorRef[] {
  const { list, map, set, shared } = context as {
    list: [AnyActorRef, { deep: AnyActorRef }];
    map: Map<unknown, unknown>;
    set: Set<unknown>;
    shared: { ref: AnyActorRef };
  };
  const inMap = [...map].map(([key, value]) => (typeof key === 'string' ? value : key) as AnyActorRef);
  return [list[0], list[1].deep, ...inMap, ...([...set].slice(0, 2) as AnyActorRef[]), shared.ref];
}
