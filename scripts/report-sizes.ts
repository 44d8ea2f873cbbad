/** Lists long functions and files of the sources. A report, never a failure. */
import { join, relative } from 'node:path';
import { fileLinesMax, functionLinesMax, reportSizes } from './checks/size.ts';
import { listSources, readSource } from './checks/source.ts';
import { readWorkspace } from './checks/workspace.ts';

const rootDir = join(import.meta.dirname, '..');
const folders = [...readWorkspace(rootDir).packages.map(({ folder }) => `${folder}/src`), 'scripts'];
const long = folders
  .flatMap((folder) => listSources(join(rootDir, folder)))
  .flatMap((path) => reportSizes(readSource(path), relative(rootDir, path)));
for (const sentence of long) console.error(sentence);
console.error(`sizes: ${long.length} functions over ${functionLinesMax} or files over ${fileLinesMax} lines`);
