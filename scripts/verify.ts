/**
 * Everything that can be checked without running the code: format and lint, layers, purity, types (tests included),
 * forgotten exports; and a report of long functions. CI runs the same.
 */
import { join } from 'node:path';
import { runSteps, type Step } from './checks/steps.ts';

const rootDir = join(import.meta.dirname, '..');
const bin = (name: string) => join(rootDir, 'node_modules/.bin', name);
const script = (name: string): Step => ({ name, command: process.execPath, args: [join('scripts', `${name}.ts`)] });

const steps: Step[] = [
  {
    name: 'format and lint',
    command: bin('biome'),
    args: ['ci', '--diagnostic-level=warn', '--error-on-warnings', '--max-diagnostics=50', '.'],
  },
  script('check-layers'),
  script('check-purity'),
  { name: 'types', command: bin('tsc'), args: ['-b'] },
  script('check-forgotten'),
  script('report-sizes'),
];

const { failed } = await runSteps(steps, rootDir);
console.error(failed.length === 0 ? 'verify: ok' : `verify: failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
