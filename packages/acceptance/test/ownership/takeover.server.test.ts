/** Several workers, one of which ends, again and again. `npm run proof -- takeover` is the long form, with its figures. */
import { chooseSeed, proveTakeover } from '@troupe/acceptance/internal';
import { expect, test } from 'vitest';

test('ten workers killed, stopped and frozen under load lose and double nothing, and repeat no call that may not be', async () => {
  const lines: string[] = [];
  const { tasks, calls, violations } = await proveTakeover({
    events: 10,
    workers: 3,
    callers: 24,
    freezeEvery: 10,
    freezeMs: 20_000,
    seed: chooseSeed(),
    log: (line) => lines.push(line),
  });
  expect(violations, lines.join('\n')).toEqual([]);
  expect(tasks).toBeGreaterThan(100);
  expect(calls).toBeGreaterThan(10);
}, 400_000);
