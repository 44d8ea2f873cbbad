/** What goes wrong, and what is left afterwards. */
import { describe, expect, test } from 'vitest';
import {
  assign,
  createMachine,
  fromPromise,
  fromTransition,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
} from 'xstate';
import {
  AnonymousLogic,
  EndlessStep,
  UnhandledError,
  UnknownChild,
  UnknownLogic,
  UnreadableState,
} from '../src/machine/index.ts';
import { drive } from './support/driving.ts';

const job = fromPromise(async () => 1);

describe('an error that no state handles', () => {
  test('fails the step with its cause, and leaves the state', () => {
    const machine = setup({ actors: { job } }).createMachine({ id: 'm', invoke: { src: 'job', id: 'j' } });
    const actor = drive(machine);
    const cause = new Error('no network');
    expect(() => actor.reject('j', cause)).toThrow(UnhandledError);
    expect(actor.view).toMatchObject({ status: 'active' });
    expect(actor.driver.hasChild(actor.state, 'j')).toBe(true);
    try {
      actor.reject('j', cause);
    } catch (error) {
      expect(error).toMatchObject({ code: 'UnhandledError', name: 'UnhandledError', cause });
      expect(String(error)).toContain('no network');
    }
  });

  test('comes up from children of children', () => {
    const child = setup({ actors: { job } }).createMachine({ id: 'child', invoke: { src: 'job', id: 'j' } });
    const caught = setup({ actors: { child } }).createMachine({
      initial: 'a',
      states: { a: { invoke: { src: 'child', id: 'c', onError: 'b' } }, b: {} },
    });
    expect(drive(caught).reload().reject('c/j', 'why').view.value).toBe('b');
    const uncaught = setup({ actors: { child } }).createMachine({ invoke: { src: 'child', id: 'c' } });
    expect(() => drive(uncaught).reject('c/j', 'why')).toThrow(UnhandledError);
  });

  test('is handled by a wildcard, as in XState', () => {
    const machine = setup({ actors: { job } }).createMachine({
      initial: 'a',
      states: { a: { invoke: { src: 'job', id: 'j' }, on: { '*': 'b' } }, b: {} },
    });
    expect(drive(machine).reject('j', 1).view.value).toBe('b');
  });
});

describe('a throw', () => {
  test('of the root’s own code is passed on, and undoes everything', () => {
    const machine = createMachine({
      context: { n: 0 },
      entry: assign({ n: 1 }),
      on: {
        go: {
          actions: [
            assign({ n: 2 }),
            assign({
              n: () => {
                throw new TypeError('mine');
              },
            }),
          ],
        },
        ok: { actions: assign({ n: 3 }) },
      },
    });
    const actor = drive(machine);
    expect(() => actor.send('go')).toThrow(TypeError);
    expect(actor.context.n).toBe(1);
    expect(actor.send('ok').context.n).toBe(3);
  });

  test('in the initial state fails init', () => {
    const machine = createMachine({
      entry: assign(() => {
        throw new RangeError('at birth');
      }),
    });
    expect(() => drive(machine)).toThrow(RangeError);
  });

  test('of a child is the child’s error, and undoes the child’s step only', () => {
    const child = createMachine({
      context: { n: 0 },
      on: {
        go: {
          actions: [
            assign({ n: 1 }),
            () => {},
            sendParent({ type: 'never' }),
            assign({
              n: () => {
                throw new TypeError('child');
              },
            }),
          ],
        },
      },
    });
    const machine = setup({ actors: { child }, types: { context: {} as { error: unknown } } }).createMachine({
      context: { error: undefined },
      invoke: {
        src: 'child',
        id: 'c',
        onError: { actions: assign({ error: ({ event }) => (event.error as Error).message }) },
      },
      on: { go: { actions: sendTo('c', { type: 'go' }) } },
    });
    const actor = drive(machine).send('go');
    expect(actor.context.error).toBe('child');
    expect(actor.actions).toEqual([{ kind: 'stop', path: 'c' }]);
    expect(actor.view.children.c).toMatchObject({ status: 'error', view: { context: { n: 0 } } });
    expect(actor.reload().view.children.c!.status).toBe('error');
  });

  test('of a transition function and of a child’s first state are errors of the child too', () => {
    const bad = fromTransition(() => {
      throw new Error('reducer');
    }, 0);
    const unborn = createMachine({
      context: () => {
        throw new Error('unborn');
      },
    });
    const machine = setup({ actors: { bad, unborn }, types: { context: {} as { errors: string[] } } }).createMachine({
      context: { errors: [] },
      invoke: ['bad' as const, 'unborn' as const].map((src) => ({
        src,
        id: src,
        onError: {
          actions: assign({
            errors: ({ context, event }: never) => [
              ...(context as { errors: string[] }).errors,
              (event as { error: Error }).error.message,
            ],
          }) as never,
        },
      })),
    });
    expect(drive(machine).send('any', 'bad').context.errors).toEqual(['unborn', 'reducer']);
  });
});

describe('logic', () => {
  test('spawned without a name is refused, with the fix', () => {
    const machine = createMachine({
      id: 'm',
      context: {},
      on: { a: { actions: spawnChild(job) }, b: { actions: assign({ r: ({ spawn }) => spawn(job, { id: 'x' }) }) } },
    });
    const actor = drive(machine);
    expect(() => actor.send('a')).toThrow(AnonymousLogic);
    expect(() => actor.send('b')).toThrow(/'x' in machine 'm' has no name.*setup\(\{ actors/);
  });

  test('without a name in a child fails the whole step, not the child', () => {
    const child = createMachine({ entry: spawnChild(job) });
    const machine = setup({ actors: { child } }).createMachine({ invoke: { src: 'child', onError: {} } });
    expect(() => drive(machine)).toThrow(AnonymousLogic);
  });

  test('that setup does not have is refused, with its name', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { on: { go: 'b' } }, b: { invoke: { src: 'nowhere' } } },
    });
    expect(() => drive(machine).send('go')).toThrow(UnknownLogic);
    expect(() => drive(machine).send('go')).toThrow(/Machine 'm' starts 'nowhere'/);
  });
});

describe('a step without end', () => {
  test('is ended: always and raise going round', () => {
    const machine = createMachine({
      initial: 'a',
      states: { a: { on: { go: 'b' } }, b: { always: 'c' }, c: { always: 'b' } },
    });
    expect(() => drive(machine).send('go')).toThrow(EndlessStep);
    const raising = createMachine({ on: { go: { actions: raise({ type: 'go' }) } } });
    expect(() => drive(raising).send('go')).toThrow(EndlessStep);
  });

  test('is ended: parent and child answering each other', () => {
    const child = createMachine({ on: { ping: { actions: sendParent({ type: 'pong' }) } } });
    const machine = setup({ actors: { child } }).createMachine({
      invoke: { src: 'child', id: 'c' },
      on: { pong: { actions: sendTo('c', { type: 'ping' }) } },
    });
    expect(() => drive(machine).send('pong')).toThrow(EndlessStep);
  });
});

describe('paths and states that are not there', () => {
  const machine = setup({ actors: { job } }).createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { invoke: { src: 'job', id: 'j' } }, b: {} },
  });

  test('an event to nobody is dropped; an outcome of nobody is an error', () => {
    const actor = drive(machine);
    const before = actor.state;
    expect(actor.send('x', 'nobody').state).toBe(before);
    expect(() => actor.resolve('nobody')).toThrow(UnknownChild);
    expect(() => actor.next('x/y', 1)).toThrow(/No child is at 'x\/y': there are 'j'/);
  });

  test('a stored state that the machine no longer fits is refused', () => {
    const { driver, state } = drive(machine);
    const stored = driver.persist(state) as Record<string, unknown>;
    expect(() => driver.restore({ ...stored, value: 'gone' })).toThrow(UnreadableState);
    expect(() => driver.restore({ ...stored, format: 99 })).toThrow(/format is 99/);
    expect(() =>
      driver.restore({ ...stored, children: [{ id: 'j', src: 'old', session: '', node: { status: 'active' } }] }),
    ).toThrow(/'old'/);
    expect(() => driver.restore(undefined)).toThrow(UnreadableState);
  });

  test('a state of another machine is refused', () => {
    const { driver } = drive(machine);
    const other = drive(createMachine({ id: 'other' }));
    expect(() => driver.view(other.state)).toThrow(TypeError);
  });
});

test('after the end nothing happens any more', () => {
  const machine = createMachine({
    id: 'm',
    context: { n: 1 },
    initial: 'a',
    states: { a: { on: { end: 'z' }, after: { 10: 'z' } }, z: { type: 'final' } },
    output: ({ context }) => context.n,
    exit: () => {},
  });
  const actor = drive(machine).send('end');
  expect(actor.driver.status(actor.state)).toMatchObject({ status: 'done', output: 1 });
  expect(actor.actions.map(({ kind }) => kind)).toEqual(['action', 'timer-cancel', 'stop']);
  const { state } = actor.reload();
  expect(actor.send('end').state).toBe(state);
  expect(actor.actions).toEqual([]);
  expect(actor.driver.accepts(state, { type: 'end' })).toBe('never');
});
