/**
 * The borders between packages.
 *
 * 1. A package depends only on packages of a strictly lower layer; examples are above all of them.
 * 2. Its tsconfig refers to exactly the packages that its manifest depends on, and the root's to all of them.
 * 3. Its sources import only what its `dependencies` declare; its tests also what the root's manifest declares.
 * 4. Another package is entered by its two doors only: the public one and `/internal`.
 * 5. A confined module is imported only in the folders that `layers.json` names for it.
 */
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import type { Request } from './source.ts';
import type { FileImports, Manifest, Package, Workspace } from './workspace.ts';

export interface Layers {
  layers: Record<string, number>;
  /** By module: the folders whose sources may import it, and why no others. */
  confined: Record<string, { to: string[]; reason: string }>;
}

/** @returns one sentence per violation; empty when all borders hold */
export function checkLayers(workspace: Workspace, layers: Layers): string[] {
  const byName = new Map(workspace.packages.map((member) => [member.manifest.name, member]));
  return [
    ...workspace.packages.flatMap((member) => [
      ...checkManifest(member, byName, layers),
      ...checkReferences(member, byName),
      ...member.sources.flatMap((file) => checkSource(file, member, layers)),
      ...member.tests.flatMap((file) => checkTest(file, member, workspace.root.manifest)),
    ]),
    ...checkRootReferences(workspace),
    ...checkNames(byName, layers),
  ];
}

/** Rule 1. */
function checkManifest({ folder, manifest }: Package, byName: Map<string, Package>, layers: Layers): string[] {
  const own = layerOf(folder, manifest.name, layers);
  if (own === undefined) return [`${folder}/package.json: ${manifest.name} has no layer in layers.json`];
  const used = Object.keys({
    ...manifest.devDependencies,
    ...manifest.optionalDependencies,
    ...dependenciesOf(manifest),
  });
  return used.flatMap((name) => {
    const other = byName.get(name);
    if (other === undefined) return [];
    const layer = layerOf(other.folder, name, layers) ?? Number.POSITIVE_INFINITY;
    if (layer < own) return [];
    return [
      `${folder}/package.json: ${manifest.name} (layer ${own}) depends on ${name} (layer ${layer}), not below it`,
    ];
  });
}

function layerOf(folder: string, name: string, { layers }: Layers): number | undefined {
  return layers[name] ?? (folder.startsWith('examples/') ? Number.POSITIVE_INFINITY : undefined);
}

/** Rule 2. */
function checkReferences({ folder, manifest, references }: Package, byName: Map<string, Package>): string[] {
  if (references === undefined) return [`${folder}/tsconfig.json is missing`];
  const depended = Object.keys(dependenciesOf(manifest)).map((name) => byName.get(name)?.folder);
  const wanted = depended.filter((other) => other !== undefined);
  return compareSets(`${folder}/tsconfig.json`, references, wanted, 'the manifest');
}

/** Rule 2. */
function checkRootReferences({ root, packages }: Workspace): string[] {
  const folders = packages.map(({ folder }) => folder);
  // Inside a package there may be another project, for another kind of machine: a page, for browsers.
  const own = (path: string): boolean => !folders.some((folder) => path.startsWith(`${folder}/`));
  const references = root.references.filter(own);
  return [
    ...compareSets('tsconfig.json', references, [...folders, 'tsconfig.tests.json'], 'the workspace'),
    ...compareSets('tsconfig.tests.json', root.testReferences.filter(own), folders, 'the workspace'),
  ];
}

function compareSets(where: string, references: string[], wanted: string[], source: string): string[] {
  return [
    ...wanted
      .filter((path) => !references.includes(path))
      .map((path) => `${where}: no reference to ${path}, which is in ${source}`),
    ...references
      .filter((path) => !wanted.includes(path))
      .map((path) => `${where}: refers to ${path}, which is not in ${source}`),
  ];
}

/** A misspelt name in `layers.json` would otherwise never be noticed. */
function checkNames(byName: Map<string, Package>, { layers }: Layers): string[] {
  return Object.keys(layers)
    .filter((name) => !byName.has(name))
    .map((name) => `layers.json: there is no package ${name}`);
}

/** Rules 3 to 5. */
function checkSource(file: FileImports, { folder, manifest }: Package, layers: Layers): string[] {
  const declared = new Set(Object.keys({ ...dependenciesOf(manifest), ...manifest.optionalDependencies }));
  return file.requests.flatMap((request) => {
    const where = `${file.path}:${request.line}`;
    return [
      ...checkDeclared(where, file, request, folder, declared),
      ...checkDoor(where, request),
      ...checkConfined(where, file, request, layers),
    ];
  });
}

/** Rules 3 and 4. */
function checkTest(file: FileImports, { folder, manifest }: Package, root: Manifest): string[] {
  const own = { ...manifest.devDependencies, ...manifest.optionalDependencies, ...dependenciesOf(manifest) };
  const declared = new Set([
    manifest.name,
    ...Object.keys({ ...own, ...dependenciesOf(root), ...root.devDependencies }),
  ]);
  return file.requests.flatMap((request) => {
    const where = `${file.path}:${request.line}`;
    return [...checkDeclared(where, file, request, folder, declared), ...checkDoor(where, request)];
  });
}

/** Rule 3. */
function checkDeclared(
  where: string,
  file: FileImports,
  { specifier }: Request,
  folder: string,
  declared: Set<string>,
): string[] {
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(file.path), specifier);
    if (target.startsWith(`${folder}/`) || (file.path.includes('/test/') && target.startsWith('scripts/'))) return [];
    return [`${where}: "${specifier}" leaves ${folder}; import the package by its name`];
  }
  const name = packageName(specifier);
  if (isBuiltin(specifier) || declared.has(name)) return [];
  return [`${where}: "${specifier}" is not in the dependencies of ${folder}/package.json`];
}

/** Rule 4. */
function checkDoor(where: string, { specifier }: Request): string[] {
  const name = packageName(specifier);
  if (!name.startsWith('@troupe/') || specifier === name || specifier === `${name}/internal`) return [];
  return [`${where}: "${specifier}" goes past the doors of ${name}, which are "${name}" and "${name}/internal"`];
}

/** Rule 5. */
function checkConfined(where: string, { path }: FileImports, { specifier }: Request, { confined }: Layers): string[] {
  const rule = confined[packageName(specifier)];
  if (rule === undefined || rule.to.some((folder) => path.startsWith(`${folder}/`))) return [];
  return [`${where}: "${specifier}" may be imported only in ${rule.to.join(', ')}: ${rule.reason}`];
}

function dependenciesOf(manifest: Manifest): Record<string, string> {
  return { ...manifest.dependencies, ...manifest.peerDependencies };
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}
