/** What `troupe top` makes of two samples, and how it fits it on a terminal; no server. */
import { describe, expect, test } from 'vitest';
import type { WorkerView } from '../src/operator/workers.ts';
import { frameOf, type Sample } from '../src/top/frame.ts';
import { Screen } from '../src/top/screen.ts';
import { showFrame } from '../src/top/show-frame.ts';

const AT = Date.UTC(2026, 0, 31, 12);

function worker(id: string, turns: Readonly<Record<string, number>> | undefined, startedAt = 1): WorkerView {
  const lease = { id, startedAt, types: {} };
  if (turns === undefined) return { lease, stats: undefined };
  const turnsByType = Object.fromEntries(
    Object.entries(turns).map(([type, n]) => [type, { turns: n, failed: n / 10 }]),
  );
  const stats = {
    partitions: [0],
    resident: 3,
    effectsRunning: 1,
    mailbox: { waiting: 2, deepest: 1 },
    counters: { entries: 2 * Object.values(turns).reduce((a, b) => a + b, 0) },
    turnsByType,
    about: { rssBytes: 1_048_576, loopDelay: { p50Ms: 1, p99Ms: 9, maxMs: 20 } },
  };
  return { lease, stats: stats as unknown as WorkerView['stats'] };
}

function sample(atMs: number, workers: readonly WorkerView[]): Sample {
  const common = { epoch: 1, mark: 1, head: 9, position: 4, held: 0, resident: 1 };
  return {
    atMs,
    workers,
    partitions: [
      { ...common, partition: 0, owner: 'a', state: 'live', lag: 5 },
      { ...common, partition: 1, owner: undefined, state: 'unowned', lag: 2 },
    ],
  };
}

const plain = (_colour: string, text: string): string => text;

describe('a frame', () => {
  test('tells rates per second of what happened between, busiest type first', () => {
    const before = sample(0, [worker('a', { order: 10, customer: 0 }), worker('b', { order: 100 })]);
    const now = sample(2_000, [worker('a', { order: 20, customer: 40 }), worker('b', { order: 120 })]);
    const frame = frameOf(before, now, AT);
    expect(frame).toMatchObject({
      at: '2026-01-31T12:00:00.000Z',
      turnsPerSecond: 35,
      failedPerSecond: 3.5,
      entriesPerSecond: 70,
      lag: 7,
      partitions: { total: 2, live: 1, unowned: 1 },
      types: [
        { type: 'customer', turnsPerSecond: 20, failedPerSecond: 2 },
        { type: 'order', turnsPerSecond: 15, failedPerSecond: 1.5 },
      ],
    });
    expect(frame.workers.map(({ id, turnsPerSecond, lag }) => [id, turnsPerSecond, lag])).toEqual([
      ['a', 25, 5],
      ['b', 10, 0],
    ]);
  });

  test('tells no rate of a worker that has only come, was started again, or is silent', () => {
    const before = sample(0, [worker('again', { order: 900 }), worker('silent', { order: 5 })]);
    const now = sample(1_000, [
      worker('again', { order: 3 }, 2),
      worker('new', { order: 7 }),
      worker('silent', undefined),
    ]);
    const frame = frameOf(before, now, AT);
    expect(frame.turnsPerSecond).toBe(0);
    expect(frame.workers.map(({ turnsPerSecond, answers }) => [turnsPerSecond, answers])).toEqual([
      [null, true],
      [null, true],
      [null, false],
    ]);
    expect(frame.types).toEqual([{ type: 'order', turnsPerSecond: 0, failedPerSecond: 0 }]);
  });
});

describe('a frame on a terminal', () => {
  const many = Array.from({ length: 40 }, (_, i) => worker(`w-${i}-\u001b[2J${'x'.repeat(80)}`, { order: i }));
  const frame = frameOf(sample(0, many), sample(1_000, many), AT);

  test('never has more rows or columns than there are, nor a control character, and says what is not shown', () => {
    for (const size of [
      { columns: 80, rows: 24 },
      { columns: 20, rows: 4 },
    ]) {
      const lines = showFrame(frame, plain, size);
      expect(lines.length).toBeLessThanOrEqual(size.rows);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(size.columns);
      expect(lines.join('')).not.toContain('\u001b');
    }
    expect(showFrame(frame, plain, { columns: 80, rows: 24 })).toEqual(
      expect.arrayContaining([expect.stringMatching(/^and \d+ more workers$/)]),
    );
  });

  test('leaves the screen as it was before', () => {
    let written = '';
    const stdout = { write: (text: string) => (written += text), isTTY: true, columns: 80, rows: 24 };
    {
      using screen = new Screen({ stdout } as never);
      screen.draw(showFrame(frame, plain, screen.size));
    }
    expect(written.startsWith('\u001b[?1049h')).toBe(true);
    expect(written.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  });
});
