import { ddmin } from '@troupe/inspect';
import { describe, expect, test } from 'vitest';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

describe('ddmin', () => {
  test('finds the few items that matter among many, in their order', () => {
    const matters = [17, 120, 400, 873];
    const { items, minimal } = ddmin(upTo(900), (part) => matters.every((one) => part.includes(one)));
    expect(items).toEqual(matters);
    expect(minimal).toBe(true);
  });

  test('is 1-minimal for failures that are not monotonous', () => {
    // Fails with an odd number of threes and at least one seven.
    const fails = (part: readonly number[]): boolean =>
      part.filter((n) => n % 3 === 0).length % 2 === 1 && part.some((n) => n % 7 === 0);
    const { items } = ddmin(upTo(99), fails);
    expect(fails(items)).toBe(true);
    for (const one of items) expect(fails(items.filter((n) => n !== one))).toBe(false);
  });

  test('leaves nothing when nothing is needed, and everything when everything is', () => {
    expect(ddmin(upTo(9), () => true).items).toEqual([]);
    expect(ddmin(upTo(9), (part) => part.length === 9).items).toEqual(upTo(9));
    expect(ddmin([1], (part) => part.length === 1)).toMatchObject({ items: [1], minimal: true });
  });

  test('ends when the tries run out, with a part that still fails, and says so', () => {
    const fails = (part: readonly number[]): boolean => part.includes(3) && part.includes(90);
    const result = ddmin(upTo(100), fails, { triesMax: 12 });
    expect(result).toMatchObject({ tries: 12, minimal: false });
    expect(fails(result.items)).toBe(true);
    expect(ddmin(upTo(100), fails, { isOver: () => true })).toMatchObject({ items: upTo(100), tries: 0 });
  });
});
