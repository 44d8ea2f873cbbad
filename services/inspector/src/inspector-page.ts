/**
 * The page as a folder of static files, bundled from `page/` when it is first asked for.
 *
 * Invariants
 * 1. The folder's name is the hash of what is in it: an edited page has a new folder, an unchanged one is found again.
 * 2. A folder is there completely or not at all, however many processes make it at once.
 * 3. Nothing is fetched: not here, and not by the page.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Where the page is made. */
export interface InspectorPageOptions {
  /** Folder for the bundle. Default: `TROUPE_CACHE_DIR`, else `.cache` of the checkout. */
  readonly cacheDir?: string;
}

/** Folders of earlier bundles that are kept: a browser may still show one. */
const KEPT_MAX = 4;
const PACKAGE_DIR = join(import.meta.dirname, '..');

/**
 * Makes the page if it isn't there yet, in about a quarter of a second.
 *
 * @returns the folder, to be served under `/`: `index.html` for every path that names no file.
 * @throws Error when the bundle can't be made or written, naming the file.
 * @example startGateway({ page: await inspectorPage() });
 */
export async function inspectorPage(options: InspectorPageOptions = {}): Promise<{ readonly dir: string }> {
  const files = await bundle();
  const hash = createHash('sha256');
  for (const [name, content] of files) hash.update(`${name}\0${content.length}\0`).update(content);
  const parent = join(cacheDir(options), 'inspector');
  const dir = join(parent, hash.digest('hex').slice(0, 16));
  if (!existsSync(dir)) {
    write(dir, files);
    forgetOld(parent, dir);
  }
  return { dir };
}

async function bundle(): Promise<ReadonlyMap<string, Uint8Array>> {
  const result = await build({
    absWorkingDir: PACKAGE_DIR,
    entryPoints: { app: 'page/main.tsx' },
    outdir: 'out',
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    // Of `wire` the page needs what reads machines; the whole of it would bring the codec, which makes code from text.
    alias: { '@troupe/wire': fileURLToPath(new URL('structure.ts', import.meta.resolve('@troupe/wire'))) },
    legalComments: 'none',
    logLevel: 'silent',
    tsconfigRaw: '{}',
  });
  const files = new Map<string, Uint8Array>();
  for (const { path, contents } of result.outputFiles) files.set(path.split(/[\\/]/).at(-1)!, contents);
  const worker = createRequire(import.meta.url).resolve('elkjs/lib/elk-worker.min.js');
  files.set('elk-worker.js', readFileSync(worker));
  for (const name of ['index.html', 'icon.svg']) files.set(name, readFileSync(join(PACKAGE_DIR, 'page', name)));
  return files;
}

function cacheDir({ cacheDir }: InspectorPageOptions): string {
  const wanted = resolve(cacheDir ?? process.env.TROUPE_CACHE_DIR ?? join(PACKAGE_DIR, '../../.cache'));
  try {
    mkdirSync(wanted, { recursive: true });
    return wanted;
  } catch (error) {
    if (cacheDir !== undefined) throw error;
    return join(tmpdir(), 'troupe-cache');
  }
}

function write(dir: string, files: ReadonlyMap<string, Uint8Array>): void {
  const temporary = `${dir}.partial-${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    for (const [name, content] of files) writeFileSync(join(temporary, name), content);
    renameSync(temporary, dir);
  } catch (error) {
    // Another process was faster, with the same content.
    if (!existsSync(join(dir, 'index.html'))) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function forgetOld(parent: string, current: string): void {
  const folders = readdirSync(parent)
    .filter((name) => /^[0-9a-f]{16}$/.test(name))
    .map((name) => join(parent, name))
    .filter((path) => path !== current)
    .map((path) => ({ path, at: statSync(path).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of folders.slice(KEPT_MAX - 1)) rmSync(path, { recursive: true, force: true });
}
