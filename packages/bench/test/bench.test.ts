import { describe, expect, test } from 'vitest';
import { readOptions } from '../src/bench-options.ts';
import { BENCHMARKS } from '../src/benchmarks.ts';
import { bytesBetween } from '../src/bytes.ts';
import { runLoad } from '../src/load.ts';
import { runBenchmarks } from '../src/main.ts';
import { median, quantile } from '../src/statistics.ts';

describe('arguments', () => {
  test('names may be given several times', () => {
    expect(readOptions(['--json', '--only', 'pure-step', '--only', 'first-turn'])).toEqual({
      json: true,
      full: false,
      only: ['pure-step', 'first-turn'],
    });
  });

  test('an unknown name is refused', async () => {
    expect(await runBenchmarks(['--only', 'nothing'])).toBe(2);
  });

  test('no two benchmarks have one name', () => {
    expect(new Set(BENCHMARKS.map(({ name }) => name)).size).toBe(BENCHMARKS.length);
  });
});

describe('statistics', () => {
  test('the median of rounds is one of them', () => expect(median([3, 1, 2])).toBe(2));
  test('a quantile of nothing is not a number', () => expect(quantile([], 0.5)).toBeNaN());
});

test('bytes per turn count every write, also of what was replaced', () => {
  const before = { journals: [{ writes: 0, meanBytes: 0 }], others: [{ writes: 10, meanBytes: 100 }] };
  const after = { journals: [{ writes: 100, meanBytes: 300 }], others: [{ writes: 20, meanBytes: 1_000 }] };
  expect(bytesBetween(before, after)).toEqual({ perTurn: 400, ownPerTurn: 300 });
});

test('a load keeps its callers busy and takes each call once', async () => {
  let underWay = 0;
  let most = 0;
  let calls = 0;
  const call = async (): Promise<void> => {
    most = Math.max(most, ++underWay);
    calls++;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    underWay--;
  };
  const result = await runLoad({ call }, 4, 20);
  expect(most).toBe(4);
  expect(result.turns).toBe(calls);
});
