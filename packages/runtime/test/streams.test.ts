/** What callbacks, observables and actions send keeps its order, and all of it arrives, whatever the journal loses. */
import { defineActor } from '@troupe/core';
import { decodeValue, encodePayload } from '@troupe/wire';
import { expect, test } from 'vitest';
import { assign, fromCallback, fromObservable, setup } from 'xstate';
import { startWorker } from '../src/index.ts';
import { type FaultPlan, MemoryBroker, VirtualClock } from '../src/internal.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

interface Context {
  readonly heard: number[];
  readonly done: boolean;
}

const talkative = defineActor({
  type: 'talkative',
  version: 1,
  machine: setup({
    types: { context: {} as Context, events: {} as { type: 'heard'; n: number } | { type: string; input: string } },
    actors: {
      calls: fromCallback(({ sendBack }) => {
        for (const n of numbers(200)) sendBack({ type: 'heard', n });
      }),
      values: fromObservable<number, undefined>(() => ({
        subscribe: (observer) => {
          const { next, complete } = observer as { next(value: number): void; complete(): void };
          for (const n of numbers(200)) next(n);
          complete();
          return { unsubscribe: () => undefined };
        },
      })),
    },
    actions: {
      sends: ({ self }) => {
        for (const n of numbers(5)) self.send({ type: 'heard', n });
      },
    },
  }).createMachine({
    context: { heard: [], done: false },
    on: {
      heard: { actions: assign({ heard: ({ context, event }) => [...context.heard, (event as { n: number }).n] }) },
    },
    initial: 'idle',
    states: {
      idle: {
        on: {
          task: [
            { guard: ({ event }) => (event as { input: string }).input === 'calls', target: 'calling' },
            { guard: ({ event }) => (event as { input: string }).input === 'values', target: 'watching' },
            { actions: 'sends' },
          ],
        },
      },
      calling: { invoke: { src: 'calls' } },
      watching: {
        invoke: {
          src: 'values',
          onSnapshot: {
            actions: assign({
              heard: ({ context, event }) =>
                event.snapshot.context === undefined ? context.heard : [...context.heard, event.snapshot.context],
            }),
          },
          onDone: { target: 'idle', actions: assign({ done: true }) },
        },
      },
    },
  }),
});

/** Every so-manieth append is lost on its way there, or its answer on the way back. */
function losing(every: number): FaultPlan {
  let appends = 0;
  return {
    decide: ({ kind }) => {
      if (kind !== 'journal.append' || appends++ % every !== 1) return undefined;
      return { lose: appends % 2 === 0 ? 'request' : 'answer' };
    },
  };
}

async function contextAfter(input: string): Promise<Context> {
  const clock = new VirtualClock();
  const broker = new MemoryBroker({ clock, partitions: 1 });
  const client = broker.connect();
  const started = startWorker({ ports: broker.connect({ faults: losing(7) }), definitions: [talkative] });
  await clock.advance(5_000);
  const worker = await started;
  const published = client.journal.publish('task', { type: 'talkative', key: 'a' }, encodePayload(input), {});
  await clock.advance(400_000);
  await published;
  const answer = client.bus.request('troupe.query.talkative.a', encodePayload({ query: 'state' }), {
    timeoutMs: 5_000,
    headers: { Accept: 'application/msgpack' },
  });
  await clock.advance(1_000);
  const { context } = decodeValue((await answer).payload) as { context: Context };
  worker.kill();
  return context;
}

test('events of a callback', async () => {
  expect((await contextAfter('calls')).heard).toEqual(numbers(200));
});

test('values of an observable: those that could wait, the last one, and then its end', async () => {
  const { heard, done } = await contextAfter('values');
  expect(done).toBe(true);
  expect(heard.at(-1)).toBe(199);
  expect(heard.slice(0, 60)).toEqual(numbers(60));
  expect([...heard].sort((a, b) => a - b)).toEqual(heard);
});

test('what an action sends to its own actor', async () => {
  expect((await contextAfter('sends')).heard).toEqual(numbers(5));
});
