/** What looks on at a worker's work: several instruments at once, and how long its turns took. */
import { createReplyAction, defineActor } from '@troupe/core';
import { encodePayload, HEADERS } from '@troupe/wire';
import { expect, test } from 'vitest';
import { fromPromise, setup } from 'xstate';
import { DURATION_BUCKETS_S, type Instrument, startWorker, type Worker } from '../src/index.ts';
import { MemoryBroker, VirtualClock } from '../src/internal.ts';

/** Ends the call of the effect that runs now. */
let finish: (value: string) => void = () => undefined;

const reply = createReplyAction('reply', 'done') as never;
const machine = setup({
  types: { context: {} as object, events: {} as { type: 'task'; input: string } },
  actors: {
    think: fromPromise<string>(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    ),
  },
}).createMachine({
  context: {},
  initial: 'idle',
  states: {
    idle: {
      on: {
        task: [{ guard: ({ event }) => event.input === 'think', target: 'thinking' }, { actions: reply }],
      },
    },
    thinking: { invoke: { src: 'think', onDone: { target: 'idle', actions: reply } } },
  },
});
const thinker = defineActor({ type: 'thinker', version: 1, machine });
const other = defineActor({ type: 'other', version: 1, machine });

class Stage {
  readonly clock = new VirtualClock();
  readonly broker = new MemoryBroker({ clock: this.clock, partitions: 1 });
  readonly client = this.broker.connect();
  #tasks = 0;

  async worker(): Promise<Worker> {
    const starting = startWorker({ ports: this.broker.connect(), definitions: [thinker, other] });
    await this.clock.advance(30_000);
    return starting;
  }

  async task(type: string, input: string): Promise<void> {
    const headers = { [HEADERS.taskId]: `t${this.#tasks++}` };
    const published = this.client.journal.publish('task', { type, key: 'a' }, encodePayload(input), headers);
    await this.clock.advance(100);
    await published;
  }
}

/** Writes down what it is told. */
function witness(name: string, told: string[], types: readonly string[]): Instrument {
  return {
    wants: (type) => types.includes(type),
    around: (type, call) => {
      told.push(`${name} around ${type}`);
      return call();
    },
    stepping: ({ type }, { seq }) => void told.push(`${name} begins ${type}@${seq}`),
    stepped: ({ address: { type }, entry, after }) =>
      void told.push(`${name} ends ${type}@${entry.seq} ${after === undefined ? 'failed' : 'well'}`),
    effect: ({ address: { type } }, { phase, src }) => void told.push(`${name} ${src} ${phase} of ${type}`),
  };
}

test('instruments look on side by side, each at the types it wants, until it is ended; ending one twice ends no other', async () => {
  const stage = new Stage();
  const worker = await stage.worker();
  const told: string[] = [];
  const endBoth = worker.addInstrument(witness('both', told, ['thinker', 'other']));
  const one = witness('one', told, ['thinker']);
  worker.addInstrument(one);
  // Added again, it looks on once.
  const endOne = worker.addInstrument(one);
  await stage.task('thinker', 'now');
  expect(told.sort()).toEqual(
    ['both', 'one'].flatMap((name) => [
      `${name} around thinker`,
      `${name} begins thinker@1`,
      `${name} ends thinker@1 well`,
    ]),
  );
  told.length = 0;
  await stage.task('other', 'now');
  expect(told).toEqual(['both begins other@2', 'both around other', 'both ends other@2 well']);
  told.length = 0;
  endBoth();
  endBoth();
  await stage.task('thinker', 'think');
  finish('thought');
  await stage.clock.advance(100);
  expect(told).toEqual([
    'one begins thinker@3',
    'one around thinker',
    'one ends thinker@3 well',
    'one think started of thinker',
    'one think ended of thinker',
    'one begins thinker@4',
    'one around thinker',
    'one ends thinker@4 well',
  ]);
  told.length = 0;
  endOne();
  await stage.task('thinker', 'now');
  expect(told).toEqual([]);
  worker.kill();
});

test('how long turns took is told by type: by the journal, from the entry that opened one to the one that ended it', async () => {
  const stage = new Stage();
  const first = await stage.worker();
  await stage.task('thinker', 'now');
  await stage.task('thinker', 'think');
  await stage.clock.advance(4_000);
  finish('thought');
  await stage.clock.advance(1_000);
  await stage.task('other', 'now');
  const { thinker: figures, other: others } = first.stats().turnsByType;
  expect([figures?.turns, others?.turns]).toEqual([2, 1]);
  expect(figures?.seconds).toBeGreaterThanOrEqual(4);
  expect(figures?.seconds).toBeLessThan(5);
  const bucketOf = (seconds: number) => DURATION_BUCKETS_S.findIndex((bound) => seconds <= bound);
  const expected = new Array<number>(DURATION_BUCKETS_S.length + 1).fill(0);
  expected[0] = 1;
  expected[bucketOf(4.5)] = 1;
  expect(figures?.buckets).toEqual(expected);

  // A checkpoint says what was done, and no snapshot covers it: whoever folds those entries again times none of their turns.
  await stage.clock.advance(5_000);
  first.kill();
  const second = await stage.worker();
  await stage.task('thinker', 'now');
  const again = second.stats().turnsByType.thinker;
  expect(again?.turns).toBe(3);
  expect(again?.buckets.reduce((sum, count) => sum + count, 0)).toBe(1);
  second.kill();
});
