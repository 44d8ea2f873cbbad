/** A short form of `npm run proof -- flood`; what callers may wait is measured there, not here. */
import { expect, test } from 'vitest';
import { proveFlood } from '../../src/proofs/flood-proof.ts';

test('while one key is flooded, others of its partition are answered in order, and the flood is lost nowhere', async () => {
  const { flooded, floodedMs, violations } = await proveFlood({ rate: 2_000, seconds: 3, others: 5 });
  expect(violations).toEqual([]);
  expect(flooded).toBeGreaterThan(0);
  expect(floodedMs.length).toBeGreaterThan(0);
}, 120_000);
