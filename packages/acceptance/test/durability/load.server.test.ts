/** Exactly once, in order, under kills. `TROUPE_PROOF=full` (or `npm run proof`) is the long form. */
import { chooseSeed, proveLoad } from '@troupe/acceptance/internal';
import { expect, test } from 'vitest';

const full = process.env.TROUPE_PROOF === 'full';
const size = full
  ? { sessions: 1_000, tasksPerSession: 50, callers: 64, kills: 10, refolds: 100 }
  : { sessions: 200, tasksPerSession: 20, callers: 64, kills: 3, refolds: 20 };

test('every acknowledged task takes effect once, in order, and gets its outcome, while the worker is killed', async () => {
  const result = await proveLoad({ ...size, seed: chooseSeed(), log: (line) => process.stdout.write(`${line}\n`) });
  expect(result.violations).toEqual([]);
  expect(result.tasks).toBe(size.sessions * size.tasksPerSession);
  expect(result.kills).toBe(size.kills);
}, 600_000);
