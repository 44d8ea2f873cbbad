/** Actors whose code is not here: their entries wait, and are folded once by the code that comes. */
import { defineAgent, reply, type StoredState, type TaskEvent, tell } from '@troupe/agent';
import { startTroupe } from '@troupe/testing';
import { expect, test } from 'vitest';
import { assign, setup } from 'xstate';

const machine = (label: string) =>
  setup({
    types: { context: {} as { seen: number[] }, events: {} as TaskEvent<number> },
  }).createMachine({
    context: { seen: [] },
    on: {
      task: {
        actions: [
          assign({ seen: ({ context, event }) => [...context.seen, event.input] }),
          tell('listener', 'one', ({ event }) => ({ type: 'said', n: event.input })),
          reply(({ context }) => `${label}: ${context.seen.join()}`),
        ],
      },
    },
  });
const listener = defineAgent({
  type: 'listener',
  version: 1,
  machine: setup({
    types: { context: {} as { heard: number[] }, events: {} as { type: 'said'; n: number } },
  }).createMachine({
    context: { heard: [] },
    on: { said: { actions: assign({ heard: ({ context, event }) => [...context.heard, event.n] }) } },
  }),
});

const migrate = { 1: (state: StoredState) => state };
const v1 = defineAgent({ type: 'speaker', version: 1, machine: machine('v1') });
const bare = defineAgent({ type: 'speaker', version: 2, machine: machine('v2') });
const migrating = defineAgent({ type: 'speaker', version: 2, machine: machine('v2'), migrate });
const unmigratedWithPrevious = defineAgent({ type: 'speaker', version: 2, machine: machine('v2'), previous: [v1] });

test('what a suspended actor was sent takes effect once there is a migration, whatever ended the workers between', async () => {
  await using troupe = await startTroupe({ actors: [v1, listener] });
  const [worker] = troupe.workers;
  const speaker = troupe.actor(migrating, 'ann');
  expect(await speaker.ask(1)).toBe('v1: 1');
  await worker!.drain();

  await worker!.start([bare, listener]);
  await speaker.send(2);
  await expect(speaker.query('state')).rejects.toMatchObject({ code: 'MigrationMissing' });
  // Others go on, and checkpoints are written, past the waiting entry.
  for (const n of [10, 11]) expect(await troupe.actor(bare, 'new').ask(n)).toContain(`${n}`);
  await troupe.clock.advance('10m');
  await worker!.restart([bare, listener]);
  await speaker.send(3);
  await troupe.clock.advance('10m');

  await worker!.restart([migrating, listener]);
  expect(await speaker.ask(4)).toBe('v2: 1,2,3,4');
  const { heard } = (await troupe.actor(listener, 'one').snapshot()).context;
  expect(heard).toEqual([1, 10, 11, 2, 3, 4]);
});

test('what old code has folded is never folded again by new code', async () => {
  await using troupe = await startTroupe({ actors: [v1, listener] });
  const [worker] = troupe.workers;
  const speaker = troupe.actor(migrating, 'ann');
  expect(await speaker.ask(1)).toBe('v1: 1');
  // The tail is folded by v1, brought along; then there is no way on.
  await worker!.restart([unmigratedWithPrevious, listener]);
  await troupe.clock.advance('10s');
  await expect(speaker.query('state')).rejects.toMatchObject({ code: 'MigrationMissing' });
  await speaker.send(2);
  await worker!.drain();
  await worker!.start([migrating, listener]);
  expect(await speaker.ask(3)).toBe('v2: 1,2,3');
  expect((await troupe.actor(listener, 'one').snapshot()).context.heard).toEqual([1, 2, 3]);
});

test('after a crash of the old code an actor with a tail waits for that code', async () => {
  await using troupe = await startTroupe({ actors: [v1, listener], options: { markAgeMsMax: 86_400_000 } });
  const [worker] = troupe.workers;
  const speaker = troupe.actor(migrating, 'ann');
  await speaker.ask(1);
  await worker!.restart([migrating, listener]);
  await speaker.send(2);
  await expect(speaker.query('state')).rejects.toMatchObject({ code: 'ActorSuspended' });
  await worker!.restart([v1, listener]);
  expect(await speaker.ask(3)).toBe('v1: 1,2,3');
  expect((await troupe.actor(listener, 'one').snapshot()).context.heard).toEqual([1, 2, 3]);
});
