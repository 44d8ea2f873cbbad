/** Which actors leave a worker's memory, and when. */
import { defineAgent, reply, type TaskEvent } from '@troupe/agent';
import { startTroupe } from '@troupe/testing';
import { expect, test } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { resolveWorkerOptions } from '../src/options.ts';
import { ACTOR_BYTES, Census, estimateBytes, IDLE_MS_MIN, OBJECT_FACTOR } from '../src/passivation.ts';

/** Keeps a text of the length that it is told. */
const keeper = defineAgent({
  type: 'keeper',
  version: 1,
  machine: setup({
    types: { context: {} as { texts: string[] }, events: {} as TaskEvent<number> },
  }).createMachine({
    context: { texts: [] },
    on: {
      task: {
        actions: [
          assign({ texts: ({ context, event }) => [...context.texts, 'x'.repeat(event.input)] }),
          reply(({ context }) => context.texts.length),
        ],
      },
    },
  }),
});

/** Is at work until its call outside ends, which it never does. */
const busy = defineAgent({
  type: 'busy',
  version: 1,
  machine: setup({
    types: { events: {} as TaskEvent<number> },
    actors: { wait: fromPromise(() => new Promise<void>(() => undefined)) },
  }).createMachine({
    initial: 'idle',
    states: { idle: { on: { task: 'working' } }, working: { invoke: { src: 'wait', onDone: 'idle' } } },
  }),
});

const LARGE = 100_000;
const never = { idleUnloadMs: 3_600_000 };
const [kibi, mebi] = [1_024, 1_048_576];

test('actors stay in memory while they are few and small enough', async () => {
  await using troupe = await startTroupe({ actors: [keeper], options: never });
  for (let n = 0; n < 20; n++) await troupe.actor(keeper, `${n}`).ask(LARGE);
  await troupe.clock.advance('10m');
  expect(troupe.workers[0]!.stats).toMatchObject({ resident: 20 });
  expect(troupe.workers[0]!.stats!.residentBytes).toBeGreaterThan(20 * LARGE);
});

test('when actors take more than residentBytesMax, the longest idle leave memory, and are the same when they are needed', async () => {
  await using troupe = await startTroupe({ actors: [keeper], options: { ...never, residentBytesMax: 4 * mebi } });
  const [worker] = troupe.workers;
  for (let n = 0; n < 20; n++) {
    await troupe.actor(keeper, `${n}`).ask(LARGE);
    await troupe.clock.advance('10s');
  }
  const { resident, residentBytes } = worker!.stats!;
  expect(residentBytes).toBeLessThanOrEqual(4 * mebi);
  expect(resident).toBeGreaterThan(3);
  expect(resident).toBeLessThan(20);
  const before = worker!.stats!.counters.wakes;
  expect(await troupe.actor(keeper, '19').ask(1)).toBe(2);
  expect(worker!.stats!.counters.wakes).toBe(before);
  expect(await troupe.actor(keeper, '0').ask(1)).toBe(2);
  expect(worker!.stats!.counters.wakes).toBe(before + 1);
});

test('many small actors keep within residentBytesMax as well, before any of them has a snapshot', async () => {
  await using troupe = await startTroupe({ actors: [keeper], options: { ...never, residentBytesMax: 400 * kibi } });
  for (let n = 0; n < 300; n++) await troupe.actor(keeper, `${n}`).ask(1);
  await troupe.clock.advance('5s');
  const { resident, residentBytes } = troupe.workers[0]!.stats!;
  expect(residentBytes).toBeLessThanOrEqual(400 * kibi);
  expect(resident).toBeLessThanOrEqual(100);
  expect(await troupe.actor(keeper, '0').ask(1)).toBe(2);
});

test('when there are more actors than residentMax, the longest idle leave memory', async () => {
  await using troupe = await startTroupe({ actors: [keeper], options: { ...never, residentMax: 5 } });
  const [worker] = troupe.workers;
  for (let n = 0; n < 20; n++) {
    await troupe.actor(keeper, `${n}`).ask(1);
    await troupe.clock.advance('5s');
  }
  expect(worker!.stats!.resident).toBeLessThanOrEqual(5);
  const before = worker!.stats!.counters.wakes;
  expect(await troupe.actor(keeper, '19').ask(1)).toBe(2);
  expect(worker!.stats!.counters.wakes).toBe(before);
});

test('actors at work stay, and it is said once that they are too many', async () => {
  await using troupe = await startTroupe({ actors: [keeper, busy], options: { ...never, residentMax: 4 } });
  for (let n = 0; n < 8; n++) await troupe.actor(busy, `${n}`).send(1);
  await troupe.actor(keeper, 'idle').ask(1);
  await troupe.clock.advance('30s');
  expect(troupe.workers[0]!.stats).toMatchObject({ resident: 8, effectsRunning: 8 });
  const warnings = troupe.log.filter(({ message }) => message.includes('residentMax'));
  expect(warnings).toMatchObject([{ level: 'warn', fields: { actors: 8, residentMax: 4 } }]);
});

test('a census names the age from which on actors must go, no younger than idle, and never when nobody need go', () => {
  const census = new Census();
  for (let second = 1; second <= 100; second++) census.add(10, second * 1_000);
  for (let n = 0; n < 50; n++) census.add(10, undefined);
  expect(census).toMatchObject({ count: 150, bytes: 1_500 });
  expect(census.idleMsFor(150, 1_500)).toBe(Number.POSITIVE_INFINITY);
  // Ten have to go: those of 91 s and more, or some more of the same step.
  const idleMs = census.idleMsFor(140, Number.MAX_SAFE_INTEGER);
  expect(idleMs).toBeLessThanOrEqual(91_000);
  expect(idleMs).toBeGreaterThan(91_000 / 1.5);
  expect(census.idleMsFor(Number.MAX_SAFE_INTEGER, 1_400)).toBe(idleMs);
  expect(census.idleMsFor(1, 1)).toBe(IDLE_MS_MIN);
});

test('an actor is taken to be no larger than its state may be, however much it was told', () => {
  const figures = { storedBytes: 1_000, sinceBytes: 500, stateBytesMax: 10_000, heldBytes: 100 };
  expect(estimateBytes(figures)).toBe(ACTOR_BYTES + 1_500 * OBJECT_FACTOR + 100);
  expect(estimateBytes({ ...figures, sinceBytes: 1e9 })).toBe(ACTOR_BYTES + 10_000 * OBJECT_FACTOR + 100);
  expect(estimateBytes({ ...figures, storedBytes: 20_000 })).toBe(ACTOR_BYTES + 20_000 * OBJECT_FACTOR + 100);
});

test('unless told otherwise actors may take a quarter of the heap', () => {
  const { residentBytesMax } = resolveWorkerOptions();
  expect(residentBytesMax).toBeGreaterThan(16 * mebi);
  expect(residentBytesMax).toBeLessThan(64 * 1_024 * mebi);
  expect(() => resolveWorkerOptions({ residentBytesMax: 0 })).toThrow('residentBytesMax is 0');
});
