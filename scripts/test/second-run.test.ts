import { describe, expect, test } from 'vitest';
import { countWithSecondRun, filesToRunAgain, SECOND_RUN_FILES_MAX } from '../checks/second-run.ts';
import type { RunReport } from '../checks/totals.ts';

/** A run in which these files failed, a test each. */
const failedIn = (...files: string[]): RunReport => ({
  numPassedTests: 7,
  numFailedTests: files.length,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [...files, '/root/a.server.test.ts'].map((name, at) => ({
    name,
    status: at < files.length ? 'failed' : 'passed',
    assertionResults: [{}],
  })),
});

describe('the second run', () => {
  test('is of the files that failed', () => {
    expect(filesToRunAgain(failedIn('/root/services/x.server.test.ts'), '/root')).toEqual([
      'services/x.server.test.ts',
    ]);
    expect(filesToRunAgain(failedIn(), '/root')).toEqual([]);
  });

  test('is not given when a proof failed, whatever else did', () => {
    const files = ['/root/services/x.server.test.ts', '/root/packages/acceptance/test/cluster/storm.server.test.ts'];
    expect(filesToRunAgain(failedIn(...files), '/root')).toEqual([]);
  });

  test('is not given when many files failed, or the run left no report', () => {
    const files = Array.from({ length: SECOND_RUN_FILES_MAX + 1 }, (_, n) => `/root/${n}.server.test.ts`);
    expect(filesToRunAgain(failedIn(...files), '/root')).toEqual([]);
    expect(filesToRunAgain(undefined, '/root')).toEqual([]);
  });

  test('turns the failures of the first into passes when all is well in it, and only then', () => {
    const first = { passed: 10, failed: 2, skipped: 1 };
    expect(countWithSecondRun(first, failedIn(), 0)).toEqual({ passed: 12, failed: 0, skipped: 1 });
    expect(countWithSecondRun(first, failedIn('/root/b.ts'), 1)).toEqual(first);
    expect(countWithSecondRun(first, failedIn(), 1)).toEqual(first);
    expect(countWithSecondRun(first, undefined, 0)).toEqual(first);
  });
});
