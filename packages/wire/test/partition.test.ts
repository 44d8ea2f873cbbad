import { fnv1a, partitionOf } from '@troupe/wire';
import { describe, expect, test } from 'vitest';

describe('partitions', () => {
  test('FNV-1a agrees with its published vectors', () => {
    expect(fnv1a('')).toBe(0x811c9dc5);
    expect(fnv1a('a')).toBe(0xe40c292c);
    expect(fnv1a('foobar')).toBe(0xbf9cf968);
  });

  test('text beyond ASCII is hashed by its bytes in UTF-8', () => {
    const bytes = (text: string) => [...new TextEncoder().encode(text)].map((byte) => String.fromCharCode(byte));
    const slow = (text: string) =>
      bytes(text).reduce((hash, byte) => Math.imul(hash ^ byte.charCodeAt(0), 0x01000193), 0x811c9dc5) >>> 0;
    for (const text of ['ü', '€', '😀', 'aü€😀z', '\u07ff\u0800\uffff']) expect(fnv1a(text), text).toBe(slow(text));
  });

  test('an actor has one partition within the count', () => {
    for (const count of [1, 2, 64, 1_024]) {
      const partition = partitionOf({ type: 'support', key: 'john.doe' }, count);
      expect(partition).toBeGreaterThanOrEqual(0);
      expect(partition).toBeLessThan(count);
      expect(partitionOf({ type: 'support', key: 'john.doe' }, count)).toBe(partition);
    }
  });

  test('keys spread evenly over partitions', () => {
    const counts = new Array<number>(64).fill(0);
    for (let i = 0; i < 64_000; i++) counts[partitionOf({ type: 'support', key: `user-${i}` }, 64)]!++;
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1_200);
  });

  test.each([0, -1, 1.5, Number.NaN])('a count of %d is refused', (count) => {
    expect(() => partitionOf({ type: 'a', key: 'b' }, count)).toThrow(
      expect.objectContaining({ code: 'ConfigInvalid' }),
    );
  });
});
