import { clusterMetrics, MetricsRegistry } from '@troupe/diagnostics';
import { describe, expect, test } from 'vitest';

const STATS = {
  partitions: [0, 1],
  live: 1,
  fresh: true,
  draining: false,
  mailbox: { waiting: 7, deepest: 4 },
  counters: { turns: 5, deadLetters: 2, takeovers: 3 },
  turnsByType: {
    order: { turns: 5, failed: 1, seconds: 2.5, buckets: [3, 0, 1, ...Array(13).fill(0)] },
    legacy: { turns: 1, failed: 0 },
  },
  effects: [
    {
      type: 'order',
      src: 'pay',
      started: 4,
      retried: 2,
      ended: 3,
      failed: 1,
      seconds: 1.5,
      buckets: [1, ...Array(14).fill(0), 2],
    },
  ],
  about: { loopDelay: { p50Ms: 1, p99Ms: 250, maxMs: 400 }, rssBytes: 1_000 },
};
const PARTITION = { partition: 3, ownerAlive: true, epoch: 2, head: 100, position: 90, mark: 41, held: 6 };

async function text(...updates: Parameters<ReturnType<typeof clusterMetrics>['update']>[]): Promise<string> {
  const registry = new MetricsRegistry();
  const cluster = clusterMetrics(registry);
  for (const update of updates) cluster.update(...update);
  return registry.text();
}

describe('the figures of a cluster', () => {
  test('are those that its workers tell, in base units', async () => {
    const lines = (await text([[{ id: 'a', answers: true, stats: STATS }], []])).split('\n');
    for (const line of [
      'troupe_worker_up{worker="a"} 1',
      'troupe_worker_partitions{worker="a"} 2',
      'troupe_worker_lease_fresh{worker="a"} 1',
      'troupe_worker_mailbox_deepest{worker="a"} 4',
      'troupe_worker_takeovers_total{worker="a"} 3',
      'troupe_worker_event_loop_delay_seconds{worker="a",quantile="0.99"} 0.25',
      'troupe_turns_failed_total{worker="a",type="order"} 1',
      'troupe_turns_total{worker="a",type="legacy"} 1',
      'troupe_turn_seconds_bucket{worker="a",type="order",le="0.001"} 3',
      'troupe_turn_seconds_bucket{worker="a",type="order",le="+Inf"} 4',
      'troupe_turn_seconds_sum{worker="a",type="order"} 2.5',
      'troupe_effects_started_total{worker="a",type="order",src="pay"} 4',
      'troupe_effect_seconds_bucket{worker="a",type="order",src="pay",le="60"} 1',
      'troupe_effect_seconds_bucket{worker="a",type="order",src="pay",le="+Inf"} 3',
      'troupe_effect_seconds_sum{worker="a",type="order",src="pay"} 1.5',
    ])
      expect(lines).toContain(line);
    expect(lines.filter((line) => line.includes('turn_seconds') && line.includes('legacy'))).toEqual([]);
  });

  test('say of a partition how far its owner is behind, and how much a new one would read', async () => {
    const { position: _none, ...untold } = PARTITION;
    const lines = (await text([[], [PARTITION, { ...untold, partition: 4, ownerAlive: false }]])).split('\n');
    for (const line of [
      'troupe_partition_lag{partition="3"} 10',
      'troupe_partition_uncovered{partition="3"} 60',
      'troupe_partition_held{partition="3"} 6',
      'troupe_partition_owned{partition="4"} 0',
      'troupe_partition_lag{partition="4"} 60',
    ])
      expect(lines).toContain(line);
  });

  test('of a worker that is silent are that it is, and nothing else', async () => {
    const found = (await text([[{ id: 'a', answers: false }], []])).match(/^[^#].*worker="a".*$/gm);
    expect(found).toEqual(['troupe_worker_up{worker="a"} 0']);
  });

  test('leave nothing behind of a worker that has gone', async () => {
    expect(await text([[{ id: 'a', answers: true, stats: STATS }], [PARTITION]], [[], []])).not.toMatch(/^[^#].*\{/m);
  });
});
