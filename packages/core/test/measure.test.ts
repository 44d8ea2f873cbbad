import fc from 'fast-check';
import { expect, test } from 'vitest';
import { measure, measureAtMost } from '../src/measure.ts';

const storable = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  maxDepth: 5,
});

test('the quick bound is never less than the size, and the same for a value and its copy', () => {
  fc.assert(
    fc.property(storable, (value) => {
      const bound = measureAtMost(value, 'context');
      expect(bound).toBeGreaterThanOrEqual(measure(value, 'context'));
      expect(measureAtMost([value], 'context')).toBe(bound + 5);
    }),
  );
});

test('large, deep and unusual values are measured like small ones', () => {
  const list = Array.from({ length: 2_000 }, () => 'ab');
  expect(measureAtMost(list, 'context')).toBe(5 + 2_000 * 9);
  expect(measureAtMost({ when: new Date(0), list: ['ab'] }, 'context')).toBe(3 + 5 + 13 + 5 + 5 + 9);
  let deep: unknown = 'x';
  for (let i = 0; i < 40; i++) deep = [deep];
  expect(measureAtMost(deep, 'context')).toBe(40 * 5 + 6);
});

test('what can not be stored is refused with its path', () => {
  expect(() => measureAtMost({ a: [1, () => 1] }, 'context')).toThrow(/context\.a\[1\] is a function/);
  class Own {}
  expect(() => measureAtMost({ own: new Own() }, 'context')).toThrow(/context\.own is an instance of Own/);
  const loop: unknown[] = [];
  loop.push(loop);
  expect(() => measureAtMost(loop, 'context')).toThrow(/deep/);
});
