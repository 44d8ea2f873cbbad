import { expect, test } from 'vitest';
import { readNumbers } from '../../src/proofs/number-options.ts';

const defaults = { kills: 20, workers: 2 };

test('what is given replaces the default, what is not stays', () => {
  expect(readNumbers(['--kills', '3'], defaults)).toEqual({ kills: 3, workers: 2 });
});

test.each([[['--kils', '3']], [['--kills', 'many']], [['--kills', '1.5']], [['--kills=-1']], [['3']]])(
  '%j is refused',
  (args) => {
    expect(readNumbers(args, defaults)).toBeUndefined();
  },
);
