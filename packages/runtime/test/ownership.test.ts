/** Several workers in virtual time: how they share, hand over, and take over. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { defineAgent, reply, type TaskEvent } from '@troupe/agent';
import { startTroupe } from '@troupe/testing';
import { expect, test } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';

const PARTITIONS = 16;
const options = { leaseTtlMs: 15_000, renewEveryMs: 4_000 };

const counter = (version: number) =>
  defineAgent({
    type: 'counter',
    version,
    machine: setup({
      types: { context: {} as { count: number }, events: {} as TaskEvent<number> },
    }).createMachine({
      context: { count: 0 },
      on: {
        task: {
          actions: [assign({ count: ({ context }) => context.count + 1 }), reply(({ context }) => context.count)],
        },
      },
    }),
    ...(version > 1 ? { migrate: { [version - 1]: (state) => state } } : {}),
  });

/** A call that ends when the test says so, and how often it was made. */
function caller(once: boolean) {
  const calls: string[] = [];
  const ends: (() => void)[] = [];
  const call = fromPromise<string, string>(({ input }) => {
    calls.push(input);
    return new Promise((resolve) => ends.push(() => resolve(`did ${input}`)));
  });
  const machine = setup({
    types: { events: {} as TaskEvent<string> },
    actors: { call },
  }).createMachine({
    initial: 'idle',
    states: {
      idle: { on: { task: 'calling' } },
      calling: {
        invoke: {
          src: 'call',
          input: ({ event }) => (event as TaskEvent<string>).input,
          onDone: { target: 'idle', actions: reply(({ event }) => event.output) },
        },
      },
    },
  });
  const effects = once ? { call: { retry: 'never' as const } } : {};
  const agent = defineAgent({ type: 'caller', version: 1, machine, task: { deadlineMs: 3_600_000 }, effects });
  return { agent, calls, ends };
}

async function sharing(actors: Parameters<typeof startTroupe>[0]['actors'], workers: number) {
  const troupe = await startTroupe({ actors, workers, options, partitions: PARTITIONS });
  await troupe.clock.advance('20s');
  return troupe;
}

test('workers that start one after the other end with equal shares', async () => {
  await using troupe = await sharing([counter(1)], 3);
  const shares = troupe.workers.map((worker) => worker.stats!.partitions.length);
  expect(shares.sort()).toEqual([5, 5, 6]);
  expect(new Set(troupe.workers.flatMap((worker) => worker.stats!.partitions)).size).toBe(PARTITIONS);
});

test('a worker that is killed is missed within two seconds, and its share is divided among the others', async () => {
  await using troupe = await sharing([counter(1)], 3);
  const kept = troupe.workers.slice(1).map((worker) => worker.stats!.partitions);
  troupe.workers[0]!.kill();
  await troupe.clock.advance('2s');
  const now = troupe.workers.slice(1).map((worker) => worker.stats!.partitions);
  expect(now.flat().length).toBe(PARTITIONS);
  for (const [at, partitions] of kept.entries()) expect(now[at]).toEqual(expect.arrayContaining([...partitions]));
});

test('a worker that stands still keeps its share until its lease has ended, and gives up what was taken when it goes on', async () => {
  await using troupe = await sharing([counter(1)], 2);
  const [frozen, other] = troupe.workers;
  const before = frozen!.stats!.partitions.length;
  frozen!.freeze();
  await troupe.clock.advance('8s');
  expect(other!.stats!.partitions.length).toBe(PARTITIONS - before);
  await troupe.clock.advance('12s');
  expect(other!.stats!.partitions.length).toBe(PARTITIONS);
  await troupe.clock.advance('10s');
  frozen!.resume();
  await troupe.clock.advance('10ms');
  // Its lease is written and its records are read again: nothing of what it held is its own any more.
  const { partitions } = frozen!.stats!;
  expect(partitions.filter((one) => other!.stats!.partitions.includes(one))).toEqual([]);
  await troupe.clock.advance('20s');
  expect(frozen!.stats!.partitions.length + other!.stats!.partitions.length).toBe(PARTITIONS);
  expect(Math.abs(frozen!.stats!.partitions.length - other!.stats!.partitions.length)).toBeLessThanOrEqual(1);
});

test.each([false, true])(
  'a call under way when its worker drains is finished there and not made again, while the next owner goes on (retry never: %s)',
  async (once) => {
    const { agent, calls, ends } = caller(once);
    await using troupe = await sharing([agent], 2);
    const keys = Array.from({ length: 8 }, (_, at) => `key-${at}`);
    const asked = keys.map((key) => troupe.actor(agent, key).ask(key));
    for (const answer of asked) answer.catch(() => undefined);
    await troupe.clock.advance('1s');
    expect(calls.toSorted()).toEqual(keys);
    const [leaving, staying] = troupe.workers;
    // Time goes on by itself while it drains; the calls end once everything is the other's.
    const handedOver = async (): Promise<void> => {
      while (staying!.stats!.partitions.length < PARTITIONS) await nextTurn();
      for (const end of ends) end();
    };
    await Promise.all([leaving!.drain(), handedOver()]);
    expect(await Promise.all(asked)).toEqual(keys.map((key) => `did ${key}`));
    expect(calls.length).toBe(keys.length);
  },
);

test('a call whose worker dies after it was handed over is made again by the owner', async () => {
  const { agent, calls, ends } = caller(false);
  await using troupe = await sharing([agent], 2);
  const keys = Array.from({ length: 8 }, (_, at) => `key-${at}`);
  const asked = keys.map((key) => troupe.actor(agent, key).ask(key));
  for (const answer of asked) answer.catch(() => undefined);
  await troupe.clock.advance('1s');
  const [leaving, staying] = troupe.workers;
  const here = leaving!.stats!.effectsRunning;
  expect(here).toBeGreaterThan(0);
  void leaving!.drain().catch(() => undefined);
  await troupe.clock.advance('30s');
  expect(staying!.stats!.partitions.length).toBe(PARTITIONS);
  expect(calls.length).toBe(keys.length + here);
  for (const end of ends) end();
  expect(await Promise.all(asked)).toEqual(keys.map((key) => `did ${key}`));
});

test('what newer code has folded is not taken over by a worker with older code while another may yet come', async () => {
  await using troupe = await sharing([counter(1)], 3);
  const [first, second, third] = troupe.workers;
  await third!.drain();
  await third!.start([counter(2)]);
  await troupe.clock.advance('10s');
  const newer = third!.stats!.partitions.length;
  expect(newer).toBeGreaterThan(0);
  third!.kill();
  await troupe.clock.advance('5s');
  expect(first!.stats!.partitions.length + second!.stats!.partitions.length).toBe(PARTITIONS - newer);
  await third!.start([counter(2)]);
  expect(third!.stats!.partitions.length).toBe(newer);
});
