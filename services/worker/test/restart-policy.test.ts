import { RESTART_LIMITS, RestartPolicy } from '@troupe/service-worker/internal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const LIMITS = { delayMs: 100, delayMsMax: 1_000, steadyMs: 5_000, failuresMax: 5 };

const AT_START = { worked: false, readyForMs: undefined };

/** Waits of a process that fails at its start so many times. */
function waits(count: number, random: () => number): number[] {
  const policy = new RestartPolicy(LIMITS, random);
  return Array.from({ length: count }, () => policy.failed(AT_START));
}

describe('starting again', () => {
  test('waits twice as long after every failure in a row, up to a bound', () => {
    expect(waits(6, () => 1)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test('waits at least half of that, spread evenly', () => {
    expect(waits(6, () => 0)).toEqual([50, 100, 200, 400, 500, 500]);
  });

  test('is hopeless after so many starts that failed in a row', () => {
    const policy = new RestartPolicy(LIMITS, Math.random);
    for (let n = 0; n < 4; n++) policy.failed(AT_START);
    expect(policy.hopeless).toBe(false);
    policy.failed(AT_START);
    expect(policy.hopeless).toBe(true);
  });

  test('is never hopeless for one that worked before it crashed, only slower each time', () => {
    const policy = new RestartPolicy(LIMITS, () => 1);
    for (let n = 0; n < 4; n++) policy.failed(AT_START);
    const crash = { worked: true, readyForMs: 10 };
    expect(Array.from({ length: 9 }, () => policy.failed(crash)).at(-1)).toBe(1_000);
    expect({ hopeless: policy.hopeless, failures: policy.failuresInRow }).toEqual({ hopeless: false, failures: 13 });
  });

  test('begins anew after a process that was ready long enough', () => {
    const policy = new RestartPolicy(LIMITS, () => 1);
    for (let n = 0; n < 4; n++) policy.failed(AT_START);
    expect(policy.failed({ worked: true, readyForMs: 5_000 })).toBe(100);
    expect({ failures: policy.failuresInRow, hopeless: policy.hopeless }).toEqual({ failures: 0, hopeless: false });
  });

  test('never waits longer than the bound, nor less than half of the first delay, whatever came before', () => {
    const end = fc.option(fc.integer({ min: 0, max: 1e7 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(end, { maxLength: 200 }), fc.double({ min: 0, max: 1, noNaN: true }), (ends, random) => {
        const policy = new RestartPolicy(RESTART_LIMITS, () => random);
        for (const readyForMs of ends) {
          const waitMs = policy.failed({ worked: readyForMs !== undefined, readyForMs });
          expect(waitMs).toBeGreaterThanOrEqual(RESTART_LIMITS.delayMs / 2);
          expect(waitMs).toBeLessThanOrEqual(RESTART_LIMITS.delayMsMax);
        }
      }),
    );
  });
});
