import { describe, expect, test } from 'vitest';
import { addTotals, countRun, formatTotals, isGreen, type RunReport } from '../checks/totals.ts';

const report = (overrides: Partial<RunReport> = {}): RunReport => ({
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 1,
  testResults: [],
  ...overrides,
});

describe('the totals of a run', () => {
  test('skipped tests and those still to be written are counted together', () => {
    expect(countRun(report(), 0)).toEqual({ passed: 3, failed: 0, skipped: 2 });
  });

  test('a file that could not be loaded is a failure', () => {
    const testResults = [{ name: '/x.test.ts', status: 'failed', assertionResults: [] }];
    expect(countRun(report({ testResults }), 1).failed).toBe(1);
  });

  test('a failed test is not counted again for its file', () => {
    const testResults = [{ name: '/x.test.ts', status: 'failed', assertionResults: [{}] }];
    expect(countRun(report({ testResults, numFailedTests: 1 }), 1).failed).toBe(1);
  });

  test('a runner that failed without a failed test, or died without a report, is a failure', () => {
    expect(countRun(report(), 1).failed).toBe(1);
    expect(countRun(undefined, 139)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  test('the line is plain', () => {
    const totals = addTotals([countRun(report(), 0), countRun(report({ numFailedTests: 2 }), 1)]);
    expect(formatTotals(totals)).toBe('6 passed, 2 failed, 4 skipped');
  });

  test('green means that something passed and nothing failed', () => {
    expect(isGreen({ passed: 1, failed: 0, skipped: 9 })).toBe(true);
    expect(isGreen({ passed: 9, failed: 1, skipped: 0 })).toBe(false);
    expect(isGreen({ passed: 0, failed: 0, skipped: 9 })).toBe(false);
  });
});
