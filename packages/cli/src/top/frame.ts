/** One look at a cluster, out of two samples: what is, and how much happened between. Pure. */
import type { PartitionView } from '../operator/partition-views.ts';
import type { WorkerView } from '../operator/workers.ts';

/** What was read at one moment. */
export interface Sample {
  /** Monotonic, ms. */
  readonly atMs: number;
  readonly workers: readonly WorkerView[];
  readonly partitions: readonly PartitionView[];
}

export interface Frame {
  /** RFC 3339. */
  readonly at: string;
  /** Of workers that are in both samples. */
  readonly turnsPerSecond: number;
  readonly failedPerSecond: number;
  readonly entriesPerSecond: number;
  /** Entries not yet taken, at most; of all partitions. */
  readonly lag: number;
  readonly partitions: Readonly<Record<string, number>> & { readonly total: number };
  readonly workers: readonly WorkerFrame[];
  /** Busiest first. */
  readonly types: readonly TypeFrame[];
}

export interface WorkerFrame {
  readonly id: string;
  readonly answers: boolean;
  readonly partitions: number | null;
  readonly turnsPerSecond: number | null;
  readonly lag: number;
  readonly resident: number | null;
  readonly effectsRunning: number | null;
  readonly waiting: number | null;
  readonly rssBytes: number | null;
  readonly delayP50Ms: number | null;
  readonly delayP99Ms: number | null;
}

export interface TypeFrame {
  readonly type: string;
  readonly turnsPerSecond: number;
  readonly failedPerSecond: number;
}

/** Types in a frame, at most: the busiest. */
const TYPES_MAX = 100;
const MS_PER_S = 1_000;

/**
 * What changed from `before` to `now`. A worker that is in one of them only, or was started again between, has no rate yet.
 *
 * @param at Wall clock of `now`, Unix ms.
 */
export function frameOf(before: Sample, now: Sample, at: number): Frame {
  const seconds = Math.max(1, now.atMs - before.atMs) / MS_PER_S;
  const earlier = new Map(before.workers.map((one) => [one.lease.id, one]));
  const pairs = now.workers.map((one) => [one, sameRun(earlier.get(one.lease.id), one)] as const);
  const rate = (value: number): number => Math.round((value / seconds) * 10) / 10;
  const lagOf = (id: string): number =>
    now.partitions.filter(({ owner }) => owner === id).reduce((sum, { lag }) => sum + lag, 0);
  const total = (count: (view: WorkerView) => number): number =>
    rate(pairs.reduce((sum, [one, prior]) => sum + (prior === undefined ? 0 : increase(count(one), count(prior))), 0));
  return {
    at: new Date(at).toISOString(),
    turnsPerSecond: total(turnsOf),
    failedPerSecond: total(failedOf),
    entriesPerSecond: total(({ stats }) => stats?.counters.entries ?? 0),
    lag: now.partitions.reduce((sum, { lag }) => sum + lag, 0),
    partitions: partitionCounts(now.partitions),
    workers: pairs.map(([one, prior]) =>
      workerFrame(one, prior === undefined ? null : rate(increase(turnsOf(one), turnsOf(prior))), lagOf(one.lease.id)),
    ),
    types: typeFrames(pairs, rate),
  };
}

type Pair = readonly [now: WorkerView, before: WorkerView | undefined];

/** The earlier sample of this very run, if both answered. */
function sameRun(before: WorkerView | undefined, now: WorkerView): WorkerView | undefined {
  if (before?.stats === undefined || now.stats === undefined) return undefined;
  return before.lease.startedAt === now.lease.startedAt ? before : undefined;
}

function increase(now: number, before: number): number {
  return Math.max(0, now - before);
}

function turnsOf({ stats }: WorkerView): number {
  return Object.values(stats?.turnsByType ?? {}).reduce((sum, { turns }) => sum + turns, 0);
}

function failedOf({ stats }: WorkerView): number {
  return Object.values(stats?.turnsByType ?? {}).reduce((sum, { failed }) => sum + failed, 0);
}

function partitionCounts(partitions: readonly PartitionView[]): Frame['partitions'] {
  const counts: Record<string, number> = {};
  for (const { state } of partitions) counts[state] = (counts[state] ?? 0) + 1;
  return { ...counts, total: partitions.length };
}

function workerFrame({ lease, stats }: WorkerView, turnsPerSecond: number | null, lag: number): WorkerFrame {
  const { rssBytes, loopDelay } = stats?.about ?? {};
  return {
    id: lease.id,
    answers: stats !== undefined,
    partitions: stats?.partitions.length ?? null,
    turnsPerSecond,
    lag,
    resident: stats?.resident ?? null,
    effectsRunning: stats?.effectsRunning ?? null,
    waiting: stats?.mailbox?.waiting ?? null,
    rssBytes: rssBytes ?? null,
    delayP50Ms: loopDelay?.p50Ms ?? null,
    delayP99Ms: loopDelay?.p99Ms ?? null,
  };
}

function typeFrames(pairs: readonly Pair[], rate: (value: number) => number): TypeFrame[] {
  const sums = new Map<string, { turns: number; failed: number }>();
  for (const [{ stats }, prior] of pairs)
    for (const [type, { turns, failed }] of Object.entries(stats?.turnsByType ?? {})) {
      const sum = sums.get(type) ?? { turns: 0, failed: 0 };
      sums.set(type, sum);
      if (prior === undefined) continue;
      // A type without a figure yet had none when it was looked at before.
      const was = prior.stats?.turnsByType[type] ?? { turns: 0, failed: 0 };
      sum.turns += increase(turns, was.turns);
      sum.failed += increase(failed, was.failed);
    }
  return [...sums]
    .map(([type, { turns, failed }]) => ({ type, turnsPerSecond: rate(turns), failedPerSecond: rate(failed) }))
    .sort((a, b) => b.turnsPerSecond - a.turnsPerSecond || (a.type < b.type ? -1 : 1))
    .slice(0, TYPES_MAX);
}
