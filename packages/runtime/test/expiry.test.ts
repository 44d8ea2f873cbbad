/** Actors that end when nobody has wanted anything of them for long. */
import { defineAgent, reply, type TaskEvent } from '@troupe/agent';
import { startTroupe } from '@troupe/testing';
import { expect, test } from 'vitest';
import { assign, setup } from 'xstate';

const notes = defineAgent({
  type: 'notes',
  version: 1,
  expireAfterMs: 3_600_000,
  machine: setup({
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
  }),
});

test('an actor that left the memory long ago expires, and its next task begins anew', async () => {
  await using troupe = await startTroupe({ actors: [notes] });
  const john = troupe.actor(notes, 'john');
  expect(await john.ask('a')).toBe('a');
  await troupe.clock.advance('50m');
  expect(troupe.workers[0]!.stats!.resident).toBe(0);
  expect(await john.ask('b')).toBe('a,b');
  await troupe.clock.advance('50m');
  expect((await john.snapshot()).context.seen).toEqual(['a', 'b']);
  await troupe.clock.advance('15m');
  expect(await john.ask('c')).toBe('c');
});

test('an actor expires at its time though no worker was there, and only once', async () => {
  await using troupe = await startTroupe({ actors: [notes] });
  const john = troupe.actor(notes, 'john');
  await john.ask('a');
  await troupe.clock.advance('2m');
  troupe.kill();
  await troupe.clock.advance('3h');
  await troupe.restart();
  expect(await john.ask('b')).toBe('b');
  await troupe.clock.advance('2h');
  await troupe.restart();
  const [worker] = troupe.workers;
  await troupe.clock.advance('24h');
  expect(worker!.stats!.counters.entries).toBe(0);
  expect(await john.ask('c')).toBe('c');
});

test('a task that was named before its actor expired takes no second effect after', async () => {
  await using troupe = await startTroupe({ actors: [notes] });
  const john = troupe.actor(notes, 'john');
  expect(await john.ask('a', { taskId: 'first' })).toBe('a');
  await troupe.clock.advance('2h');
  expect(await john.ask('a', { taskId: 'first' })).toBe('a');
  expect(await john.ask('b')).toBe('b');
});
