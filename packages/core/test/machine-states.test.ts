/** States: nesting, history, parallel, final, always, wildcards; and what is accepted where. */
import { describe, expect, test } from 'vitest';
import { and, assign, createMachine, not, or, raise, setup, stateIn } from 'xstate';
import { createMachineDriver } from '../src/machine/index.ts';
import { drive, scopeAt } from './support/driving.ts';

const deep = {
  initial: 'x',
  states: { x: { initial: 'x1', states: { x1: { on: { inner: 'x2' } }, x2: {} }, on: { other: 'y' } }, y: {} },
} as const;

describe('history', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'in',
    states: {
      in: {
        ...deep,
        states: {
          ...deep.states,
          shallow: { type: 'history' },
          deep: { type: 'history', history: 'deep', target: 'y' },
        },
        on: { leave: '#m.out' },
      },
      out: { on: { shallow: 'in.shallow', deep: 'in.deep' } },
      fresh: {},
    },
  } as never);

  test('brings back the last state, shallow or deep, through a reload', () => {
    const left = () => drive(machine).send('inner').send('leave').reload();
    expect(left().send('shallow').view.value).toEqual({ in: { x: 'x1' } });
    expect(left().send('deep').view.value).toEqual({ in: { x: 'x2' } });
    expect(drive(machine).send('other').send('leave').reload().send('shallow').view.value).toEqual({ in: 'y' });
  });

  test('of state nodes with ids that contain dots comes back too', () => {
    const dotted = createMachine({
      id: 'my.machine',
      initial: 'a',
      states: {
        a: {
          initial: 'p',
          states: { p: { on: { go: 'q' } }, q: { id: 'the.q' }, h: { type: 'history' } },
          on: { out: 'b' },
        },
        b: { on: { back: 'a.h' } },
      },
    });
    expect(drive(dotted).send('go').send('out').reload().send('back').view.value).toEqual({ a: 'q' });
  });
});

describe('parallel states', () => {
  const region = (name: string) => ({
    initial: 'a',
    states: { a: { on: { [name]: 'b', both: 'b' } }, b: { on: { reset: 'a' } } },
  });
  const machine = createMachine({
    id: 'm',
    type: 'parallel',
    context: { order: [] as string[] },
    states: { one: region('one'), two: region('two'), three: region('three') },
  });

  test('go their ways, and changed says when', () => {
    const actor = drive(machine).send('two');
    expect(actor.view.value).toEqual({ one: 'a', two: 'b', three: 'a' });
    expect(actor.changed).toBe(true);
    expect(actor.reload().send('two').changed).toBe(false);
  });

  test('keep the order in which they were entered, which XState goes by', () => {
    const noting = (name: string) => ({
      initial: 'a',
      states: {
        a: {
          always: {
            guard: ({ event }: { event: { type: string } }) => event.type === 'now',
            target: 'b',
            actions: assign({ order: ({ context }: { context: { order: string[] } }) => [...context.order, name] }),
          },
          on: { [`re-${name}`]: { target: 'a', reenter: true } },
        },
        b: {},
      },
    });
    const ordered = createMachine({
      id: 'm',
      type: 'parallel',
      context: { order: [] as string[] },
      states: { one: noting('one'), two: noting('two') },
      on: { now: {} },
    } as never);
    const kept = drive(ordered).send('re-one').send('now').context.order;
    expect(drive(ordered).send('re-one').reload().send('now').context.order).toEqual(kept);
  });

  test('are done when all regions are', () => {
    const done = createMachine({
      initial: 'p',
      states: {
        p: {
          type: 'parallel',
          states: {
            a: { initial: 'x', states: { x: { on: { a: 'y' } }, y: { type: 'final' } } },
            b: { initial: 'x', states: { x: { on: { b: 'y' } }, y: { type: 'final' } } },
          },
          onDone: 'over',
        },
        over: { type: 'final' },
      },
      output: 'all',
    });
    const actor = drive(done).send('a').reload().send('b');
    expect(actor.view).toMatchObject({ value: 'over', status: 'done', output: 'all' });
  });
});

test('tags and meta are shown, and tags can be asked for', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { tags: ['zeta', 'alpha'], meta: { title: 'A' } } },
  });
  const { view, driver, state } = drive(machine).reload();
  expect(view).toMatchObject({ tags: ['alpha', 'zeta'], meta: { 'm.a': { title: 'A' } } });
  expect(driver.hasTag(state, 'zeta')).toBe(true);
  expect(driver.hasTag(state, 'beta')).toBe(false);
});

test('reenter restarts the timers of a state, and an internal transition does not', () => {
  const machine = createMachine({
    initial: 'a',
    states: { a: { after: { 50: 'b' }, on: { again: { target: 'a', reenter: true }, stay: { target: 'a' } } }, b: {} },
  });
  expect(
    drive(machine)
      .send('again')
      .actions.map(({ kind }) => kind),
  ).toEqual(['timer-cancel', 'timer-set']);
  expect(drive(machine).send('stay').actions).toEqual([]);
});

test('guards of all kinds decide, with stateIn by id and by value', () => {
  const machine = setup({
    types: { context: {} as { n: number } },
    guards: {
      big: ({ context }) => context.n > 1,
      more: ({ context }, params: { than: number }) => context.n > params.than,
    },
  }).createMachine({
    id: 'm',
    context: { n: 2 },
    initial: 'a',
    states: {
      a: {
        id: 'first',
        on: {
          and: { guard: and(['big', stateIn('#first')]), target: 'b' },
          or: { guard: or([not('big'), stateIn({})]), target: 'b' },
          params: { guard: { type: 'more', params: ({ context }) => ({ than: context.n }) }, target: 'b' },
        },
      },
      b: {},
    },
  });
  expect(drive(machine).send('and').view.value).toBe('b');
  expect(drive(machine).send('params').view.value).toBe('a');
});

test('always, raise and internal events happen within one step', () => {
  const machine = createMachine({
    context: { path: [] as string[] },
    initial: 'a',
    states: {
      a: { on: { go: { target: 'b', actions: raise({ type: 'next' }) } } },
      b: { on: { next: 'c' } },
      c: { always: 'd' },
      d: {},
    },
  });
  expect(drive(machine).send('go').view.value).toBe('d');
});

describe('acceptance', () => {
  const machine = createMachine({
    context: { open: false },
    initial: 'a',
    states: {
      a: {
        on: {
          here: 'b',
          guarded: { guard: ({ context }) => context.open, target: 'b' },
          'group.*': { actions: () => {} },
          nothing: undefined,
          inert: {},
          toggle: { actions: assign({ open: true }) },
        },
        after: { 10: 'b' },
      },
      b: { on: { there: 'a' } },
    },
  });
  const accepts = (type: string, actor = drive(machine)) => actor.driver.accepts(actor.state, { type });

  test('is now, later or never', () => {
    expect(accepts('here')).toBe('now');
    expect(accepts('there')).toBe('later');
    expect(accepts('guarded')).toBe('later');
    expect(accepts('guarded', drive(machine).send('toggle'))).toBe('now');
    for (const type of ['group', 'group.a', 'group.a.b']) expect(accepts(type)).toBe('now');
    for (const type of ['groupie', 'nowhere', 'nothing', 'inert', 'xstate.after.10.(machine).a'])
      expect(accepts(type)).toBe('never');
  });

  test('of a wildcard is everything', () => {
    const any = drive(createMachine({ initial: 'a', states: { a: { on: { go: 'b' } }, b: { on: { '*': 'a' } } } }));
    expect(accepts('x', any)).toBe('later');
    expect(accepts('x', any.send('go'))).toBe('now');
    expect(any.driver.eventTypes).toEqual(['go', '*']);
  });

  test('lists what is handled, here and anywhere', () => {
    const { driver, state } = drive(machine);
    expect(driver.eventTypes).toEqual(['here', 'guarded', 'group.*', 'toggle', 'there']);
    expect(driver.acceptedNow(state)).toEqual(['here', 'guarded', 'group.*', 'toggle']);
  });

  test('runs guards at the time of the scope, else of the last step', () => {
    const timed = createMachine({ on: { go: { guard: () => Date.now() > 5_000, actions: () => {} } } });
    const driver = createMachineDriver(timed);
    const { state } = driver.init(undefined, scopeAt(1, 9_000));
    expect(driver.accepts(state, { type: 'go' })).toBe('now');
    expect(driver.accepts(driver.restore(driver.persist(state)), { type: 'go' })).toBe('now');
    expect(driver.accepts(state, { type: 'go' }, scopeAt(2, 4_000))).toBe('later');
  });

  test('does not count children', () => {
    const parent = setup({ actors: { child: createMachine({ on: { kids: { actions: () => {} } } }) } }).createMachine({
      invoke: { src: 'child' },
    });
    const { driver, state } = drive(parent);
    expect(driver.accepts(state, { type: 'kids' })).toBe('never');
  });
});
