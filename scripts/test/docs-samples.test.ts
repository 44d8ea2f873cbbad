/** README and docs: their samples compile, the runnable ones print what they say, and their links lead somewhere. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { pagesOf, printedBy, type Sample, samplesOf } from '../docs/samples.ts';

const rootDir = join(import.meta.dirname, '../..');
const samplesDir = join(rootDir, '.cache/docs-samples');
const pages = pagesOf(rootDir);
const samples = pages.flatMap((page) => samplesOf(rootDir, page)).filter(({ use }) => use !== 'partial');
const using = (use: Sample['use']) => samples.filter((sample) => sample.use === use);
const SLOW_MS = 120_000;

beforeAll(() => {
  rmSync(samplesDir, { recursive: true, force: true });
  for (const { file, code } of samples) {
    mkdirSync(dirname(join(samplesDir, file)), { recursive: true });
    writeFileSync(join(samplesDir, file), `${code}\n\nexport {};\n`);
  }
  const options = {
    composite: false,
    declaration: false,
    emitDeclarationOnly: false,
    noEmit: true,
    noUnusedLocals: false,
  };
  const tsconfig = { extends: '../../tsconfig.base.json', compilerOptions: options, include: ['**/*.ts'] };
  writeFileSync(join(samplesDir, 'tsconfig.json'), JSON.stringify(tsconfig));
  writeFileSync(join(samplesDir, 'vitest.config.ts'), 'export default { test: { maxWorkers: 2 } };\n');
});

/** Runs a command in the samples' folder. @returns its exit code and all that it printed. */
async function run(
  command: string,
  args: readonly string[],
): Promise<{ code: number; output: string; stdout: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, {
      cwd: samplesDir,
      env: { ...process.env, NO_COLOR: '1', VITEST: undefined },
    });
    return { code: 0, output: stdout + stderr, stdout };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: code ?? 1, output: `${stdout}${stderr}` || String(error), stdout };
  }
}

/** Files of samples in a compiler's words, as places on the pages. */
function onPages(output: string): string {
  return output.replace(/([\w./-]+\.ts)\((\d+),\d+\)/g, (place, file: string, line: string) => {
    const sample = samples.find((one) => one.file === file);
    return sample === undefined ? place : `${sample.page}:${sample.line + Number(line) - 1}`;
  });
}

describe('the samples of README and docs', () => {
  test('are there', () => {
    expect(samples.length).toBeGreaterThan(15);
    expect(using('run').length + using('test').length).toBeGreaterThan(5);
  });

  test('have a file each', () => {
    expect(new Set(samples.map(({ file }) => file)).size).toBe(samples.length);
  });

  test('compile', { timeout: SLOW_MS }, async () => {
    const { output } = await run(join(rootDir, 'node_modules/.bin/tsc'), ['-p', samplesDir]);
    expect(onPages(output)).toBe('');
  });

  test.for(using('run'))('$page:$line prints what it says', { timeout: SLOW_MS }, async (sample) => {
    const { output, stdout, code } = await run(process.execPath, [join(samplesDir, sample.file)]);
    expect(code, output).toBe(0);
    expect(stdout.trimEnd().split('\n'), output).toEqual(printedBy(sample));
  });

  test('that are tests pass', { timeout: SLOW_MS }, async () => {
    const { output, code } = await run(join(rootDir, 'node_modules/.bin/vitest'), [
      'run',
      '--config',
      join(samplesDir, 'vitest.config.ts'),
    ]);
    expect(code, output).toBe(0);
  });
});

test.for(pages)('the links of %s lead somewhere', (page) => {
  const text = readFileSync(join(rootDir, page), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)].map(
    ([, inline, html]) => inline ?? html!,
  );
  const local = links.filter((link) => !/^(https?:|mailto:|#)/.test(link)).map((link) => link.replace(/#.*$/, ''));
  expect(local.filter((link) => !existsSync(join(rootDir, dirname(page), link)))).toEqual([]);
});
