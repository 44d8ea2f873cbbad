import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign, type Candidate, needsAfter, type Place } from '../src/assignment.ts';

const types = { support: 1 };
const names = (ids: readonly string[]): Candidate[] => ids.map((id) => ({ id, types }));
const places = (owners: readonly (string | undefined)[]): Place[] => owners.map((owner) => ({ owner, needs: types }));
const nobody = (count: number): Place[] => Array.from({ length: count }, () => ({}));
const ids = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 20 });
const partitionCount = fc.integer({ min: 1, max: 200 });

function loads(owners: readonly (string | undefined)[], workers: readonly string[]): number[] {
  return workers.map((id) => owners.filter((owner) => owner === id).length);
}

describe('assign', () => {
  test('among equal workers shares differ by at most one, whoever held what before', () => {
    fc.assert(
      fc.property(ids, partitionCount, fc.infiniteStream(fc.nat()), (workers, count, picks) => {
        const before = [...picks.take(count)].map(
          (pick) => [...workers, 'gone', undefined][pick % (workers.length + 2)],
        );
        const found = loads(assign(names(workers), places(before)), workers);
        expect(found.reduce((a, b) => a + b)).toBe(count);
        expect(Math.max(...found) - Math.min(...found)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('no more moves than balance asks for', () => {
    fc.assert(
      fc.property(ids, partitionCount, fc.infiniteStream(fc.nat()), (workers, count, picks) => {
        const before = [...picks.take(count)].map((pick) => workers[pick % workers.length]!);
        const after = assign(names(workers), places(before));
        const gains = loads(after, workers).map((load, at) => Math.max(0, load - loads(before, workers)[at]!));
        const moves = after.filter((owner, at) => owner !== before[at]).length;
        expect(moves).toBe(gains.reduce((a, b) => a + b));
      }),
    );
  });

  test('a worker that joins takes its share from the others, and nothing else moves', () => {
    fc.assert(
      fc.property(ids, partitionCount, (workers, count) => {
        const before = assign(names(workers), nobody(count));
        const after = assign(names([...workers, 'JOINED']), places(before));
        const moved = after.filter((owner, at) => owner !== before[at]);
        expect(moved.every((owner) => owner === 'JOINED')).toBe(true);
        expect(moved.length).toBeLessThanOrEqual(Math.ceil(count / (workers.length + 1)));
      }),
    );
  });

  test('when a worker leaves, only what was its own moves', () => {
    fc.assert(
      fc.property(ids, partitionCount, fc.nat(), (workers, count, pick) => {
        fc.pre(workers.length > 1);
        const left = workers[pick % workers.length]!;
        const before = assign(names(workers), nobody(count));
        const after = assign(names(workers.filter((id) => id !== left)), places(before));
        for (const [partition, owner] of before.entries()) if (owner !== left) expect(after[partition]).toBe(owner);
      }),
    );
  });

  test('the order of workers changes nothing, and what was assigned stays', () => {
    fc.assert(
      fc.property(ids, partitionCount, (workers, count) => {
        const owners = assign(names(workers), nobody(count));
        expect(assign(names([...workers].reverse()), nobody(count))).toEqual(owners);
        expect(assign(names(workers), places(owners))).toEqual(owners);
      }),
    );
  });

  test('while partitions change hands one by one, nobody changes their mind', () => {
    fc.assert(
      fc.property(ids, partitionCount, fc.infiniteStream(fc.nat()), (workers, count, picks) => {
        const owners = assign(names(workers), nobody(count));
        const wanted = [...workers, 'JOINED'];
        const target = assign(names(wanted), places(owners));
        const now: (string | undefined)[] = [...owners];
        for (const pick of picks.take(count)) {
          const moving = now.flatMap((owner, at) => (owner !== target[at] ? [at] : []));
          if (moving.length === 0) break;
          const one = moving[pick % moving.length]!;
          now[one] = now[one] === owners[one] ? undefined : target[one];
          const again = assign(names(wanted), places(now));
          expect(again.filter((owner, at) => owner !== owners[at]).every((owner) => owner === 'JOINED')).toBe(true);
          expect(loads(again, wanted).sort()).toEqual(loads(target, wanted).sort());
        }
      }),
      { numRuns: 50 },
    );
  });

  test('a partition that newer code has folded goes to nobody with older code only', () => {
    const old = { id: 'old', types: { support: 1 } };
    const newer = { id: 'newer', types: { support: 2 } };
    const folded: Place[] = Array.from({ length: 6 }, () => ({ owner: 'newer', needs: { support: 2 } }));
    expect(new Set(assign([old, newer], folded))).toEqual(new Set(['newer']));
    expect(new Set(assign([old], folded))).toEqual(new Set([undefined]));
    const mixed: Place[] = [
      ...folded.slice(0, 3),
      ...Array.from({ length: 5 }, () => ({ owner: 'old', needs: types })),
    ];
    expect(loads(assign([old, newer], mixed), ['old', 'newer'])).toEqual([4, 4]);
  });

  test('no partition ever goes to a worker without the code that it needs', () => {
    const worker = fc.record({
      id: fc.stringMatching(/^[a-z]{1,6}$/),
      types: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 3 })),
    });
    const place = fc.record({ needs: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 3 })) });
    fc.assert(
      fc.property(
        fc.uniqueArray(worker, { selector: ({ id }) => id, minLength: 1 }),
        fc.array(place),
        (workers, wanted) => {
          const known = new Set(workers.flatMap((one) => Object.keys(one.types)));
          const fits = (one: Candidate, needs: Readonly<Record<string, number>>): boolean =>
            Object.entries(needs).every(([type, version]) => !known.has(type) || (one.types[type] ?? 0) >= version);
          for (const [at, owner] of assign(workers, wanted).entries()) {
            const found = workers.find(({ id }) => id === owner);
            if (found !== undefined) expect(fits(found, wanted[at]!.needs)).toBe(true);
            else expect(workers.some((one) => fits(one, wanted[at]!.needs))).toBe(false);
          }
        },
      ),
    );
  });

  test('a type that no worker has any more keeps nobody from a partition', () => {
    expect(assign(names(['a']), [{ needs: { support: 1, retired: 4 } }])).toEqual(['a']);
  });

  test('a partition that nobody had yet goes to a worker with all the types that it takes', () => {
    const one = { id: 'one', types: { support: 1 } };
    const both = { id: 'both', types: { support: 1, billing: 1 } };
    expect(assign([one, both], [{}, {}])).toEqual(['both', 'both']);
    const takes = (type: string): boolean => type === 'support';
    expect(loads(assign([one, both], [{ takes }, { takes }]), ['one', 'both'])).toEqual([1, 1]);
  });

  test('without workers nobody has anything', () => {
    expect(assign([], [{}, {}])).toEqual([undefined, undefined]);
  });
});

test('what a partition needs only grows, by the types that it takes', () => {
  expect(needsAfter({ a: 2, old: 1 }, { a: 1, b: 3, other: 1 }, (type) => type !== 'other')).toEqual({
    a: 2,
    b: 3,
    old: 1,
  });
});
