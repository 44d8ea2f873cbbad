/**
 * Forgotten exports: a public signature that names a type which nobody outside can name. Read from the declarations that
 * the compiler emits, where inferred types are spelled out.
 *
 * 1. The public door names its exports one by one.
 * 2. A type that a public declaration mentions is exported from the public door too.
 */
import { dirname, resolve } from 'node:path';
import { isNode, type Node, type Source, walk } from './source.ts';

/** Where a name is declared. */
interface Declared {
  file: string;
  name: string;
}

/** A declaration file, indexed. */
interface DeclarationFile {
  /** Top-level declarations by name; a name may have several (overloads, a type beside a value). */
  declarations: Map<string, Node[]>;
  /** Local name to what a relative import brings. */
  imports: Map<string, Declared>;
  /** Exported name to where it comes from. */
  exports: Map<string, Declared>;
  starExports: string[];
}

/** Loads the declaration file of a source path (`/…/src/a.ts`), or nothing when it lies outside the package. */
export type LoadDeclarations = (path: string) => Source | undefined;

/** @returns one sentence per violation */
export function checkForgotten(indexPath: string, load: LoadDeclarations): string[] {
  const library = new Library(load);
  const index = library.file(indexPath);
  if (index === undefined) return [`${indexPath}: no declarations; run tsc -b first`];
  if (index.starExports.length > 0)
    return [`${indexPath}: "export *" from ${index.starExports.join(', ')}; name the exports`];
  const entries = [...index.exports].map(([name, from]) => ({ name, at: library.resolve(from) }));
  const open = new Set(entries.map(({ at }) => keyOf(at)));
  const forgotten = new Map<string, string>();
  for (const { name, at } of entries) {
    for (const used of library.mentionedBy(at)) {
      const key = keyOf(used);
      if (!open.has(key) && !forgotten.has(key)) {
        forgotten.set(key, `${used.file}: ${used.name} is part of the public ${name} but not exported from the index`);
      }
    }
  }
  return [...forgotten.values()];
}

function keyOf({ file, name }: Declared): string {
  return `${file}#${name}`;
}

class Library {
  readonly #load: LoadDeclarations;
  readonly #files = new Map<string, DeclarationFile | undefined>();

  constructor(load: LoadDeclarations) {
    this.#load = load;
  }

  file(path: string): DeclarationFile | undefined {
    if (!this.#files.has(path)) {
      const source = this.#load(path);
      this.#files.set(path, source && indexFile(path, source));
    }
    return this.#files.get(path);
  }

  /** Follows re-exports to the declaration itself. */
  resolve(at: Declared): Declared {
    const file = this.file(at.file);
    const next = file?.exports.get(at.name) ?? file?.imports.get(at.name);
    return next === undefined || keyOf(next) === keyOf(at) ? at : this.resolve(next);
  }

  /** What the declaration's text refers to inside the package; names of other packages are theirs to export. */
  mentionedBy(at: Declared): Declared[] {
    const file = this.file(at.file);
    return (file?.declarations.get(at.name) ?? []).flatMap((declaration) =>
      namesIn(declaration, at.file).flatMap((used) => {
        const local = file?.imports.get(used.name) ?? (file?.declarations.has(used.name) ? used : undefined);
        const target = used.file === at.file ? local : used;
        return target === undefined ? [] : this.#inPackage(this.resolve(target));
      }),
    );
  }

  /** What only passes through from another package is declared nowhere here. */
  #inPackage(at: Declared): Declared[] {
    return this.file(at.file)?.declarations.has(at.name) ? [at] : [];
  }
}

function indexFile(path: string, source: Source): DeclarationFile {
  const file: DeclarationFile = { declarations: new Map(), imports: new Map(), exports: new Map(), starExports: [] };
  for (const statement of source.program.body as Node[]) indexStatement(file, path, statement);
  return file;
}

function indexStatement(file: DeclarationFile, path: string, statement: Node): void {
  if (statement.type === 'ImportDeclaration') indexImport(file, path, statement);
  if (statement.type === 'ExportAllDeclaration') file.starExports.push(sourceOf(statement) ?? '');
  if (statement.type === 'ExportNamedDeclaration') indexExports(file, path, statement);
  if (statement.type === 'ExportDefaultDeclaration') {
    declare(file, path, 'default', statement.declaration as Node, true);
    return;
  }
  const exported = isNode(statement.declaration) ? statement.declaration : undefined;
  const declaration = exported ?? statement;
  for (const name of declaredNames(declaration)) declare(file, path, name, declaration, exported !== undefined);
}

function declare(file: DeclarationFile, path: string, name: string, node: Node, exported: boolean): void {
  file.declarations.set(name, [...(file.declarations.get(name) ?? []), node]);
  if (exported) file.exports.set(name, { file: path, name });
}

function indexImport(file: DeclarationFile, path: string, statement: Node): void {
  const from = resolveRelative(path, sourceOf(statement));
  if (from === undefined) return;
  for (const specifier of statement.specifiers as Node[]) {
    const local = nameOf(specifier.local);
    const imported = specifier.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(specifier.imported);
    if (local !== undefined && imported !== undefined) file.imports.set(local, { file: from, name: imported });
  }
}

function indexExports(file: DeclarationFile, path: string, statement: Node): void {
  const source = sourceOf(statement);
  const from = source === undefined ? path : resolveRelative(path, source);
  for (const specifier of statement.specifiers as Node[]) {
    const local = nameOf(specifier.local) ?? '';
    const exported = nameOf(specifier.exported) ?? local;
    if (from === undefined) file.exports.set(exported, { file: `${source}`, name: local });
    else if (source !== undefined) file.exports.set(exported, { file: from, name: local });
    else file.exports.set(exported, file.imports.get(local) ?? { file: path, name: local });
  }
}

function declaredNames(node: Node): string[] {
  const own = nameOf(node.id);
  if (own !== undefined) return [own];
  if (node.type !== 'VariableDeclaration') return [];
  return (node.declarations as Node[]).map(({ id }) => nameOf(id)).filter((name) => name !== undefined);
}

/** Every type name in a declaration, without those it introduces itself. */
function namesIn(declaration: Node, path: string): Declared[] {
  const found: Declared[] = [];
  const introduced = new Set<string>();
  walk(declaration, (node) => {
    if (node.type === 'TSTypeParameter') introduced.add(nameOf(node.name) ?? '');
    if (isPrivateMember(node)) return false;
    const imported = node.type === 'TSImportType' ? importTypeOf(node, path) : undefined;
    const name = referredName(node);
    if (imported !== undefined) found.push(imported);
    else if (name !== undefined) found.push({ file: path, name });
    return true;
  });
  return found.filter(({ name }) => !introduced.has(name));
}

function isPrivateMember({ accessibility, key }: Node): boolean {
  return accessibility === 'private' || (isNode(key) && key.type === 'PrivateIdentifier');
}

function referredName(node: Node): string | undefined {
  switch (node.type) {
    case 'TSTypeReference':
      return leftmost(node.typeName);
    case 'TSTypeQuery':
      return leftmost(node.exprName);
    case 'TSInterfaceHeritage':
    case 'TSClassImplements':
      return leftmost(node.expression);
    case 'ClassDeclaration':
      return leftmost(node.superClass);
    default:
      return undefined;
  }
}

function leftmost(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  return value.type === 'TSQualifiedName' ? leftmost(value.left) : nameOf(value);
}

function importTypeOf(node: Node, path: string): Declared | undefined {
  const literal = [node.source, node.argument].find(isNode);
  const from = resolveRelative(path, typeof literal?.value === 'string' ? literal.value : undefined);
  const name = leftmost(node.qualifier);
  return from === undefined || name === undefined ? undefined : { file: from, name };
}

function nameOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!isNode(value)) return undefined;
  const name = value.name ?? value.value;
  return typeof name === 'string' ? name : undefined;
}

function sourceOf({ source }: Node): string | undefined {
  return isNode(source) && typeof source.value === 'string' ? source.value : undefined;
}

function resolveRelative(path: string, specifier: string | undefined): string | undefined {
  return specifier?.startsWith('.') ? resolve(dirname(path), specifier).replace(/\.js$/, '.ts') : undefined;
}
