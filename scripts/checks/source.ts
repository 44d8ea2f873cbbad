import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ParseResult, parseSync } from 'oxc-parser';

/** A node of the syntax tree, as far as the checks care: its kind, its place, and children under any name. */
export type Node = { type: string; start: number; end: number } & Record<string, unknown>;

/** One parsed TypeScript file. */
export interface Source {
  /** Absolute, or any name when the text did not come from a file. */
  path: string;
  text: string;
  program: Node;
  module: ParseResult['module'];
}

export function parseSource(path: string, text: string): Source {
  const { program, module, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  return { path, text, program: program as unknown as Node, module };
}

export function readSource(path: string): Source {
  return parseSource(path, readFileSync(path, 'utf8'));
}

/** Every `.ts` and `.tsx` file under a folder, in order; none when the folder is missing. */
export function listSources(folder: string): string[] {
  const entries = readFolder(folder).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : listSources(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

function readFolder(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Where an offset lies, counted from 1. */
export function lineOf(source: Pick<Source, 'text'>, offset: number): number {
  return source.text.slice(0, offset).split('\n').length;
}

/**
 * Visits a tree from the top. `visit` gets each node with its ancestors, nearest first; returning `false` leaves out what
 * lies below.
 */
export function walk(
  node: Node,
  visit: (node: Node, ancestors: readonly Node[]) => unknown,
  ancestors: readonly Node[] = [],
) {
  if (visit(node, ancestors) === false) return;
  for (const child of childrenOf(node)) walk(child, visit, [node, ...ancestors]);
}

function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flat()
    .filter((value): value is Node => isNode(value));
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** One module that a file takes something from. */
export interface Request {
  specifier: string;
  line: number;
}

/** Static imports, re-exports, and dynamic imports of a literal. */
export function requestsOf(source: Source): Request[] {
  const { staticImports, staticExports, dynamicImports } = source.module;
  const literals = [
    ...staticImports.map(({ moduleRequest }) => moduleRequest),
    ...staticExports.flatMap(({ entries }) => entries.slice(0, 1).map(({ moduleRequest }) => moduleRequest)),
  ].filter((literal) => literal != null);
  const found = literals.map(({ value, start }) => ({ specifier: value, line: lineOf(source, start) }));
  for (const { moduleRequest } of dynamicImports) {
    const literal = /^(['"`])([^'"`$]*)\1$/.exec(source.text.slice(moduleRequest.start, moduleRequest.end));
    if (literal) found.push({ specifier: literal[2] ?? '', line: lineOf(source, moduleRequest.start) });
  }
  return found;
}
