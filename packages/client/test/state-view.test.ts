import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesState as xstateMatches } from 'xstate';
import { matchesState, type StateValue } from '../src/index.ts';

const name = fc.constantFrom('a', 'b', 'c');
const { value } = fc.letrec<{ value: StateValue }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, name, fc.dictionary(name, tie('value'), { minKeys: 1, maxKeys: 2 })),
}));
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('.'));

test('decides as XState does', () => {
  fc.assert(
    fc.property(fc.oneof(value, path), value, (partial, state) => {
      expect(matchesState(partial, state)).toBe(xstateMatches(partial, state));
    }),
    { numRuns: 2_000 },
  );
});

test('names of objects that everything has are not states', () => {
  expect(matchesState('toString', { a: 'b' })).toBe(false);
  expect(matchesState({ constructor: 'a' } as unknown as StateValue, { a: 'b' })).toBe(false);
});
