/** A short form of `npm run proof -- soak`; memory and waits over time are measured there, not here. */
import { expect, test } from 'vitest';
import { proveSoak } from '../../src/proofs/soak-proof.ts';

test('under mixed load every task counts once, in order, and no file stays open', async () => {
  const { tasks, samples, growth, violations } = await proveSoak({
    actors: 2_000,
    active: 200,
    callers: 16,
    seconds: 10,
    every: 1,
    seed: 7,
  });
  expect(violations).toEqual([]);
  expect(tasks).toBeGreaterThan(2_000);
  expect(samples.length).toBe(10);
  expect(growth.files).toBeLessThanOrEqual(8);
}, 120_000);
