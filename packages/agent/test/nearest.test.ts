import { nearest } from '@troupe/agent/internal';
import { expect, test } from 'vitest';

test.each([
  ['serach', 'search'],
  ['chrage', 'charge'],
  ['charges', 'charge'],
  ['x', undefined],
  ['completely', undefined],
])('nearest to %s is %s', (word, expected) => {
  expect(nearest(word, ['search', 'charge'])).toBe(expected);
});
