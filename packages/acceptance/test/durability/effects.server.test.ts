/** What runs outside when the worker is killed. */
import { until, World } from '@troupe/acceptance/internal';
import { afterAll, beforeAll, expect, test } from 'vitest';

let world: World;
beforeAll(async () => {
  world = await World.start({ project: 'chargers' });
});
afterAll(() => world[Symbol.asyncDispose]());

test('an invoke that ran at kill -9 runs again under the same idempotency key', async () => {
  const actor = world.troupe.actor('charger', 'ann');
  const same = { taskId: 'order-1', deadlineMs: 60_000 };
  const charged = actor.ask('order-1', same);
  await until('the first call', () => world.notes('charged-order-1').length === 1);
  await world.crashWorker();
  const repeated = actor.ask('order-1', same);
  await until('the second call', () => world.notes('charged-order-1').length === 2);
  await world.crashWorker();
  const keys = await until('the third call', () => {
    const notes = world.notes('charged-order-1');
    return notes.length >= 3 && notes;
  });
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^charger\/ann@\d+\.\d+$/);
  world.write('go-order-1', 'go');
  expect(await Promise.all([charged, repeated])).toEqual(Array(2).fill(`charged under ${keys[0]}`));

  const next = actor.ask('order-2', { deadlineMs: 60_000 });
  world.write('go-order-2', 'go');
  expect(await next).not.toBe(`charged under ${keys[0]}`);
}, 120_000);

test('one marked retry: never is OutcomeUnknown after a kill, and is not called twice', async () => {
  const actor = world.troupe.actor('once-charger', 'bob');
  const charged = actor.ask('order-3', { deadlineMs: 60_000 }).catch((error: unknown) => error);
  await until('the first call', () => world.notes('charged-order-3').length === 1);
  await world.crashWorker();
  expect(await charged).toMatchObject({ code: 'OutcomeUnknown' });
  expect(world.notes('charged-order-3')).toHaveLength(1);

  world.write('go-order-4', 'go');
  expect(await actor.ask('order-4', { deadlineMs: 60_000 })).toMatch(/^charged under once-charger\/bob@/);
  expect(world.notes('charged-order-4')).toHaveLength(1);
}, 120_000);
