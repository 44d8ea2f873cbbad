/**
 * The figures of a cluster, from what its workers and partitions tell. Whoever serves `/metrics` fills a registry with them;
 * the names stand in docs/reference/metrics.md, which a test compares.
 *
 * Invariants
 * 1. Every metric here is made when the registry is: one that has no value yet is known by name, so that dashboards and alerts
 *    can be checked against it.
 * 2. Gauges are collected anew each time: a worker that has gone leaves no series behind. Totals are each worker's own since
 *    it started; a new worker has a new id, so that `rate()` sees no fall.
 */
import type { Counter, Gauge, Labels, MetricOptions, MetricsRegistry } from './registry.ts';

/** A worker as it told of itself, read from the answer to `control.stats`. */
export interface WorkerFigures {
  readonly id: string;
  /** False: it holds a lease and did not answer. */
  readonly answers: boolean;
  readonly stats?: Readonly<Record<string, unknown>> | undefined;
}

/** A partition as stored, with what its owner told of it. */
export interface PartitionFigures {
  readonly partition: number;
  readonly ownerAlive: boolean;
  readonly epoch: number;
  /** Sequence of its last entry. */
  readonly head: number;
  /** Last sequence that its owner has taken; absent when it didn't tell. */
  readonly position?: number;
  readonly mark: number;
  /** Inputs with effects that wait for fresh ownership. */
  readonly held?: number;
}

/** What a worker tells of one kind of effect, as `EffectFigure` of the runtime. */
interface EffectFigures {
  readonly type: string;
  readonly src: string;
  readonly started: number;
  readonly retried: number;
  readonly ended: number;
  readonly failed: number;
  readonly seconds: number;
  readonly buckets: readonly number[];
}

type Figures = Readonly<Record<string, unknown>>;

const WORKER = ['worker'];
const OF_TYPE = ['worker', 'type'];
const OF_EFFECT = ['worker', 'type', 'src'];
const OF_PARTITION = ['partition'];
const EFFECT_SERIES_MAX = 5_000;
const S_PER_MS = 1e-3;

/** A gauge of the worker, with the way to its value in the answer. */
const GAUGES: readonly (readonly [name: string, help: string, path: readonly string[], factor?: number])[] = [
  ['partitions_live', 'Partitions that it has read up to their head.', ['live']],
  ['actors_resident', 'Actors in memory.', ['resident']],
  ['actors_resident_bytes', 'What the actors in memory take, by estimate.', ['residentBytes']],
  ['effects_running', 'Effects that run now.', ['effectsRunning']],
  ['outbox_waiting', 'Messages to other actors that wait for their acknowledgement.', ['outboxWaiting']],
  ['lease_fresh', '1 while its lease is young enough to start effects, else 0.', ['fresh']],
  ['draining', '1 while it gives everything back.', ['draining']],
  ['mailbox_waiting', 'Inputs that wait behind open turns, of all actors in memory.', ['mailbox', 'waiting']],
  ['mailbox_deepest', 'Inputs that wait at the actor with the most.', ['mailbox', 'deepest']],
  ['actors_suspended', 'Actors in memory that no code here can go on with; their inputs are parked.', ['suspended']],
  ['entries_quarantined', 'Entries of its partitions that were set aside because they ended workers.', ['quarantined']],
  [
    'watchers',
    'Who watches its actors now: inspectors, and what subscribes to observations.',
    ['observer', 'watchers'],
  ],
  ['memory_resident_bytes', 'Memory of its process.', ['about', 'rssBytes']],
  ['memory_heap_used_bytes', 'Heap in use in its process.', ['about', 'heapUsedBytes']],
  ['uptime_seconds', 'Since its process started.', ['about', 'uptimeMs'], S_PER_MS],
];

/** Quantiles of the event loop's delay, as told. */
const DELAYS = { '0.5': 'p50Ms', '0.99': 'p99Ms', '1': 'maxMs' };

/** A total of the worker. */
const TOTALS: readonly (readonly [name: string, help: string, path: readonly string[]])[] = [
  ['entries_total', 'Entries taken from the journal.', ['counters', 'entries']],
  ['dead_letters_total', 'Entries that could not be applied.', ['counters', 'deadLetters']],
  ['snapshots_total', 'Snapshots begun to be stored.', ['counters', 'snapshots']],
  ['checkpoints_total', 'Checkpoints of partitions stored.', ['counters', 'checkpoints']],
  ['claims_total', 'Partitions claimed.', ['counters', 'claims']],
  [
    'takeovers_total',
    'Partitions claimed that another worker had owned before, dead or alive.',
    ['counters', 'takeovers'],
  ],
  ['wakes_total', 'Actors loaded into memory.', ['counters', 'wakes']],
  ['repeats_total', 'Outcomes told again to callers that asked again.', ['counters', 'repeats']],
  ['progress_told_total', 'Chunks of progress() published.', ['progress', 'published']],
  ['progress_dropped_total', 'Chunks of progress() left out because there were too many.', ['progress', 'dropped']],
  ['observations_total', 'Observations published for watchers.', ['observer', 'observed']],
  ['observations_dropped_total', 'Observations left out, so that watching delays no work.', ['observer', 'dropped']],
];

/**
 * Makes every metric of a cluster.
 *
 * @returns how to bring them up to date.
 * @throws TroupeError `ConfigInvalid` when a name stands for something else in that registry.
 * @example
 * const cluster = clusterMetrics(registry);
 * registry.collect(async () => cluster.update(await readWorkers(), await readPartitions()));
 */
export function clusterMetrics(registry: MetricsRegistry): {
  update(workers: readonly WorkerFigures[], partitions: readonly PartitionFigures[]): void;
} {
  const all: { clear(): void }[] = [];
  const kept = <M extends { clear(): void }>(metric: M): M => {
    all.push(metric);
    return metric;
  };
  const gauge = (name: string, help: string, labels = WORKER): Gauge => kept(registry.gauge({ name, help, labels }));
  const counter = (name: string, help: string, labels = WORKER, more: Partial<MetricOptions> = {}): Counter =>
    kept(registry.counter({ name, help, labels, ...more }));
  const up = gauge('troupe_worker_up', '1 for a worker that answers, 0 for one whose lease runs though it does not.');
  const partitionsOf = gauge('troupe_worker_partitions', 'Partitions it owns.');
  const events = counter(
    'troupe_worker_events_total',
    'What a worker has counted since it started, by kind: entries, turns, deadLetters, snapshots, wakes, repeats, claims, takeovers, checkpoints, progress told and dropped.',
    ['worker', 'kind'],
  );
  const gauges = GAUGES.map(([name, help, path, factor = 1]) => ({
    path,
    factor,
    metric: gauge(`troupe_worker_${name}`, help),
  }));
  const totals = TOTALS.map(([name, help, path]) => ({ path, metric: counter(`troupe_worker_${name}`, help) }));
  const delay = gauge(
    'troupe_worker_event_loop_delay_seconds',
    'How late timers were in the last ten seconds: the median, the 99th percentile, and the most (1).',
    ['worker', 'quantile'],
  );
  const turns = {
    ended: counter('troupe_turns_total', 'Turns ended.', OF_TYPE),
    failed: counter('troupe_turns_failed_total', 'Turns that ended with an error.', OF_TYPE),
    seconds: kept(
      registry.histogram({
        name: 'troupe_turn_seconds',
        help: "Time of turns by the journal's clock: from the entry that opened one to the entry that ended it.",
        labels: OF_TYPE,
      }),
    ),
  };
  const many = { seriesMax: EFFECT_SERIES_MAX };
  const effects = {
    started: counter(
      'troupe_effects_started_total',
      'Effects begun, each once however often it was tried.',
      OF_EFFECT,
      many,
    ),
    retried: counter('troupe_effects_retried_total', 'Tries of effects after the first.', OF_EFFECT, many),
    failed: counter(
      'troupe_effects_failed_total',
      'Effects that ended with an error, after their last try.',
      OF_EFFECT,
      many,
    ),
    seconds: kept(
      registry.histogram({
        name: 'troupe_effect_seconds',
        help: 'Time from the first start of an effect to its end, retries included.',
        labels: OF_EFFECT,
        ...many,
      }),
    ),
  };
  const partition = {
    owned: gauge('troupe_partition_owned', '1 while its owner has a lease, else 0.', OF_PARTITION),
    lag: gauge(
      'troupe_partition_lag',
      'Entries that its owner has not taken yet, at most; without an owner that tells, those above the mark.',
      OF_PARTITION,
    ),
    held: gauge('troupe_partition_held', 'Inputs with effects that wait for fresh ownership.', OF_PARTITION),
    epoch: gauge('troupe_partition_epoch', 'How often it was claimed.', OF_PARTITION),
    uncovered: gauge(
      'troupe_partition_uncovered',
      'Entries that a new owner would have to read, at most.',
      OF_PARTITION,
    ),
  };

  const updateWorker = ({ id, answers, stats = {} }: WorkerFigures): void => {
    const at = { worker: id };
    up.set(answers ? 1 : 0, at);
    for (const { path, factor, metric } of gauges) metric.set(numberAt(stats, path) * factor, at);
    for (const { path, metric } of totals) metric.mirror(numberAt(stats, path), at);
    partitionsOf.set(Array.isArray(stats.partitions) ? stats.partitions.length : Number.NaN, at);
    for (const [quantile, name] of Object.entries(DELAYS))
      delay.set(numberAt(stats, ['about', 'loopDelay', name]) * S_PER_MS, { ...at, quantile });
    updateEvents(stats, at);
    for (const [type, figures] of Object.entries((stats.turnsByType ?? {}) as Record<string, Figures>)) {
      turns.ended.mirror(numberAt(figures, ['turns']), { ...at, type });
      turns.failed.mirror(numberAt(figures, ['failed']), { ...at, type });
      // A worker of before tells none.
      if (Array.isArray(figures.buckets))
        turns.seconds.mirror(figures.buckets, numberAt(figures, ['seconds']), { ...at, type });
    }
    for (const one of (stats.effects ?? []) as readonly EffectFigures[]) {
      const labels = { ...at, type: one.type, src: one.src };
      effects.started.mirror(one.started, labels);
      effects.retried.mirror(one.retried, labels);
      effects.failed.mirror(one.failed, labels);
      effects.seconds.mirror(one.buckets, one.seconds, labels);
    }
  };
  const updateEvents = (stats: Figures, at: Labels): void => {
    const counted: Figures = {
      ...(stats.counters as object),
      progressTold: numberAt(stats, ['progress', 'published']),
      progressDropped: numberAt(stats, ['progress', 'dropped']),
    };
    for (const [kind, count] of Object.entries(counted))
      if (typeof count === 'number') events.mirror(count, { ...at, kind });
  };
  const updatePartition = (one: PartitionFigures): void => {
    const at = { partition: String(one.partition) };
    partition.owned.set(one.ownerAlive ? 1 : 0, at);
    partition.lag.set(Math.max(0, one.head - (one.position ?? one.mark - 1)), at);
    partition.uncovered.set(Math.max(0, one.head - one.mark + 1), at);
    partition.epoch.set(one.epoch, at);
    partition.held.set(one.held ?? 0, at);
  };
  return {
    update: (workers, partitions) => {
      for (const metric of all) metric.clear();
      for (const one of workers) updateWorker(one);
      for (const one of partitions) updatePartition(one);
    },
  };
}

/** NaN, which a metric drops, when there is none. */
function numberAt(figures: Figures, path: readonly string[]): number {
  let value: unknown = figures;
  for (const name of path) value = (value as Figures | undefined)?.[name];
  return typeof value === 'boolean' ? Number(value) : typeof value === 'number' ? value : Number.NaN;
}
