import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHANGES_MAX, type Change, diffValues } from '../src/index.ts';

/** Applies changes as they are meant: removals of one list from behind, so that positions hold. */
function apply(value: unknown, changes: readonly Change[]): unknown {
  const root = { value: structuredClone(value) };
  const parentOf = (path: Change['path']): Record<string | number, unknown> => {
    let at: unknown = root;
    for (const part of ['value', ...path].slice(0, -1)) at = (at as Record<string | number, unknown>)[part];
    return at as Record<string | number, unknown>;
  };
  const keyOf = (path: Change['path']): string | number => path.at(-1) ?? 'value';
  for (const { path, kind, after } of changes)
    if (kind === 'changed') parentOf(path)[keyOf(path)] = structuredClone(after);
  for (const { path } of changes.filter(({ kind }) => kind === 'removed').reverse()) {
    const parent = parentOf(path);
    if (Array.isArray(parent)) parent.splice(keyOf(path) as number, 1);
    else delete parent[keyOf(path)];
  }
  for (const { path, kind, after } of changes) {
    if (kind !== 'added') continue;
    const parent = parentOf(path);
    if (Array.isArray(parent)) parent.splice(keyOf(path) as number, 0, structuredClone(after));
    else parent[keyOf(path)] = structuredClone(after);
  }
  return root.value;
}

describe('the difference of two values', () => {
  test('names what came, went and changed, by path', () => {
    const changes = diffValues({ a: 1, b: { c: [1, 2] }, gone: true }, { a: 2, b: { c: [1, 2, 3] }, new: null });
    expect(changes).toEqual([
      { path: ['a'], kind: 'changed', before: 1, after: 2 },
      { path: ['b', 'c', 2], kind: 'added', after: 3 },
      { path: ['gone'], kind: 'removed', before: true },
      { path: ['new'], kind: 'added', after: null },
    ]);
  });

  test('a list that loses its first item and gets a new last one has two changes', () => {
    const messages = Array.from({ length: 20 }, (_, i) => ({ text: `m${i}` }));
    const changes = diffValues(messages, [...messages.slice(1), { text: 'new' }]);
    expect(changes.length).toBeLessThanOrEqual(20);
    expect(diffValues(messages, messages.slice(1))).toEqual([{ path: [0], kind: 'removed', before: { text: 'm0' } }]);
    expect(diffValues(messages, [{ text: 'first' }, ...messages])).toEqual([
      { path: [0], kind: 'added', after: { text: 'first' } },
    ]);
  });

  test('looks into dates, maps, sets and bytes', () => {
    const at = (ms: number, n: number) => ({
      date: new Date(ms),
      map: new Map([['k', n]]),
      set: new Set([n]),
      bytes: new Uint8Array([n]),
    });
    expect(diffValues(at(1, 1), at(1, 1))).toEqual([]);
    expect(diffValues(at(1, 1), at(2, 2)).map(({ path }) => path)).toEqual([
      ['date'],
      ['map', 'k'],
      ['set', 0],
      ['bytes', 0],
    ]);
  });

  test('is bounded', () => {
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, i]));
    expect(diffValues({}, wide)).toHaveLength(CHANGES_MAX);
  });

  test('makes the one into the other, whatever they are', () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(value, value, (before, after) => {
        fc.pre(!JSON.stringify([before, after]).includes('__proto__'));
        const [left, right] = [JSON.parse(JSON.stringify(before)), JSON.parse(JSON.stringify(after))];
        expect(apply(left, diffValues(left, right))).toEqual(right);
      }),
      { numRuns: 500 },
    );
  });

  test('of a value and itself is nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(diffValues(value, structuredClone(value))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
