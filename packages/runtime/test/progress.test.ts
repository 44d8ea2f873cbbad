/** `progress()` in invoked logic: what is published, what is left out, and that it never disturbs the turn. */
import { defineActor, progress } from '@troupe/core';
import { decodePayload, encodePayload, HEADERS } from '@troupe/wire';
import { expect, test } from 'vitest';
import { fromCallback, fromPromise, setup } from 'xstate';
import { startWorker } from '../src/index.ts';
import { MemoryBroker, VirtualClock } from '../src/internal.ts';

/** What `progress()` returned to the promise, and to the callback, which runs outside of any turn. */
let told: boolean[] = [];
const outside: boolean[] = [];
let failures = 0;

const talker = defineActor({
  type: 'talker',
  version: 1,
  effects: { talk: { retry: { attemptsMax: 2, backoff: 'fixed', delayMs: 10 } } },
  machine: setup({
    types: { context: {} as object, events: {} as { type: string; input: unknown[] } },
    actors: {
      talk: fromPromise<number, unknown[]>(async ({ input }) => {
        await Promise.resolve();
        told = [];
        for (const word of input) {
          if (word === 'fail once') {
            if (failures++ === 0) throw new Error('once');
          } else told.push(progress(word));
        }
        return told.length;
      }),
      chatter: fromCallback(() => {
        outside.push(progress('nobody asked'));
      }),
    },
  }).createMachine({
    context: {},
    initial: 'idle',
    invoke: { src: 'chatter' },
    states: {
      idle: { on: { task: 'talking' } },
      talking: {
        invoke: { src: 'talk', input: ({ event }) => (event as { input: unknown[] }).input, onDone: 'talked' },
      },
      talked: { type: 'final' },
    },
  }),
});

interface Talk {
  /** What `progress()` returned. */
  readonly told: boolean[];
  readonly seen: { readonly n: string | undefined; readonly chunk: unknown; readonly effectId: string | undefined }[];
  readonly stats: object;
}

async function talk(words: unknown[]): Promise<Talk> {
  const clock = new VirtualClock();
  const broker = new MemoryBroker({ clock, partitions: 1 });
  const client = broker.connect();
  const starting = startWorker({ ports: broker.connect(), definitions: [talker] });
  await clock.advance(5_000);
  const worker = await starting;
  const seen: Talk['seen'][number][] = [];
  client.bus.subscribe('troupe.stream.talker.a.one', {}, (message) => {
    const chunk = decodePayload(message.payload, message.header(HEADERS.contentType)).value;
    seen.push({ n: message.header(HEADERS.streamSeq), chunk, effectId: message.header(HEADERS.effectId) });
  });
  const headers = { [HEADERS.taskId]: 'one' };
  const published = client.journal.publish('task', { type: 'talker', key: 'a' }, encodePayload(words), headers);
  await clock.advance(2_000);
  await published;
  const stats = worker.stats().progress;
  worker.kill();
  return { told, seen, stats };
}

test('is published under the task of the turn, numbered, text as text and the rest as JSON', async () => {
  const { told, seen } = await talk(['one', { two: 2 }, 'drei']);
  expect(told).toEqual([true, true, true]);
  expect(seen).toEqual([
    { n: '1', chunk: 'one', effectId: expect.stringMatching(/^talker\/a@\d+\.\d+$/) },
    { n: '2', chunk: { two: 2 }, effectId: seen[0]!.effectId },
    { n: '3', chunk: 'drei', effectId: seen[0]!.effectId },
  ]);
});

test('outside of a turn and outside of Troupe does nothing', async () => {
  expect(progress('nobody')).toBe(false);
  outside.length = 0;
  await talk([]);
  expect(outside).toEqual([false]);
});

test('begins again at 1 when the effect is repeated', async () => {
  failures = 0;
  const { seen } = await talk(['one', 'fail once', 'two']);
  expect(seen.map(({ n, chunk }) => [n, chunk])).toEqual([
    ['1', 'one'],
    ['1', 'one'],
    ['2', 'two'],
  ]);
});

test('that is too large, or can not be written, is left out with its number; the turn goes on', async () => {
  const { told, seen, stats } = await talk(['one', 'x'.repeat(65_537), 'two']);
  expect(told).toEqual([true, false, true]);
  expect(seen.map(({ n, chunk }) => [n, chunk])).toEqual([
    ['1', 'one'],
    ['3', 'two'],
  ]);
  expect(stats).toEqual({ published: 2, dropped: 1 });
});

test('of which there is too much is dropped and counted, not queued', async () => {
  const { told, seen, stats } = await talk(Array.from({ length: 25_000 }, () => 'x'));
  // Virtual time stands still meanwhile: one burst goes out.
  expect(told.filter(Boolean)).toHaveLength(20_000);
  expect(seen).toHaveLength(20_000);
  expect(stats).toEqual({ published: 20_000, dropped: 5_000 });
});
