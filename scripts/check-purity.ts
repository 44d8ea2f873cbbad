/** Refuses the clock and randomness in the packages whose every function must give the same answer twice. */
import { join, relative } from 'node:path';
import { checkPurity } from './checks/purity.ts';
import { reportProblems } from './checks/report.ts';
import { listSources, readSource } from './checks/source.ts';

const rootDir = join(import.meta.dirname, '..');
const pureFolders = ['packages/wire/src', 'packages/core/src'];

/** Replaces those globals while a machine's own code runs, so it has to name them. */
const exempt = 'packages/core/src/machine/seeded-globals.ts';

const problems = pureFolders
  .flatMap((folder) => listSources(join(rootDir, folder)))
  .map((path) => relative(rootDir, path))
  .filter((path) => path !== exempt)
  .flatMap((path) => checkPurity(readSource(join(rootDir, path)), path));
reportProblems('purity', problems);
