import { RESTART_LIMITS, RestartPolicy } from '@troupe/service-worker/internal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const LIMITS = { delayMs: 100, delayMsMax: 1_000, steadyMs: 5_000, failuresMax: 5 };

/** Waits of a process that fails at once so many times. */
function waits(count: number, random: () => number): number[] {
  const policy = new RestartPolicy(LIMITS, random);
  return Array.from({ length: count }, () => policy.failed(undefined));
}

describe('starting again', () => {
  test('waits twice as long after every failure in a row, up to a bound', () => {
    expect(waits(6, () => 1)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test('waits at least half of that, spread evenly', () => {
    expect(waits(6, () => 0)).toEqual([50, 100, 200, 400, 500, 500]);
  });

  test('is hopeless after so many failures in a row, whether or not it was ready for a moment', () => {
    const policy = new RestartPolicy(LIMITS, Math.random);
    for (let n = 0; n < 4; n++) policy.failed(n % 2 === 0 ? undefined : 10);
    expect(policy.hopeless).toBe(false);
    policy.failed(4_999);
    expect(policy.hopeless).toBe(true);
  });

  test('begins anew after a process that was ready long enough', () => {
    const policy = new RestartPolicy(LIMITS, () => 1);
    for (let n = 0; n < 4; n++) policy.failed(undefined);
    expect(policy.failed(5_000)).toBe(100);
    expect({ failures: policy.failuresInRow, hopeless: policy.hopeless }).toEqual({ failures: 0, hopeless: false });
  });

  test('never waits longer than the bound, nor less than half of the first delay, whatever came before', () => {
    const end = fc.option(fc.integer({ min: 0, max: 1e7 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(end, { maxLength: 200 }), fc.double({ min: 0, max: 1, noNaN: true }), (ends, random) => {
        const policy = new RestartPolicy(RESTART_LIMITS, () => random);
        for (const readyForMs of ends) {
          const waitMs = policy.failed(readyForMs);
          expect(waitMs).toBeGreaterThanOrEqual(RESTART_LIMITS.delayMs / 2);
          expect(waitMs).toBeLessThanOrEqual(RESTART_LIMITS.delayMsMax);
        }
      }),
    );
  });
});
