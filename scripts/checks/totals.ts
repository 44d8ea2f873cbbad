/** What the JSON reporter of the test runner says about one run, as far as it is counted. */
export interface RunReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { name: string; status: string; assertionResults: unknown[] }[];
}

export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Counts one run.
 *
 * @param report `undefined` when the runner wrote none
 * @param exitCode what the runner ended with: a failure that no test stands for (a file that can't be loaded, an error
 *   outside a test) counts as one failed test, so that "0 failed" always means that all is well
 */
export function countRun(report: RunReport | undefined, exitCode: number): Totals {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  const failed = report.numFailedTests + unloadable.length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

export function addTotals(all: readonly Totals[]): Totals {
  const sum = (key: keyof Totals) => all.reduce((total, one) => total + one[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

/** The last line of `npm test`, for people and for CI to read. */
export function formatTotals({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** A run in which nothing ran has proved nothing. */
export function isGreen({ passed, failed }: Totals): boolean {
  return failed === 0 && passed > 0;
}
