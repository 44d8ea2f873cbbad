/** Every limit refuses what is beyond it with its own error, and the actor goes on afterwards. */
import { ask, contract, defineAgent, fail, reply } from '@troupe/agent';
import type { TroupeError } from '@troupe/wire';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { assign, fromCallback, fromObservable, fromPromise, setup } from 'xstate';
import { z } from 'zod';
import { fresh, Stage, until } from '../hostile/support/stage.ts';

const KIB = 1_024;

interface Task {
  readonly type: 'task';
  readonly input: { readonly do: string; readonly n?: number; readonly to?: string };
}

/** Keeps and returns as much as it is told. */
const hoarder = defineAgent({
  type: 'hoarder',
  version: 1,
  snapshot: { everyEntries: 1 },
  machine: setup({ types: { context: {} as { kept: string }, events: {} as Task } }).createMachine({
    context: { kept: '' },
    on: {
      task: [
        {
          guard: ({ event }) => event.input.do === 'keep',
          actions: [
            assign({ kept: ({ event }) => 'k'.repeat(event.input.n ?? 0) }),
            reply(({ context }) => context.kept.length),
          ],
        },
        {
          guard: ({ event }) => event.input.do === 'return',
          actions: reply(({ event }) => 'r'.repeat(event.input.n ?? 0)),
        },
        { actions: reply(({ context }) => context.kept.length) },
      ],
    },
  }),
});

/** Its turns wait until it is told to go on. */
const waiter = defineAgent({
  type: 'waiter',
  version: 1,
  mailbox: { depthMax: 10, bytesMax: 20 * KIB },
  signalPolicy: 'defer',
  machine: setup({ types: { events: {} as Task | { type: 'go' } } }).createMachine({
    initial: 'idle',
    states: {
      idle: { on: { task: 'busy' } },
      busy: { tags: ['waiting'], on: { go: { target: 'idle', actions: reply('done') } } },
    },
  }),
});

/** Calls outside, which returns more than fits, or floods. */
const caller = defineAgent({
  type: 'caller',
  version: 1,
  machine: setup({
    types: {
      context: {} as { n: number; error: string; last: number; seen: number },
      events: {} as Task | { type: 'drop'; n: number },
    },
    actors: {
      huge: fromPromise(async ({ input }: { input: number }) => 'h'.repeat(input)),
      flood: fromCallback<{ type: 'x' }, number>(({ sendBack, input }) => {
        for (let i = 1; i <= input; i++) sendBack({ type: 'drop', n: i });
      }),
      ticker: fromObservable<number, number>(
        ({ input }) =>
          ({
            subscribe: (observer: { next?: (value: number) => void; complete?: () => void }) => {
              for (let i = 1; i <= input; i++) observer.next?.(i);
              const timer = setTimeout(() => observer.complete?.(), 500);
              return { unsubscribe: () => clearTimeout(timer) };
            },
          }) as never,
      ),
    },
  }).createMachine({
    context: { n: 0, error: '', last: 0, seen: 0 },
    initial: 'idle',
    on: { drop: { actions: assign({ seen: ({ context }) => context.seen + 1 }) } },
    states: {
      idle: {
        entry: assign({ n: ({ event }) => (event as Partial<Task>).input?.n ?? 0 }),
        on: {
          task: [
            { guard: ({ event }) => event.input.do === 'huge', target: 'fetching' },
            { guard: ({ event }) => event.input.do === 'flood', target: 'flooding' },
            { guard: ({ event }) => event.input.do === 'tick', target: 'ticking' },
            { actions: reply('fine') },
          ],
        },
      },
      fetching: {
        invoke: {
          src: 'huge',
          input: ({ event }) => (event as Task).input.n ?? 0,
          onDone: { target: 'idle', actions: reply(({ event }) => event.output.length) },
          onError: { target: 'idle', actions: reply(({ event }) => (event.error as TroupeError).code) },
        },
      },
      flooding: {
        entry: assign({ seen: 0 }),
        tags: ['waiting'],
        invoke: {
          src: 'flood',
          input: ({ event }) => (event as Task).input.n ?? 0,
          onError: { target: 'idle', actions: reply(({ event }) => (event.error as TroupeError).code) },
        },
      },
      ticking: {
        entry: assign({ seen: 0, last: 0 }),
        tags: ['waiting'],
        invoke: {
          src: 'ticker',
          input: ({ event }) => (event as Task).input.n ?? 0,
          onSnapshot: {
            actions: assign({
              last: ({ event }) => event.snapshot.context as number,
              seen: ({ context }) => context.seen + 1,
            }),
          },
          onDone: { target: 'idle', actions: reply(({ context }) => ({ last: context.last, seen: context.seen })) },
          onError: { target: 'idle', actions: reply(({ event }) => String(event.error)) },
        },
      },
    },
  }),
});

/** Asks the next one of a chain, or whoever it is told to. */
const link = defineAgent({
  type: 'link',
  version: 1,
  machine: setup({
    types: { context: {} as { key: string }, input: {} as { key: string }, events: {} as Task },
    actors: { next: ask(contract({ type: 'link', task: { input: z.any(), output: z.any() } })) },
  }).createMachine({
    context: ({ input }) => ({ key: input.key }),
    initial: 'idle',
    states: {
      idle: {
        on: {
          task: [
            { guard: ({ event }) => event.input.do === 'ask' && (event.input.n ?? 0) > 1, target: 'asking' },
            { actions: reply(({ context }) => [context.key]) },
          ],
        },
      },
      asking: {
        invoke: {
          src: 'next',
          input: ({ event }) => {
            const { n = 0, to } = (event as Task).input;
            const [stem = 'c'] = (to ?? 'c').split(':');
            return {
              key: to?.includes(':') ? to.split(':')[n % 2]! : `${stem}${n - 1}`,
              payload: { do: 'ask', n: n - 1, to },
            };
          },
          onDone: {
            target: 'idle',
            actions: reply(({ context, event }) => [context.key, ...(event.output as string[])]),
          },
          onError: {
            target: 'idle',
            actions: fail(({ event }) => event.error as TroupeError),
          },
        },
      },
    },
  }),
});

let stage: Stage;
let key: string;

beforeAll(async () => {
  stage = await Stage.open({ definitions: [hoarder, waiter, caller, link] });
});
afterAll(() => stage?.[Symbol.asyncDispose]());
beforeEach(() => {
  key = `k-${fresh()}`;
});

async function errorOf(call: Promise<unknown>): Promise<TroupeError> {
  return call.then(
    (value) => expect.unreachable(`it answered ${JSON.stringify(value)?.slice(0, 200)}`),
    (error: TroupeError) => error,
  );
}

describe('a state', () => {
  test('near its limit of 768 KiB is kept, snapshotted, and read again', async () => {
    const actor = stage.troupe.actor('hoarder', key);
    const near = 768 * KIB - 1_000;
    expect(await actor.ask({ do: 'keep', n: near })).toBe(near);
    for (let i = 0; i < 3; i++) expect(await actor.ask({ do: 'count' })).toBe(near);
    await using admin = await stage.admin();
    const address = { type: 'hoarder', key };
    const partition = admin.journal.partitionOf(address);
    expect(await until(async () => ((await admin.snapshots.load(partition, address))?.bytes.length ?? 0) > near)).toBe(
      true,
    );
  });

  test('over it is refused with StateTooLarge, the one from before stays, and the actor goes on', async () => {
    const actor = stage.troupe.actor('hoarder', key);
    await actor.ask({ do: 'keep', n: 100 });
    expect(await errorOf(actor.ask({ do: 'keep', n: 800 * KIB }))).toMatchObject({
      code: 'StateTooLarge',
      details: { bytesMax: 768 * KIB },
    });
    expect(await actor.ask({ do: 'count' })).toBe(100);
  });
});

describe('an outcome', () => {
  test('near the limit of a message arrives', async () => {
    const n = 990_000;
    expect(await stage.troupe.actor('hoarder', key).ask({ do: 'return', n })).toHaveLength(n);
  });

  test('over it is OutcomeTooLarge, and the actor goes on', async () => {
    const actor = stage.troupe.actor('hoarder', key);
    const error = await errorOf(actor.ask({ do: 'return', n: 1_048_576 }, { taskId: 'large' }));
    expect(error).toMatchObject({ code: 'OutcomeTooLarge' });
    expect((await errorOf(actor.ask({ do: 'return', n: 1_048_576 }, { taskId: 'large' }))).code).toBe(
      'OutcomeTooLarge',
    );
    expect(await actor.ask({ do: 'count' })).toBe(0);
  });
});

describe('a mailbox', () => {
  test.each([
    ['count', 10, 'x'],
    ['bytes', 2, 'x'.repeat(9 * KIB)],
  ])('full by %s refuses with MailboxFull; what waits gets its turn', async (_, fits, padding) => {
    const actor = stage.troupe.actor('waiter', key);
    const open = Array.from({ length: fits + 1 }, (_, i) => actor.ask({ do: 'wait', n: i, to: padding }));
    const depth = async () =>
      ((await actor.query('state').catch(() => undefined)) as { stash?: { depth: number } } | undefined)?.stash?.depth;
    expect(await until(async () => (await depth()) === fits)).toBe(true);
    for (let i = 0; i < 3; i++)
      expect(await errorOf(actor.ask({ do: 'wait', to: padding }))).toMatchObject({
        code: 'MailboxFull',
        details: { depth: fits },
      });
    for (let i = 0; i <= fits; i++) {
      await actor.signal({ type: 'go' });
      expect(await until(async () => (await depth()) === Math.max(0, fits - 1 - i))).toBe(true);
    }
    expect(await Promise.all(open)).toEqual(open.map(() => 'done'));
  });
});

test('ten thousand task ids are remembered; the next one gets TooManyTasks, a nameless task is taken', async () => {
  const actor = stage.troupe.actor('hoarder', key);
  for (let at = 0; at < 10_000; at += 2_000)
    await Promise.all(Array.from({ length: 2_000 }, (_, i) => actor.ask({ do: 'count' }, { taskId: `t-${at + i}` })));
  expect((await errorOf(actor.ask({ do: 'count' }, { taskId: 'one-more' }))).code).toBe('TooManyTasks');
  expect(await actor.ask({ do: 'count' }, { taskId: 't-9999' })).toBe(0);
  expect(await actor.ask({ do: 'count' }, { named: false })).toBe(0);
  expect((await errorOf(actor.ask({ do: 'count' }, { taskId: 't-0' }))).code).toBe('OutcomeExpired');
});

describe('an effect', () => {
  test('whose outcome is over the payload limit fails with PayloadTooLarge, which its machine handles', async () => {
    const actor = stage.troupe.actor('caller', key);
    expect(await actor.ask({ do: 'huge', n: 1_200_000 })).toBe('PayloadTooLarge');
    expect(await actor.ask({ do: 'huge', n: 500_000 })).toBe(500_000);
    expect(await actor.ask({ do: 'other' })).toBe('fine');
  });

  test('a callback that floods fails with EffectOverflow, which its machine handles', async () => {
    const actor = stage.troupe.actor('caller', key);
    expect(await actor.ask({ do: 'flood', n: 5_000 })).toBe('EffectOverflow');
    expect(await actor.ask({ do: 'other' })).toBe('fine');
  });

  test('an observable keeps the latest of what can not be journaled in time', async () => {
    const actor = stage.troupe.actor('caller', key);
    const { last, seen } = (await actor.ask({ do: 'tick', n: 5_000 })) as { last: number; seen: number };
    expect(last).toBe(5_000);
    expect(seen).toBeLessThan(500);
    expect(await actor.ask({ do: 'other' })).toBe('fine');
  });
});

describe('asks between actors', () => {
  test('a chain of 32 is answered through all of them', async () => {
    const answer = (await stage.troupe.actor('link', `${key}32`).ask({ do: 'ask', n: 32, to: key })) as string[];
    expect(answer).toHaveLength(32);
  });

  test('one of 34 is refused with ChainTooDeep all the way back, and its actors go on', async () => {
    const error = await errorOf(stage.troupe.actor('link', `${key}34`).ask({ do: 'ask', n: 34, to: key }));
    expect(error.code).toBe('ChainTooDeep');
    for (const n of [34, 20, 2])
      expect(await stage.troupe.actor('link', `${key}${n}`).ask({ do: 'other' })).toEqual([`${key}${n}`]);
  });

  test('two that ask each other get DeadlockError with the cycle, and go on', async () => {
    const error = await errorOf(stage.troupe.actor('link', `${key}a`).ask({ do: 'ask', n: 5, to: `${key}a:${key}b` }));
    expect(error.code).toBe('DeadlockError');
    for (const one of ['a', 'b'])
      expect(await stage.troupe.actor('link', `${key}${one}`).ask({ do: 'other' })).toEqual([`${key}${one}`]);
  });
});

test('nothing above cost the worker its line, or was an error to it', () => {
  expect(stage.drops).toBe(0);
  expect(stage.rejections).toEqual([]);
  expect(stage.log.filter(({ level }) => level === 'error')).toEqual([]);
});
