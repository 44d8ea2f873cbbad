import { expect, test } from 'vitest';
import { decodeMeta, encodeMeta } from '../src/dead-letter-meta.ts';

const letter = {
  seq: 1,
  at: 2,
  address: { type: 'a', key: 'b' },
  code: 'X',
  message: 'x',
  verb: 'task',
  subject: 's',
  payload: new Uint8Array(),
} as const;

function kept(headers: Record<string, string>): Record<string, string> {
  const meta = encodeMeta({ ...letter, headers });
  expect(Buffer.byteLength(Object.values(meta).join())).toBeLessThan(8 * 1_024);
  return decodeMeta((name) => meta[name]).headers;
}

test('headers are kept as they were', () => {
  const headers = { 'Troupe-Task-Id': 'a', __proto: 'x', ünï: 'ü'.repeat(50), empty: '' };
  expect(kept(headers)).toEqual(headers);
});

test('of too many, the longest are left out', () => {
  expect(kept({ long: 'x'.repeat(60_000), short: 'y' })).toEqual({ short: 'y' });
});

test('ten thousand take one pass', () => {
  const headers = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`h${i}`, '']));
  const startedAt = performance.now();
  const left = Object.keys(kept(headers)).length;
  expect(left).toBeGreaterThan(200);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
