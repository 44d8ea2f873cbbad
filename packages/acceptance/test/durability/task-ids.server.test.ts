/** A task id names one task of one actor, for a day, through every restart. */
import { World } from '@troupe/acceptance/internal';
import { expect, test } from 'vitest';

test('the same id takes effect once per actor, with the same outcome after restarts of worker and server', async () => {
  await using world = await World.start({ project: 'talkers' });
  const ann = world.troupe.actor('ledger', 'ann');
  const bob = world.troupe.actor('ledger', 'bob');
  const same = { taskId: 'the-same', deadlineMs: 50_000 };

  expect(await ann.ask(1)).toBe(1);
  expect(await ann.ask(7, same)).toBe(2);
  expect(await bob.ask(7, same)).toBe(1);
  expect(await ann.ask(9)).toBe(3);

  const repeats = async (): Promise<void> => {
    expect(await ann.ask(7, same)).toBe(2);
    expect(await bob.ask(7, same)).toBe(1);
    await expect(ann.ask(8, same)).rejects.toMatchObject({ code: 'TaskIdConflict' });
    expect((await ann.snapshot({ timeoutMs: 20_000 })).context).toEqual({ count: 3, seen: [1, 7, 9] });
    expect((await bob.snapshot({ timeoutMs: 20_000 })).context).toEqual({ count: 1, seen: [7] });
  };
  await repeats();
  await world.restartWorker();
  await repeats();
  await world.crashWorker();
  await repeats();
  await world.crashServer();
  await repeats();
}, 120_000);
