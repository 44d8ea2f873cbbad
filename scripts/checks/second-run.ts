/**
 * Which files of a failed run get a second one.
 *
 * Tests with real servers, processes and browsers meet a machine that stands still for seconds at times; what is asserted
 * there can fail by that alone. Such a file is run once more, alone, and the line of totals says so. No second run for:
 * - the proofs: a task lost once in a thousand runs is exactly what they look for;
 * - more files than chance explains.
 */
import { relative, sep } from 'node:path';
import { countRun, type RunReport, type Totals } from './totals.ts';

/** More failed files than these are no chance. */
export const SECOND_RUN_FILES_MAX = 3;

const PROOFS = [
  'backpressure/',
  'cluster/backup',
  'cluster/servers',
  'cluster/storm',
  'durability/',
  'ownership/',
  'soak/',
].map((start) => `packages/acceptance/test/${start}`.replaceAll('/', sep));

/** The files to run again, relative to `rootDir`; none when the failure stands. */
export function filesToRunAgain(report: RunReport | undefined, rootDir: string): string[] {
  const failed = (report?.testResults ?? [])
    .filter(({ status }) => status === 'failed')
    .map(({ name }) => relative(rootDir, name));
  const isChance =
    failed.length <= SECOND_RUN_FILES_MAX && !failed.some((file) => PROOFS.some((proofs) => file.startsWith(proofs)));
  return isChance ? failed : [];
}

/** One count out of a run and the second one of the files that failed in it. */
export function countWithSecondRun(first: Totals, second: RunReport | undefined, exitCode: number): Totals {
  const again = countRun(second, exitCode);
  if (again.failed > 0) return first;
  return { passed: first.passed + first.failed, failed: 0, skipped: first.skipped };
}
