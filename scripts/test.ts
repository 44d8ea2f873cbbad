/**
 * What `npm test` runs: verify, the unit tests, the tests with a real nats-server; then one line of totals. Arguments are
 * handed to vitest (`npm test -- mailbox`, `npm test -- -t "survives a crash"`); with arguments verify is left out.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countWithSecondRun, filesToRunAgain } from './checks/second-run.ts';
import { runInherited } from './checks/steps.ts';
import { addTotals, countRun, formatTotals, isGreen, type RunReport, type Totals } from './checks/totals.ts';

const rootDir = join(import.meta.dirname, '..');
const vitest = join(rootDir, 'node_modules/.bin/vitest');

/** The report is the last thing that vitest does; a leaked handle must not keep CI waiting for it after that. */
const exitGraceMs = 30_000;

interface Run {
  readonly report: RunReport | undefined;
  readonly exitCode: number;
}

async function runProject(project: string, args: readonly string[]): Promise<Run> {
  const reportDir = mkdtempSync(join(tmpdir(), 'troupe-test-'));
  const reportFile = join(reportDir, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  try {
    const endSign = { isDone: () => readReport(reportFile) !== undefined, graceMs: exitGraceMs };
    const exitCode = await runInherited(vitest, ['run', '--project', project, ...reporters, ...args], rootDir, endSign);
    return { report: readReport(reportFile), exitCode };
  } finally {
    rmSync(reportDir, { recursive: true, force: true });
  }
}

async function runUnitProject(args: readonly string[]): Promise<Totals> {
  const { report, exitCode } = await runProject('unit', args);
  return countRun(report, exitCode);
}

/** The tests with real servers; files that chance may have failed are run once more, alone. */
async function runServerProject(args: readonly string[]): Promise<Totals> {
  const { report, exitCode } = await runProject('server', args);
  const first = countRun(report, exitCode);
  const files = filesToRunAgain(report, rootDir);
  if (first.failed === 0 || files.length === 0 || args.length > 0) return first;
  console.log(`run again, alone: ${files.join(', ')}`);
  const again = await runProject('server', ['--maxWorkers=1', ...files]);
  const totals = countWithSecondRun(first, again.report, again.exitCode);
  console.log(
    totals.failed === 0 ? `passed in a second run only: ${files.join(', ')}` : 'failed in the second run too',
  );
  return totals;
}

function readReport(file: string): RunReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunReport;
  } catch {
    return undefined;
  }
}

const args = process.argv.slice(2);
const verified = args.length > 0 || (await runInherited(process.execPath, ['scripts/verify.ts'], rootDir)) === 0;
const totals = addTotals([await runUnitProject(args), await runServerProject(args)]);
if (!verified) console.log('verify failed, see above');
if (totals.passed + totals.failed === 0) console.log('no test ran');
process.exitCode = verified && isGreen(totals) ? 0 : 1;
console.log(formatTotals(totals));
