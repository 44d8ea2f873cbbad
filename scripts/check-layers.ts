/** Checks the borders between packages: see `checks/layers.ts` for the rules and `layers.json` for the layers. */
import { join } from 'node:path';
import { checkLayers, type Layers } from './checks/layers.ts';
import { reportProblems } from './checks/report.ts';
import { readJson, readWorkspace } from './checks/workspace.ts';

const rootDir = join(import.meta.dirname, '..');
reportProblems('layers', checkLayers(readWorkspace(rootDir), readJson<Layers>(join(rootDir, 'layers.json'))));
