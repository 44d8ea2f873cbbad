/** A definition changes while its actors live on. */
import { World } from '@troupe/acceptance/internal';
import { expect, test } from 'vitest';

const deadlineMs = 60_000;

/** What the auditor heard, once it has heard `count` things. */
async function heard(world: World, count: number): Promise<unknown> {
  const auditor = world.troupe.actor('auditor', 'all');
  const state = await auditor.waitFor(({ context }) => (context as { heard: unknown[] }).heard.length >= count, {
    timeoutMs: 40_000,
  });
  return (state.context as { heard: unknown[] }).heard;
}

test('after a stop in good order the new version migrates', async () => {
  await using world = await World.start({ project: 'account-v1' });
  const ann = world.troupe.actor('account', 'ann');
  expect(await ann.ask(1)).toBe('v1: 1');
  expect(await ann.ask(2)).toBe('v1: 3');
  await world.restartWorker({ project: 'account-v2' });
  expect(await ann.ask(4, { deadlineMs })).toBe('v2: 3+4');
  const state = await ann.snapshot({ timeoutMs: 20_000 });
  expect(state.version).toBe(2);
  expect(state.context).toEqual({ amounts: [3, 4] });
  expect(await world.troupe.actor('account', 'new').ask(5)).toBe('v2: 5');
  await world.crashWorker({ project: 'account-v2' });
  expect(await ann.ask(6, { deadlineMs })).toBe('v2: 3+4+6');
  expect(await heard(world, 5)).toEqual([1, 2, 4, 5, 6]);
}, 120_000);

test.each([
  ['after stops in good order', 'restartWorker'],
  ['after kill -9 of the worker that could not migrate', 'crashWorker'],
] as const)(
  'without a migration the actor is suspended, and goes on once there is one, %s',
  async (_when, redeploy) => {
    await using world = await World.start({ project: 'account-v1' });
    const bob = world.troupe.actor('account', 'bob');
    expect(await bob.ask(1)).toBe('v1: 1');
    await world.restartWorker({ project: 'account-v2-unmigrated' });
    const meanwhile = [2, 3].map((amount) => bob.ask(amount, { deadlineMs: 110_000 }));
    await expect(bob.snapshot({ timeoutMs: 20_000 })).rejects.toMatchObject({
      code: 'MigrationMissing',
      message: expect.stringContaining('migrate'),
    });
    const other = world.troupe.actor('account', 'other');
    expect(await other.ask(10)).toBe('v2: 10');

    await world.restartWorker({ project: 'account-v2-unmigrated' });
    await expect(bob.snapshot({ timeoutMs: 20_000 })).rejects.toMatchObject({ code: 'MigrationMissing' });
    const later = bob.ask(4, { deadlineMs: 110_000 });

    await world[redeploy]({ project: 'account-v2' });
    expect(await Promise.all([...meanwhile, later])).toEqual(['v2: 1+2', 'v2: 1+2+3', 'v2: 1+2+3+4']);
    expect((await bob.snapshot({ timeoutMs: 20_000 })).context).toEqual({ amounts: [1, 2, 3, 4] });
    expect(await other.ask(20, { deadlineMs })).toBe('v2: 10+20');
    const amounts = (await heard(world, 6)) as number[];
    expect(amounts.filter((amount) => amount < 10)).toEqual([1, 2, 3, 4]);
    expect(amounts.filter((amount) => amount >= 10)).toEqual([10, 20]);
  },
  180_000,
);

test('after kill -9 the new version folds what is left with the old code that it brings along', async () => {
  await using world = await World.start({ project: 'account-v1' });
  const eve = world.troupe.actor('account', 'eve');
  expect(await eve.ask(1)).toBe('v1: 1');
  await world.crashWorker({ project: 'account-v2' });
  const waiting = eve.ask(2, { deadlineMs: 110_000 });
  await expect(eve.snapshot({ timeoutMs: 20_000 })).rejects.toMatchObject({
    code: 'ActorSuspended',
    message: /previous/,
  });
  await world.crashWorker({ project: 'account-v2-previous' });
  const answer = await waiting;
  expect(['v1: 3', 'v2: 1+2']).toContain(answer);
  await eve.waitFor(({ version }) => version === 2, { timeoutMs: 40_000 });
  expect(await eve.ask(4, { deadlineMs })).toBe(answer === 'v1: 3' ? 'v2: 3+4' : 'v2: 1+2+4');
  expect(await heard(world, 3)).toEqual([1, 2, 4]);
  await world.restartWorker({ project: 'account-v2' });
  expect(await world.troupe.actor('account', 'eve').ask(5, { deadlineMs })).toMatch(/^v2: .*\+4\+5$/);
}, 180_000);

test('the same version with another machine is refused, except in development', async () => {
  await using world = await World.start({ project: 'account-v1' });
  const dan = world.troupe.actor('account', 'dan');
  expect(await dan.ask(1)).toBe('v1: 1');
  await world.restartWorker({ project: 'account-v1-changed' });
  const waiting = dan.ask(2, { deadlineMs: 110_000 });
  await expect(dan.snapshot({ timeoutMs: 20_000 })).rejects.toMatchObject({ code: 'VersionConflict' });
  await world.restartWorker({ project: 'account-v1' });
  expect(await waiting).toBe('v1: 3');
  await world.restartWorker({ project: 'account-v1-changed', args: ['--dev'] });
  expect((await dan.snapshot({ timeoutMs: 20_000 })).context).toEqual({ sum: 3 });
}, 180_000);
