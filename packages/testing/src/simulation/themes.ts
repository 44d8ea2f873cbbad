/**
 * Worlds in which one kind of trouble is frequent. Some guards matter only when several rare things come together within a second;
 * among usual seeds one in a thousand shows it. A theme changes what a seed plans, never how the world judges.
 *
 * Invariants
 * 1. A plan without a theme is what it was: themes draw from a source of their own.
 */
import { between, type Random, seededRandom } from '../durable/random.ts';
import type { Plan, PlannedFault, PlannedTask } from './plan.ts';

interface Theme {
  readonly what: string;
  readonly change: (plan: Plan, random: Random) => Plan;
}

export const THEMES = {
  'slow-loads': {
    what: 'snapshots take seconds to read, processes end one after the other, timers become durable late',
    change: slowLoads,
  },
  stalls: {
    what: 'consumers stall for so long that another owner takes over and purges what was not read',
    change: stalls,
  },
  'slow-records': {
    what: 'the same, and reads of records take seconds',
    change: (plan, random) => withNoise(stalls(plan, random), { slowRecords: 0.5 }),
  },
} as const satisfies Record<string, Theme>;

export type ThemeName = keyof typeof THEMES;

export function isTheme(name: string): name is ThemeName {
  return Object.hasOwn(THEMES, name);
}

/** The plan as this theme would have it. */
export function themed(plan: Plan, name: ThemeName): Plan {
  return THEMES[name].change(plan, seededRandom(Math.imul(plan.seed, 2_246_822_519) ^ 0x7eee));
}

function withNoise(plan: Plan, noise: Partial<Plan['noise']>): Plan {
  return { ...plan, noise: { ...plan.noise, ...noise } };
}

function slowLoads(plan: Plan, random: Random): Plan {
  const faults: PlannedFault[] = [];
  for (let atMs = 2_000; atMs < 46_000; atMs += between(random, 1_500, 5_500)) {
    const worker = between(random, 0, plan.workers - 1);
    faults.push({ kind: 'crash', atMs, worker, downMs: between(random, 200, 3_000) });
  }
  // Whoever has a reminder is left alone: no later task wakes it.
  const tasks = plan.tasks.map(
    (task): PlannedTask => ({ ...task, operations: [['remind', between(random, 1_500, 9_000)]] }),
  );
  return {
    ...plan,
    tight: true,
    snapshotEntries: 1,
    entriesMin: 0,
    faults,
    tasks,
    noise: { ...plan.noise, lost: 0, answersLost: 0, slow: 0, busy: 0, slowLoads: 0.4 },
    worker: { tickDurableAfterMs: 4_000, checkpointEveryMs: 150 },
  };
}

function stalls(plan: Plan, random: Random): Plan {
  const faults: PlannedFault[] = [];
  for (let atMs = 1_500; atMs < 20_000; atMs += between(random, 1_500, 6_000)) {
    const worker = between(random, 0, plan.workers - 1);
    const ms = between(random, 23_000, 34_000);
    // Late, so that it hardly has time to learn of it; or in the middle, so that it reads without owning.
    const disownAfterMs = random() < 0.5 ? ms - between(random, 300, 5_000) : between(random, 2_000, 12_000);
    faults.push({ kind: 'stall', atMs, worker, ms, disownAfterMs });
    const other = (worker + between(random, 1, plan.workers - 1)) % plan.workers;
    if (random() < 0.6)
      faults.push({
        kind: 'crash',
        atMs: atMs + between(random, 0, 3_000),
        worker: other,
        downMs: between(random, 200, 8_000),
      });
  }
  return {
    ...plan,
    tight: true,
    snapshotEntries: 1,
    entriesMin: 900,
    faults: faults.sort((a, b) => a.atMs - b.atMs),
    noise: { ...plan.noise, lost: 0, answersLost: 0, slow: 0, busy: 0 },
  };
}
