/** A definition changes twice under load, worker by worker. */
import { expect, test } from 'vitest';
import { proveDeploy } from '../../src/proofs/deploy-proof.ts';
import { chooseSeed } from '../../src/random.ts';

test('rolled out worker by worker under load, with a kill -9 in the middle: every actor moves on, none is folded by the wrong version', async () => {
  const seed = chooseSeed();
  const lines: string[] = [`seed ${seed}`];
  const log = (line: string): void => void lines.push(line);
  const result = await proveDeploy({ workers: 3, callers: 6, seed, log });
  expect(result.violations, lines.join('\n')).toEqual([]);
  // Actors of the first version were there, and went through both migrations.
  expect(result.migrations).toBe(result.actors * 2);
  process.stdout.write(`${lines.join('\n')}\n${JSON.stringify(result)}\n`);
}, 240_000);
