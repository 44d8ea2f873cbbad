/** Tasks that were accepted while nobody worked. */
import { until, World } from '@troupe/acceptance/internal';
import { expect, test } from 'vitest';

const TASKS = 20_000;
const SESSIONS = 500;
const DEADLINE_MS = 280_000;

test('20,000 tasks published with no worker running are all answered once one starts', async () => {
  await using world = await World.start({ project: 'load', partitions: 64, idle: true, inFlightMax: TASKS });
  const asking = Array.from({ length: TASKS }, (_, n) =>
    world.troupe.actor('ledger', `session-${n % SESSIONS}`).ask(Math.floor(n / SESSIONS), { deadlineMs: DEADLINE_MS }),
  );
  const outcomes = Promise.all(asking);
  outcomes.catch(() => undefined);
  await until('all tasks to be stored', async () => (await world.journalLength()) >= TASKS, 60_000);
  await world.startWorker();
  expect(await outcomes).toEqual(Array.from({ length: TASKS }, (_, n) => Math.floor(n / SESSIONS) + 1));
  const order = Array.from({ length: TASKS / SESSIONS }, (_, n) => n);
  for (let session = 0; session < SESSIONS; session += 50) {
    const { context } = await world.troupe.actor('ledger', `session-${session}`).snapshot({ timeoutMs: 20_000 });
    expect(context).toEqual({ count: order.length, seen: order });
  }
}, 300_000);
