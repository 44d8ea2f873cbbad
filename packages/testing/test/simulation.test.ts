/** The simulation: that it repeats exactly, that the protocol holds, and that each of its guards is missed. */
import { GUARDS, planOf, runWorld, shrinkPlan, simulate, THEMES, type ThemeName } from '@troupe/testing/internal';
import { describe, expect, test } from 'vitest';
import { PINNED } from './guard-seeds.ts';

/** Seeds of the full protocol that run with the tests; `npm run simulate -- --seeds 10000` is the long form. */
const SEEDS = 160;
const PARTS = 4;
/** Of each theme. */
const THEMED_SEEDS = 12;
/** Seeds that are tried when the pinned one breaks nothing any more. */
const SEARCHED = 200;
const TIMEOUT_MS = 180_000;

describe('a simulated world', () => {
  test('runs in the same way every time', { timeout: TIMEOUT_MS }, async () => {
    const first = await runWorld(planOf(11));
    const second = await runWorld(planOf(11));
    expect(second.digest).toBe(first.digest);
    expect(second.counts).toEqual(first.counts);
    expect((await runWorld(planOf(12))).digest).not.toBe(first.digest);
  });

  test('is what was asked for: three workers, five faults and two hundred entries at least', {
    timeout: TIMEOUT_MS,
  }, async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const plan = planOf(seed);
      expect(plan.workers).toBeGreaterThanOrEqual(3);
      expect(plan.faults.length).toBeGreaterThanOrEqual(5);
    }
    expect((await runWorld(planOf(1))).counts.entries).toBeGreaterThanOrEqual(200);
  });
});

describe('the protocol under faults', () => {
  test.each(Array.from({ length: PARTS }, (_, at) => 1 + at * (SEEDS / PARTS)))(
    'holds every invariant, from seed %i on',
    { timeout: TIMEOUT_MS },
    async (from) => {
      const { failing, entriesMin } = await simulate({ from, seeds: SEEDS / PARTS });
      expect(failing.map(({ seed, violations, log }) => ({ seed, violations, log }))).toEqual([]);
      expect(entriesMin).toBeGreaterThanOrEqual(200);
    },
  );
});

/** Seeds at which the full protocol once broke, with what was missing. */
const MENDED = [
  { seed: 1032, what: 'a checkpoint read after a later owner had written it is not claimed with the older epoch' },
];

describe('the protocol where it once broke', () => {
  test.each(MENDED)('seed $seed: $what', { timeout: TIMEOUT_MS }, async ({ seed }) => {
    expect((await runWorld(planOf(seed))).violations).toEqual([]);
  });
});

describe('the protocol where one kind of trouble is frequent', () => {
  test.each(Object.keys(THEMES) as ThemeName[])('holds every invariant: %s', { timeout: TIMEOUT_MS }, async (theme) => {
    const { failing } = await simulate({ seeds: THEMED_SEEDS, theme });
    expect(failing.map(({ seed, violations, log }) => ({ seed, violations, log }))).toEqual([]);
  });
});

describe('a guard that is off is missed', () => {
  test('and each has its seed', () => {
    // R14 is no matter of safety.
    expect(PINNED.map(({ guard }) => guard).sort()).toEqual(
      Object.keys(GUARDS)
        .filter((name) => name !== 'R14')
        .sort(),
    );
  });

  test.each(PINNED)(
    '$guard, as in seed $seed: $kind',
    { timeout: TIMEOUT_MS },
    async ({ guard, seed, theme, kind }) => {
      const { violations } = await runWorld(planOf(seed, theme), { without: [guard] });
      if (violations.some((one) => one.kind === kind)) {
        expect((await runWorld(planOf(seed, theme))).violations).toEqual([]);
        return;
      }
      const { failing } = await simulate({ seeds: SEARCHED, theme, without: [guard], stopAtFirst: true });
      expect(failing.length, `no seed up to ${SEARCHED} fails without ${guard}: pin another one`).toBe(1);
      expect((await runWorld(planOf(failing[0]!.seed, theme))).violations).toEqual([]);
    },
  );

  test('R14: without catching up more calls are repeated', { timeout: TIMEOUT_MS }, async () => {
    const range = { from: 29, seeds: 14 };
    const full = await simulate(range);
    const off = await simulate({ ...range, without: ['R14'] });
    expect(off.failing).toEqual([]);
    expect(off.totals.needlessCalls ?? 0).toBeGreaterThan(full.totals.needlessCalls ?? 0);
    expect(off.totals.repeatedCalls ?? 0).toBeGreaterThan(full.totals.repeatedCalls ?? 0);
  });
});

describe('a failing seed', () => {
  test('is cut down to a shorter plan that fails in the same way', { timeout: TIMEOUT_MS }, async () => {
    const plan = planOf(1);
    const [first] = (await runWorld(plan, { without: ['R11'] })).violations;
    const shortest = await shrinkPlan(plan, { without: ['R11'], kind: first!.kind, triesMax: 60 });
    expect(shortest.tasks.length).toBeLessThan(plan.tasks.length / 2);
    const again = await runWorld(shortest, { without: ['R11'] });
    expect(again.violations.map(({ kind }) => kind)).toContain(first!.kind);
  });
});
