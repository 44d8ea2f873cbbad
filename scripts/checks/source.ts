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
  let line = 1;
  for (let at = source.text.indexOf('\n'); at >= 0 && at < offset; at = source.text.indexOf('\n', at + 1)) line += 1;
  return line;
}

/** Visits a tree from the top, each node with its parent; when `visit` returns `false`, what lies below is left out. */
export function walk(node: Node, visit: (node: Node, parent: Node | undefined) => unknown, parent?: Node): void {
  if (visit(node, parent) === false) return;
  for (const child of childrenOf(node)) walk(child, visit, node);
}

function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (const value of Object.values(node)) {
    if (isNode(value)) children.push(value);
    else if (Array.isArray(value)) children.push(...value.filter(isNode));
  }
  return children;
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
