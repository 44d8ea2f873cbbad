/** Many seeds, one after the other, and what they add up to. */
import { planOf } from './plan.ts';
import type { GuardName } from './switches.ts';
import type { ThemeName } from './themes.ts';
import { runWorld, type WorldReport } from './world.ts';

export interface SimulateOptions {
  /** First seed. Default 1. */
  readonly from?: number;
  /** How many seeds. */
  readonly seeds: number;
  /** Guards that are off. */
  readonly without?: readonly GuardName[];
  /** What is frequent in these worlds. Default: nothing in particular. */
  readonly theme?: ThemeName | undefined;
  /** Ends at the first seed that fails. Default false. */
  readonly stopAtFirst?: boolean;
  /** Called after every seed. */
  readonly onSeed?: (report: WorldReport) => void;
}

export interface SimulateSummary {
  readonly seeds: number;
  readonly failing: readonly WorldReport[];
  /** Everything counted, over all seeds. */
  readonly totals: Readonly<Record<string, number>>;
  /** Fewest entries of a seed. */
  readonly entriesMin: number;
  readonly seconds: number;
  /** Time of the processor that it took, s. */
  readonly cpuSeconds: number;
}

/** Failing reports that are kept. */
const FAILING_MAX = 100;

/**
 * Runs seeds and says which of them broke an invariant.
 *
 * @example const { failing } = await simulate({ seeds: 100 });
 */
export async function simulate(options: SimulateOptions): Promise<SimulateSummary> {
  const { from = 1, without = [], stopAtFirst = false } = options;
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  const totals: Record<string, number> = {};
  const failing: WorldReport[] = [];
  let entriesMin = Number.POSITIVE_INFINITY;
  let seeds = 0;
  for (let seed = from; seed < from + options.seeds; seed++) {
    const report = await runWorld(planOf(seed, options.theme), { without });
    seeds++;
    for (const [name, count] of Object.entries(report.counts)) totals[name] = (totals[name] ?? 0) + count;
    options.onSeed?.(report);
    if (report.violations.length === 0) {
      entriesMin = Math.min(entriesMin, report.counts.entries!);
      continue;
    }
    if (failing.length < FAILING_MAX) failing.push(report);
    if (stopAtFirst) break;
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    seeds,
    failing,
    totals,
    entriesMin,
    seconds: (performance.now() - startedMs) / 1_000,
    cpuSeconds: (user + system) / 1e6,
  };
}
