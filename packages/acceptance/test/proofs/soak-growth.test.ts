import { describe, expect, test } from 'vitest';
import { growthOf, type SoakSample } from '../../src/proofs/soak-proof.ts';

const sampleAt = (at: number, more: Partial<SoakSample> = {}): SoakSample => ({
  atSeconds: at,
  rate: 1_000,
  p50Ms: 1,
  p99Ms: 10,
  workerMiB: 100,
  heapMiB: 60,
  serverMiB: 50,
  files: 40,
  journal: 1,
  resident: 100,
  residentMiB: 10,
  ...more,
});
const samplesOf = (make: (at: number) => Partial<SoakSample>): SoakSample[] =>
  Array.from({ length: 100 }, (_, at) => sampleAt(at, make(at)));

describe('growth over a soak', () => {
  test('is none where nothing changes, whatever the warm-up was', () => {
    const samples = samplesOf((at) => (at < 20 ? { workerMiB: at, p99Ms: 900, files: 3 } : {}));
    expect(growthOf(samples)).toEqual({ workerMemory: 1, serverMemory: 1, p99: 1, files: 0 });
  });

  test('a leak of memory, of files, and waits that grow are seen', () => {
    const samples = samplesOf((at) => ({ workerMiB: 100 + at, p99Ms: 10 + at / 5, files: 40 + Math.floor(at / 10) }));
    const { workerMemory, p99, files } = growthOf(samples);
    expect(workerMemory).toBeGreaterThan(1.3);
    expect(p99).toBeGreaterThan(1.5);
    expect(files).toBeGreaterThanOrEqual(5);
  });

  test('one bad moment is none', () => {
    expect(growthOf(samplesOf((at) => (at === 95 ? { p99Ms: 5_000, workerMiB: 900 } : {})))).toMatchObject({
      workerMemory: 1,
      p99: 1,
    });
  });
});
