/** The storm in its short form; `npm run proof -- storm` lasts longer. */
import { expect, test } from 'vitest';
import { FAULTS } from '../../src/proofs/storm/plan.ts';
import { proveStorm } from '../../src/proofs/storm/storm-proof.ts';
import { chooseSeed } from '../../src/random.ts';

test('workers killed and frozen, servers killed and restarted, lines cut, silent and slow: nothing acknowledged is lost, doubled or out of order', async () => {
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const report = await proveStorm({ minutes: 0, workers: 4, callers: 6, seed: chooseSeed(), stretch: 0.1, log });
  process.stdout.write(`${lines.join('\n')}\n`);
  expect(report.violations, lines.join('\n')).toEqual([]);
  expect(new Set(report.faults.map(({ kind }) => kind))).toEqual(new Set(FAULTS));
  expect(report.acknowledged).toBeGreaterThan(100);
}, 300_000);
