/** Clock, randomness and names of children are the same in every fold. */
import { impure, World } from '@troupe/acceptance/internal';
import { encodeState } from '@troupe/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';

let world: World;
beforeAll(async () => {
  world = await World.start({ project: 'impure' });
});
afterAll(() => world[Symbol.asyncDispose]());

test('a machine that reads clock and randomness has the same state after a crash and in a fold from the start', async () => {
  const actor = world.troupe.actor('impure', 'dice');
  for (const input of ['draw', 'spawn', 'draw', 'spawn', 'poke', 'draw', 'poke', 'draw']) await actor.ask(input);
  const before = await actor.snapshot({ timeoutMs: 20_000 });
  const { draws, children } = before.context as { draws: { random: number; id: string }[]; children: string[] };
  expect(new Set(draws.map(({ random }) => random)).size).toBe(4);
  expect(new Set(draws.map(({ id }) => id)).size).toBe(4);
  expect(new Set(children).size).toBe(2);

  await world.crashWorker();
  const after = await actor.snapshot({ timeoutMs: 20_000 });
  expect({ ...after, matches: 0, hasTag: 0 }).toEqual({ ...before, matches: 0, hasTag: 0 });

  await world.readJournal([impure], async (journal) => {
    const fromSnapshot = await journal.state('impure/dice');
    const fromStart = (await journal.steps('impure/dice', { fromSeq: 0 })).at(-1)!.state;
    expect(fromStart.context).toEqual(before.context);
    expect(Buffer.from(encodeState(fromStart.store())).equals(Buffer.from(encodeState(fromSnapshot!.store())))).toBe(
      true,
    );
  });

  expect(await actor.ask('poke')).toEqual(children);
  expect(await actor.ask('spawn')).toEqual([...children, expect.any(String)]);
}, 120_000);

test('a rejected invoke without onError fails the turn, and the next task works', async () => {
  const actor = world.troupe.actor('impure', 'unlucky');
  await expect(actor.ask('reject')).rejects.toThrow('no such luck');
  expect(await actor.ask('draw')).toMatchObject({ random: expect.any(Number) });
  await world.crashWorker();
  await expect(actor.ask('reject')).rejects.toThrow('no such luck');
  expect(await actor.ask('draw')).toMatchObject({ random: expect.any(Number) });
  const state = await actor.snapshot({ timeoutMs: 20_000 });
  expect(state.value).toBe('idle');
  expect((state.context as { draws: unknown[] }).draws).toHaveLength(2);
}, 120_000);
