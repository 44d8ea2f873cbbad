/** Types that end, and types that get another name. */
import { ask, defineAgent, fail, reply, type StoredState, type TaskEvent, tell } from '@troupe/agent';
import { aliasOf } from '@troupe/core';
import { startTroupe } from '@troupe/testing';
import { describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';

const counting = setup({
  types: { context: {} as { seen: string[] }, events: {} as TaskEvent<string> },
}).createMachine({
  context: { seen: [] },
  on: {
    task: {
      actions: [
        assign({ seen: ({ context, event }) => [...context.seen, event.input] }),
        reply(({ context }) => context.seen.join()),
      ],
    },
  },
});
const purchase = defineAgent({ type: 'purchase', version: 1, machine: counting });
const order = defineAgent({ type: 'order', version: 1, machine: counting });

/** Counts too, and wakes itself an hour after its first task. */
const reminder = defineAgent({
  type: 'reminder',
  version: 1,
  machine: setup({ types: { events: {} as TaskEvent<string> } }).createMachine({
    initial: 'idle',
    states: {
      idle: { on: { task: { target: 'waiting', actions: reply(() => 'waiting') } } },
      waiting: { after: { 3600000: 'idle' } },
    },
  }),
});

/** Asks and tells whoever it is told. */
const caller = defineAgent({
  type: 'caller',
  version: 1,
  machine: setup({
    types: { context: {} as { error: string }, events: {} as TaskEvent<'ask' | 'tell'> },
    actors: { purchase: ask('purchase') },
  }).createMachine({
    context: { error: '' },
    initial: 'idle',
    states: {
      idle: {
        on: {
          task: [
            { guard: ({ event }) => event.input === 'ask', target: 'asking' },
            { actions: [tell('purchase', 'john', { type: 'note' }), reply(() => 'told')] },
          ],
        },
      },
      asking: {
        invoke: {
          src: 'purchase',
          input: { key: 'john', payload: 'x' },
          onDone: { target: 'idle', actions: reply(({ event }) => event.output) },
          onError: { target: 'idle', actions: fail(({ event }) => event.error as Error) },
        },
      },
    },
  }),
});

describe('a retired type', () => {
  const retired = { retired: ['purchase', 'reminder'] };

  test('refuses what is sent to it, with an outcome and a dead letter each', async () => {
    await using troupe = await startTroupe({ actors: [purchase, order] });
    const [worker] = troupe.workers;
    expect(await troupe.actor(purchase, 'john').ask('a')).toBe('a');
    await worker!.drain();
    await worker!.start([order], retired);
    await expect(troupe.actor(purchase, 'john').ask('b')).rejects.toMatchObject({ code: 'ActorTypeRetired' });
    await expect(troupe.actor(purchase, 'never').ask('b')).rejects.toMatchObject({ code: 'ActorTypeRetired' });
    await expect(troupe.actor(purchase, 'john').query('state')).rejects.toMatchObject({ code: 'ActorTypeRetired' });
    expect(worker!.stats!.counters.deadLetters).toBe(2);
    expect(await troupe.actor(order, 'john').ask('c')).toBe('c');
  });

  test('is refused to other actors that ask it, at once and not at their deadline', async () => {
    await using troupe = await startTroupe({ actors: [purchase, caller] });
    const [worker] = troupe.workers;
    await troupe.actor(purchase, 'john').ask('a');
    await worker!.drain();
    await worker!.start([caller], retired);
    const before = troupe.clock.now();
    await expect(troupe.actor(caller, 'c').ask('ask')).rejects.toMatchObject({ code: 'ActorTypeRetired' });
    expect(troupe.clock.now() - before).toBeLessThan(10_000);
    expect(await troupe.actor(caller, 'c').ask('tell')).toBe('told');
    await troupe.clock.advance('1s');
    expect(worker!.stats!.counters.deadLetters).toBe(2);
  });

  test('refuses what was parked while nobody had it, whichever worker comes then', async () => {
    await using troupe = await startTroupe({ actors: [purchase, order] });
    const [worker] = troupe.workers;
    await troupe.actor(purchase, 'john').ask('a');
    await worker!.drain();
    await worker!.start([order]);
    const waiting = [troupe.actor(purchase, 'john').ask('b'), troupe.actor(purchase, 'ann').ask('c')];
    const told = Promise.allSettled(waiting);
    await troupe.clock.advance('10s');
    expect(worker!.stats!.counters.deadLetters).toBe(0);
    await worker!.restart([order], retired);
    await troupe.clock.advance('1s');
    const codes = (await told).map((one) =>
      one.status === 'rejected' ? (one.reason as { code: string }).code : 'done',
    );
    expect(codes).toEqual(['ActorTypeRetired', 'ActorTypeRetired']);
    expect(worker!.stats!.counters.deadLetters).toBe(2);
    await worker!.restart([order], retired);
    await troupe.clock.advance('10s');
    expect(worker!.stats!.counters.deadLetters).toBe(0);
  });

  test('leaves nothing of wake-ups that are still due', async () => {
    await using troupe = await startTroupe({ actors: [reminder, order] });
    const [worker] = troupe.workers;
    await troupe.actor(reminder, 'r').ask('a');
    await troupe.clock.advance('10s');
    await worker!.drain();
    await worker!.start([order], retired);
    await troupe.clock.advance('2h');
    expect(worker!.stats!.counters).toMatchObject({ deadLetters: 0, entries: 0 });
  });

  test('that is hosted again goes on where it was, without what was refused meanwhile', async () => {
    await using troupe = await startTroupe({ actors: [purchase, order] });
    const [worker] = troupe.workers;
    await troupe.actor(purchase, 'john').ask('a');
    await worker!.drain();
    await worker!.start([order], retired);
    await expect(troupe.actor(purchase, 'john').ask('b')).rejects.toMatchObject({ code: 'ActorTypeRetired' });
    await worker!.restart([purchase, order]);
    expect(await troupe.actor(purchase, 'john').ask('c')).toBe('a,c');
  });

  test('must not have a definition', async () => {
    const starting = startTroupe({ actors: [order] }).then((troupe) => troupe.restart([order], { retired: ['order'] }));
    await expect(starting).rejects.toMatchObject({ code: 'ConfigInvalid' });
  });
});

describe('a renamed type', () => {
  const renamed = [order, aliasOf(order, 'purchase')];

  test('goes on under its old name with the new code, whatever ended the workers between', async () => {
    await using troupe = await startTroupe({ actors: [purchase] });
    expect(await troupe.actor('purchase', 'john').ask('a')).toBe('a');
    await troupe.restart(renamed);
    expect(await troupe.actor('purchase', 'john').ask('b')).toBe('a,b');
    expect(await troupe.actor('order', 'john').ask('c')).toBe('c');
    expect(await troupe.actor('purchase', 'new').ask('d')).toBe('d');
  });

  test('folds what was parked while nobody had the old name', async () => {
    await using troupe = await startTroupe({ actors: [purchase, reminder] });
    const [worker] = troupe.workers;
    await troupe.actor('purchase', 'john').ask('a');
    await worker!.drain();
    await worker!.start([reminder]);
    await troupe.actor('purchase', 'john').send('b');
    await troupe.clock.advance('10s');
    await worker!.restart([...renamed, reminder]);
    expect(await troupe.actor('purchase', 'john').ask('c')).toBe('a,b,c');
  });

  test('migrates its states like those of any older version', async () => {
    const migrate = { 1: (state: StoredState) => ({ ...state, context: { seen: ['then'] } }) };
    const second = defineAgent({ type: 'order', version: 2, machine: counting, migrate, previous: [order] });
    await using troupe = await startTroupe({ actors: [purchase] });
    await troupe.actor('purchase', 'john').ask('a');
    await troupe.restart([second, aliasOf(second, 'purchase')]);
    expect(await troupe.actor('purchase', 'john').ask('b')).toBe('then,b');
  });

  test.each(['Order!', 'order', 'invalid'])('has no such old name: %s', (name) => {
    expect(() => aliasOf(order, name)).toThrow(/alias is/);
  });
});
