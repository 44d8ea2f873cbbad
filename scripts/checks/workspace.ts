import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { manifests } from '../setup/dependencies.mjs';
import { listSources, type Request, readSource, requestsOf } from './source.ts';

export interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** One file with what it imports. */
export interface FileImports {
  /** From the root of the repository, with forward slashes. */
  path: string;
  requests: Request[];
}

/** One package of the workspace. */
export interface Package {
  /** From the root of the repository: `packages/wire`. */
  folder: string;
  manifest: Manifest;
  /** The folders that its tsconfig refers to; `undefined` when it has no tsconfig. */
  references: string[] | undefined;
  sources: FileImports[];
  tests: FileImports[];
}

export interface Workspace {
  root: { manifest: Manifest; references: string[]; testReferences: string[] };
  packages: Package[];
}

export function readWorkspace(rootDir: string): Workspace {
  const [rootManifest, ...others] = manifests(rootDir);
  return {
    root: {
      manifest: readJson(rootManifest ?? join(rootDir, 'package.json')),
      references: readReferences(rootDir, join(rootDir, 'tsconfig.json')) ?? [],
      testReferences: readReferences(rootDir, join(rootDir, 'tsconfig.tests.json')) ?? [],
    },
    packages: others.map((path) => readPackage(rootDir, path)),
  };
}

function readPackage(rootDir: string, manifestPath: string): Package {
  const folder = dirname(manifestPath);
  return {
    folder: relative(rootDir, folder),
    manifest: readJson(manifestPath),
    references: readReferences(rootDir, join(folder, 'tsconfig.json')),
    sources: ['src', 'page'].flatMap((name) => readImports(rootDir, join(folder, name))),
    tests: readImports(rootDir, join(folder, 'test')),
  };
}

function readImports(rootDir: string, folder: string): FileImports[] {
  return listSources(folder).map((path) => ({
    path: relative(rootDir, path),
    requests: requestsOf(readSource(path)),
  }));
}

function readReferences(rootDir: string, tsconfig: string): string[] | undefined {
  if (!existsSync(tsconfig)) return undefined;
  const { references = [] } = readJson<{ references?: { path: string }[] }>(tsconfig);
  return references.map(({ path }) => relative(rootDir, resolve(dirname(tsconfig), path)));
}

export function readJson<Value>(path: string): Value {
  return JSON.parse(readFileSync(path, 'utf8')) as Value;
}
