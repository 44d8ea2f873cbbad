/**
 * What `npm test` runs: verify, the unit tests, the tests with a real nats-server; then one line of totals. Arguments are
 * handed to vitest (`npm test -- mailbox`, `npm test -- -t "survives a crash"`); with arguments verify is left out.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInherited } from './checks/steps.ts';
import { addTotals, countRun, formatTotals, isGreen, type RunReport, type Totals } from './checks/totals.ts';

const rootDir = join(import.meta.dirname, '..');
const vitest = join(rootDir, 'node_modules/.bin/vitest');

/** The report is the last thing that vitest does; a leaked handle must not keep CI waiting for it after that. */
const exitGraceMs = 30_000;

async function runProject(project: string, args: readonly string[]): Promise<Totals> {
  const reportDir = mkdtempSync(join(tmpdir(), 'troupe-test-'));
  const reportFile = join(reportDir, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  try {
    const endSign = { isDone: () => readReport(reportFile) !== undefined, graceMs: exitGraceMs };
    const exitCode = await runInherited(vitest, ['run', '--project', project, ...reporters, ...args], rootDir, endSign);
    return countRun(readReport(reportFile), exitCode);
  } finally {
    rmSync(reportDir, { recursive: true, force: true });
  }
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
const totals = addTotals([await runProject('unit', args), await runProject('server', args)]);
if (!verified) console.log('verify failed, see above');
if (totals.passed + totals.failed === 0) console.log('no test ran');
process.exitCode = verified && isGreen(totals) ? 0 : 1;
console.log(formatTotals(totals));
