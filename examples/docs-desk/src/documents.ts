/** The Markdown files of installed packages, or of a folder, each for a librarian. Reads the disk; knows no actors. */
import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, join, posix, relative, sep } from 'node:path';

/** A file that a librarian should know. */
export interface Document {
  /** Which librarian: the name of a package, or of a folder. */
  readonly librarian: string;
  /** Relative to the package or folder, with `/`. */
  readonly file: string;
  readonly path: string;
  readonly bytes: number;
  /** Of the content. */
  readonly hash: string;
}

/** What was found, and what was passed over: files that are too large, or one too many. */
export interface Found {
  readonly documents: readonly Document[];
  readonly passedOver: readonly string[];
}

/** Larger files are passed over: generated references, data. */
export const FILE_BYTES_MAX = 2 * 1024 * 1024;
/** Files of one librarian. */
export const FILES_PER_LIBRARIAN_MAX = 500;
/** A folder with more becomes several librarians: its subfolders. */
const FOLDER_BYTES_MAX = 300 * 1024;
const DEPTH_MAX = 8;
/** Longer names of librarians aren't made longer: an actor's key has at most 256 bytes. */
const NAME_CHARS_MAX = 60;

const MARKDOWN = /\.(md|mdx|markdown)$/i;
/** Translations say the same again; a licence answers no question. */
const TRANSLATION = /^readme[._-](?!md$|mdx$|markdown$)[a-z]{2}([_-][a-z]{2,4})?\.[a-z]+$/i;
const NOT_DOCUMENTATION =
  /^(licen[cs]e|copying|notice|code[-_]of[-_]conduct|authors|maintainers|pull_request_template|issue_template)/i;
const SKIPPED_FOLDERS = new Set([
  'node_modules',
  'test',
  'tests',
  '__tests__',
  'fixtures',
  'vendor',
  'dist',
  'coverage',
]);

/**
 * The documentation of every package that pnpm has installed under a workspace, in the newest version where there are
 * several; and that of the workspace itself, as librarian `troupe`.
 */
export function findPackageDocuments(workspaceDir: string): Found {
  const roots = packageRoots(join(workspaceDir, 'node_modules/.pnpm')).set('troupe', workspaceDir);
  const found = [...roots].map(([name, root]) => atMost(readFolder(root, name), FILES_PER_LIBRARIAN_MAX));
  return { documents: found.flatMap((one) => one.documents), passedOver: found.flatMap((one) => one.passedOver) };
}

/**
 * The documentation in a folder: one librarian for all of it, or one per subfolder where it is much.
 *
 * @throws Error when there is no such folder
 */
export function findFolderDocuments(folder: string): Found {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`There is no folder ${folder}.`);
  const name = basename(realpathSync(folder)).slice(0, NAME_CHARS_MAX) || 'docs';
  const { documents, passedOver } = readFolder(folder, name);
  return { documents: byFolder(documents, name, ''), passedOver };
}

/** Package roots by package name, the newest version of each. */
function packageRoots(storeDir: string): Map<string, string> {
  const roots = new Map<string, { root: string; version: string }>();
  for (const entry of entriesOf(storeDir)) {
    const modules = join(storeDir, entry.name, 'node_modules');
    for (const name of packageNames(modules)) {
      const root = join(modules, name);
      const version = versionOf(root);
      const known = roots.get(name);
      if (version !== undefined && (known === undefined || compareVersions(version, known.version) > 0))
        roots.set(name, { root, version });
    }
  }
  return new Map([...roots].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { root }]) => [name, root]));
}

/** Only real folders: what a package depends on is linked beside it. */
function packageNames(modules: string): string[] {
  return entriesOf(modules).flatMap((entry) => {
    if (!entry.isDirectory() || entry.name.startsWith('.')) return [];
    if (!entry.name.startsWith('@')) return [entry.name];
    return entriesOf(join(modules, entry.name)).flatMap((inner) =>
      inner.isDirectory() ? [`${entry.name}/${inner.name}`] : [],
    );
  });
}

function versionOf(root: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version?: string }).version;
  } catch {
    return undefined;
  }
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function readFolder(root: string, librarian: string): Found {
  const documents: Document[] = [];
  const passedOver: string[] = [];
  for (const path of markdownFiles(root, 0)) {
    const file = relative(root, path).split(sep).join(posix.sep);
    const bytes = statSync(path).size;
    if (bytes > FILE_BYTES_MAX) passedOver.push(path);
    else if (bytes > 0) documents.push({ librarian, file, path, bytes, hash: hashOf(readFileSync(path)) });
  }
  return { documents, passedOver };
}

function markdownFiles(folder: string, depth: number): string[] {
  if (depth > DEPTH_MAX) return [];
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return entry.name.startsWith('.') || SKIPPED_FOLDERS.has(entry.name) ? [] : markdownFiles(path, depth + 1);
    return entry.isFile() && isDocumentation(entry.name) ? [path] : [];
  });
}

/** Whether a file of this name is documentation that people ask about. */
export function isDocumentation(name: string): boolean {
  return MARKDOWN.test(name) && !TRANSLATION.test(name) && !NOT_DOCUMENTATION.test(name);
}

function byFolder(documents: readonly Document[], librarian: string, prefix: string): Document[] {
  const bytes = documents.reduce((sum, document) => sum + document.bytes, 0);
  const folders = new Map<string, Document[]>();
  const own: Document[] = [];
  for (const document of documents) {
    const rest = document.file.slice(prefix.length);
    const at = rest.indexOf('/');
    if (at < 0) own.push(document);
    else folders.set(rest.slice(0, at), [...(folders.get(rest.slice(0, at)) ?? []), document]);
  }
  if (
    (bytes <= FOLDER_BYTES_MAX && documents.length <= FILES_PER_LIBRARIAN_MAX) ||
    folders.size === 0 ||
    librarian.length > NAME_CHARS_MAX
  )
    return chunked(documents, librarian);
  const below = [...folders].flatMap(([folder, inside]) =>
    byFolder(inside, `${librarian}/${folder}`, `${prefix}${folder}/`),
  );
  return [...chunked(own, librarian), ...below];
}

/** A folder of many files becomes `name`, `name~2`, `name~3` ... */
function chunked(documents: readonly Document[], librarian: string): Document[] {
  let bytes = 0;
  let files = 0;
  let chunk = 1;
  return documents.map((document) => {
    if (files === FILES_PER_LIBRARIAN_MAX || (files > 0 && bytes + document.bytes > FOLDER_BYTES_MAX)) {
      chunk++;
      bytes = 0;
      files = 0;
    }
    bytes += document.bytes;
    files++;
    return { ...document, librarian: chunk === 1 ? librarian : `${librarian}~${chunk}` };
  });
}

function atMost({ documents, passedOver }: Found, countMax: number): Found {
  const over = documents.slice(countMax).map(({ path }) => path);
  return { documents: documents.slice(0, countMax), passedOver: [...passedOver, ...over] };
}

function hashOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

/** In order of name; nothing for a folder that isn't there or can't be read. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}
