/**
 * A journal that is full: clients are told, workers hold what they have to say, turns that are open end once there is room.
 * From 80 % on workers make room themselves: they write snapshots and purge sooner than policies say.
 */
import { defineAgent, reply } from '@troupe/agent';
import type { TroupeError } from '@troupe/wire';
import { expect, test } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { fresh, Stage, until } from '../hostile/support/stage.ts';

const BYTES_MAX = 2_000_000;
const padding = 'p'.repeat(20_000);
/** Turns that call outside wait for this; the test opens it. */
let gate = Promise.withResolvers<void>();

const worker = defineAgent({
  type: 'keeper',
  version: 1,
  machine: setup({
    types: {
      context: {} as { count: number },
      events: {} as { type: 'task'; input: { do: string; padding?: string } },
    },
    actors: {
      wait: fromPromise(async () => {
        await gate.promise;
        return 'waited';
      }),
    },
  }).createMachine({
    context: { count: 0 },
    initial: 'idle',
    states: {
      idle: {
        on: {
          task: [
            { guard: ({ event }) => event.input.do === 'wait', target: 'waiting' },
            { actions: [assign({ count: ({ context }) => context.count + 1 }), reply(({ context }) => context.count)] },
          ],
        },
      },
      waiting: {
        invoke: {
          src: 'wait',
          onDone: {
            target: 'idle',
            actions: [assign({ count: ({ context }) => context.count + 1 }), reply(({ event }) => event.output)],
          },
        },
      },
    },
  }),
});

const usage = async (stage: Stage): Promise<number> => {
  const { bytes, bytesMax } = await stage.ports.journal.info();
  return bytes / bytesMax;
};

/** Publishes until the stream refuses. @returns what it said. */
async function fill(stage: Stage): Promise<TroupeError> {
  const actor = stage.troupe.actor('keeper', `filler-${fresh()}`);
  for (let i = 0; i < 1_000; i++) {
    const error = await actor.send({ do: 'count', padding }, { deadlineMs: 3_000 }).then(
      () => undefined,
      (thrown: TroupeError) => thrown,
    );
    if (error !== undefined) return error;
  }
  return expect.unreachable('it was never full');
}

test('a full journal refuses clients with StreamFull; open turns end once there is room, and everything goes on', async () => {
  gate = Promise.withResolvers();
  // Leases too long for a purge under pressure within this test: it stays full until somebody makes room.
  await using stage = await Stage.open({
    definitions: [worker],
    nats: { journal: { bytesMax: BYTES_MAX } },
    worker: { purgeEveryMs: 500 },
  });
  const keys = Array.from({ length: 5 }, (_, i) => `open-${i}`);
  const open = keys.map((key) => stage.troupe.actor('keeper', key).ask({ do: 'wait' }, { deadlineMs: 60_000 }));
  expect(await until(() => stage.worker.stats().effectsRunning === 5)).toBe(true);

  expect(await fill(stage)).toMatchObject({ code: 'StreamFull' });
  // The last bytes: nothing fits any more, not even an outcome.
  for (const bytes of [5_000, 1_000, 100, 1])
    while (
      await stage.ports.journal.publish('task', { type: 'keeper', key: 'dust' }, Buffer.alloc(bytes, 0x31), {}).then(
        () => true,
        () => false,
      )
    );
  const error = await stage.troupe
    .actor('keeper', 'open-0')
    .ask({ do: 'count' }, { deadlineMs: 2_000 })
    .catch((thrown: TroupeError) => thrown);
  expect((error as TroupeError).code).toBe('StreamFull');

  // Outcomes are there, and can't be journaled: the turns stay open, reads go on.
  gate.resolve();
  const state = (await stage.troupe.actor('keeper', 'open-0').query('state')) as { value: string; turn?: object };
  expect(state).toMatchObject({ value: 'waiting', turn: expect.anything() });
  expect(stage.drops).toBe(0);

  // What somebody purges by hand must be covered by snapshots; under pressure workers write them by themselves.
  const { journal, snapshots } = stage.ports;
  const isCovered = async (key: string): Promise<boolean> => {
    const address = { type: 'keeper', key };
    return (await snapshots.load(journal.partitionOf(address), address)) !== undefined;
  };
  for (const key of keys) expect(await until(() => isCovered(key))).toBe(true);

  await using admin = await stage.admin();
  await admin.bus.request('$JS.API.STREAM.PURGE.TROUPE_JOURNAL', Buffer.from('{"keep":10}'), { timeoutMs: 4_000 });
  expect(await Promise.all(open)).toEqual(keys.map(() => 'waited'));
  for (const key of keys) expect(await stage.troupe.actor('keeper', key).ask({ do: 'count' })).toBe(2);
});

test('from 80 % on snapshots are written and old entries purged, so that a full journal gets room by itself', async () => {
  gate = Promise.withResolvers();
  await using stage = await Stage.open({
    definitions: [worker],
    nats: { journal: { bytesMax: BYTES_MAX } },
    worker: { leaseTtlMs: 1_500, renewEveryMs: 400, purgeEveryMs: 400, checkpointEveryMs: 200 },
  });
  const open = stage.troupe.actor('keeper', 'open').ask({ do: 'wait' }, { deadlineMs: 60_000 });
  expect(await until(() => stage.worker.stats().effectsRunning === 1)).toBe(true);
  expect(await fill(stage)).toMatchObject({ code: 'StreamFull' });
  gate.resolve();
  expect(await usage(stage)).toBeGreaterThan(0.8);

  expect(await until(async () => (await usage(stage)) < 0.8, 30_000, 100)).toBe(true);
  expect(stage.log.map(({ message }) => message)).toContain('the journal is 80 % full: making room');
  expect(await open).toBe('waited');
  expect(await stage.troupe.actor('keeper', 'open').ask({ do: 'count' })).toBe(2);

  // Nothing was lost with what was purged: a new worker finds the same states.
  await stage.worker.drain();
  await stage.startWorker();
  expect(await stage.troupe.actor('keeper', 'open').ask({ do: 'count' })).toBe(3);
  expect(stage.log.filter(({ level }) => level === 'error')).toEqual([]);
});
