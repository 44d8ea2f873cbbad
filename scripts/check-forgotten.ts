/** Checks that whatever a public signature mentions can be imported too. Reads what `tsc -b` emitted. */
import { existsSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { checkForgotten, type LoadDeclarations } from './checks/forgotten.ts';
import { reportProblems } from './checks/report.ts';
import { readSource } from './checks/source.ts';
import { readWorkspace } from './checks/workspace.ts';

const rootDir = join(import.meta.dirname, '..');

function checkPackage(folder: string): string[] {
  const sourceDir = join(rootDir, folder, 'src');
  const typesDir = join(rootDir, '.cache/types', basename(folder));
  const load: LoadDeclarations = (path) => {
    const declarations = join(typesDir, relative(sourceDir, path)).replace(/\.ts$/, '.d.ts');
    return existsSync(declarations) ? readSource(declarations) : undefined;
  };
  return checkForgotten(join(sourceDir, 'index.ts'), load).map((problem) => problem.replaceAll(`${rootDir}/`, ''));
}

const { packages } = readWorkspace(rootDir);
const libraries = packages.filter(({ folder }) => folder.startsWith('packages/'));
reportProblems(
  'forgotten',
  libraries.flatMap(({ folder }) => checkPackage(folder)),
);
