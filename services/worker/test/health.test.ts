import { type HealthyWorker, healthOf } from '@troupe/service-worker/internal';
import { describe, expect, test } from 'vitest';

type Stats = ReturnType<HealthyWorker['stats']>;

const WELL: Stats = { id: 'one', fresh: true, draining: false, partitions: [0, 1, 2], live: 3 };

/** Health of a worker with these figures. */
function health(stats: Partial<Stats>, process: { hosted?: boolean; connected?: boolean } = {}) {
  const worker: HealthyWorker = { stats: () => ({ ...WELL, ...stats }) };
  return healthOf({ worker, hosted: process.hosted ?? true, connected: () => process.connected ?? true });
}

describe('a worker is', () => {
  test('ready when it is connected, its lease is fresh and its share is live', () => {
    expect(health({})).toEqual({ ready: true, reasons: [], worker: { id: 'one', partitions: 3, live: 3 } });
  });

  test('ready when nothing is its share', () => {
    expect(health({ partitions: [], live: 0 }).ready).toBe(true);
  });

  test('not ready before it is one', () => {
    expect(healthOf({ hosted: false, connected: () => true })).toEqual({
      ready: false,
      reasons: ['it is not connected to NATS yet'],
    });
  });

  test.each([
    ['without a connection', {}, { connected: false }, 'the connection to NATS is lost'],
    ['while it drains', { draining: true, live: 0, fresh: false }, {}, 'it is draining'],
    ['until its share is taken over', { live: 0 }, { hosted: false }, 'it has not taken over its whole share'],
    ['while partitions are being read', { live: 1 }, {}, '2 of its partitions are still being read'],
    ['while its lease is not fresh', { fresh: false }, {}, 'its lease is not fresh'],
  ])('not ready %s, and says only that', (_when, stats, process, reason) => {
    const { ready, reasons } = health(stats, process);
    expect({ ready, count: reasons.length }).toEqual({ ready: false, count: 1 });
    expect(reasons[0]).toContain(reason);
  });
});
