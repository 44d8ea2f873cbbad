/** Figures of the gateway itself, and those of the workers as they tell them. */
import type { Counter, Gauge, Histogram, MetricsRegistry } from '@troupe/diagnostics';
import { type ClusterSource, readWorkers } from './cluster-view.ts';

/** Workers are asked again only after so long, however often somebody scrapes, ms. */
const WORKERS_FRESH_MS = 2_000;

/** What is counted while requests are handled. */
export interface GatewayMetrics {
  readonly requests: Counter;
  readonly seconds: Histogram;
  readonly refused: Counter;
  readonly droppedEvents: Counter;
  readonly open: Gauge;
}

export function createGatewayMetrics(registry: MetricsRegistry): GatewayMetrics {
  return {
    requests: registry.counter({
      name: 'troupe_gateway_requests_total',
      help: 'Requests answered, by route and status.',
      labels: ['route', 'method', 'status'],
    }),
    seconds: registry.histogram({
      name: 'troupe_gateway_request_seconds',
      help: 'Time until the answer was complete, without event streams.',
      labels: ['route'],
    }),
    refused: registry.counter({
      name: 'troupe_gateway_refused_total',
      help: 'Requests refused before they reached a route, by code.',
      labels: ['code'],
    }),
    droppedEvents: registry.counter({
      name: 'troupe_gateway_events_dropped_total',
      help: 'Events left out because their reader was slow.',
    }),
    open: registry.gauge({
      name: 'troupe_gateway_open',
      help: 'What is open now: connections, event streams, WebSockets.',
      labels: ['what'],
    }),
  };
}

/** Adds the workers' figures, asked for when the text is made. */
export function collectWorkers(registry: MetricsRegistry, source: ClusterSource, nowMs: () => number): void {
  const worker = (name: string, help: string): Gauge =>
    registry.gauge({ name: `troupe_worker_${name}`, help, labels: ['worker'] });
  const gauges = {
    up: worker('up', '1 for a worker that answers, 0 for one whose lease runs though it does not.'),
    partitions: worker('partitions', 'Partitions it owns.'),
    live: worker('partitions_live', 'Partitions that it has read up to their head.'),
    resident: worker('actors_resident', 'Actors in memory.'),
    effectsRunning: worker('effects_running', 'Effects that run now.'),
    outboxWaiting: worker('outbox_waiting', 'Messages to other actors that wait for their acknowledgement.'),
  };
  const totals = registry.counter({
    name: 'troupe_worker_events_total',
    help: 'What a worker has counted since it started, by kind: entries, turns, deadLetters, snapshots, wakes, repeats, progress told and dropped.',
    labels: ['worker', 'kind'],
  });
  let readAtMs = Number.NEGATIVE_INFINITY;
  registry.collect(async () => {
    if (nowMs() - readAtMs < WORKERS_FRESH_MS) return;
    const workers = await readWorkers(source);
    readAtMs = nowMs();
    for (const gauge of [...Object.values(gauges), totals]) gauge.clear();
    for (const { id, answers, stats = {} } of workers) {
      const at = { worker: id };
      gauges.up.set(answers ? 1 : 0, at);
      for (const name of ['live', 'resident', 'effectsRunning', 'outboxWaiting'] as const)
        gauges[name].set(Number(stats[name] ?? Number.NaN), at);
      gauges.partitions.set(Array.isArray(stats.partitions) ? stats.partitions.length : Number.NaN, at);
      const progress = (stats.progress ?? {}) as { published?: number; dropped?: number };
      const counted = {
        ...(stats.counters as object),
        progressTold: progress.published,
        progressDropped: progress.dropped,
      };
      for (const [kind, count] of Object.entries(counted))
        if (typeof count === 'number') totals.mirror(count, { ...at, kind });
    }
  });
}
