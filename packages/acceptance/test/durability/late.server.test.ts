/** What comes late answers nobody else; what was due is not overtaken. */
import { setTimeout as sleep } from 'node:timers/promises';
import { until, World } from '@troupe/acceptance/internal';
import { afterAll, beforeAll, expect, test } from 'vitest';

let world: World;
beforeAll(async () => {
  world = await World.start({ project: 'clocked' });
});
afterAll(() => world[Symbol.asyncDispose]());

test.each([
  ['the worker lives on', 'alive', false],
  ['the worker is killed in between', 'killed', true],
])(
  'a late outcome of a turn that has ended never answers the next caller: %s',
  async (_what, key, crash) => {
    const actor = world.troupe.actor('hasty', key);
    const first = actor.ask('first', { deadlineMs: 50_000 });
    await until('the first work to start', () => world.notes(`started-${key}-first`).length > 0);
    await actor.signal({ type: 'hurry' });
    expect(await first).toBe('early');

    let answered: unknown;
    const second = actor.ask('second', { deadlineMs: 50_000 }).then((answer) => {
      answered = answer;
      return answer;
    });
    await until('the second work to start', () => world.notes(`started-${key}-second`).length > 0);
    if (crash) await world.crashWorker();
    world.write(`go-${key}-first`, 'go');
    await actor.waitFor(({ context }) => (context as { done: string[] }).done.includes('first'), { timeoutMs: 40_000 });
    expect(answered).toBeUndefined();
    world.write(`go-${key}-second`, 'go');
    expect(await second).toBe('the answer of the second');
    expect((await actor.snapshot({ timeoutMs: 20_000 })).context).toMatchObject({ done: ['first', 'second'] });
  },
  120_000,
);

test('a task never overtakes a timer that was due before it, with the worker dead for longer than the delay', async () => {
  const actor = world.troupe.actor('clocked', 'one');
  expect(await actor.ask({ type: 'wait' })).toBe('waiting');
  await world.worker.kill();
  const early = actor.ask('before it is due', { deadlineMs: 50_000 });
  await sleep(3_500);
  const late = actor.ask('after it was due', { deadlineMs: 50_000 });
  await sleep(200);
  await world.startWorker();
  expect(await early).toBe('0 at "waiting"');
  expect(await late).toBe('late, fired 1');
}, 120_000);

test('a turn whose deadline passed while the worker was dead fails, and the task behind it gets its own answer', async () => {
  const actor = world.troupe.actor('hasty', 'expired');
  const taskId = 'expired';
  const expired = actor.ask('first', { taskId, deadlineMs: 3_000 }).catch((error: unknown) => error);
  await until('the work to start', () => world.notes('started-expired-first').length === 1);
  await world.worker.kill();
  const behind = actor.ask('first', { deadlineMs: 60_000 });
  expect(await expired).toMatchObject({ code: expect.stringMatching(/^(Timeout|DeadlineExceeded)$/) });
  await sleep(1_000);
  await world.startWorker();
  const ended = await until('the first outcome', async () => {
    const outcome = await actor.outcome(taskId);
    return outcome.status === 'ended' && outcome;
  });
  expect(ended).toMatchObject({ ok: false, error: { code: 'DeadlineExceeded' } });
  world.write('go-expired-first', 'go');
  expect(await behind).toBe('the late answer of the first');
  expect((await actor.snapshot({ timeoutMs: 20_000 })).context).toMatchObject({ done: ['first'] });
}, 120_000);
