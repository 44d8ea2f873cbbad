/** Figures of the gateway itself, and those of the workers as they tell them. */
import { type Counter, clusterMetrics, type Gauge, type Histogram, type MetricsRegistry } from '@troupe/diagnostics';
import { type ClusterSource, readPartitions, readWorkers } from './cluster-view.ts';

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

/** Adds the figures of workers and partitions, asked for when the text is made. */
export function collectWorkers(registry: MetricsRegistry, source: ClusterSource, nowMs: () => number): void {
  const cluster = clusterMetrics(registry);
  let readAtMs = Number.NEGATIVE_INFINITY;
  registry.collect(async () => {
    if (nowMs() - readAtMs < WORKERS_FRESH_MS) return;
    const [workers, partitions] = await Promise.all([readWorkers(source), readPartitions(source)]);
    readAtMs = nowMs();
    cluster.update(workers, partitions);
  });
}
