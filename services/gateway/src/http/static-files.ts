/**
 * The files of the page.
 *
 * Invariants
 * 1. Only what was found in the folder when the gateway started is served: a request names an entry of that list, it is never
 *    made into a path. Links and files whose name begins with a dot are not followed and not listed.
 * 2. At most `FILES_MAX` files of at most `FILE_BYTES_MAX` each.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { TroupeError } from '@troupe/wire';

export interface StaticFile {
  readonly body: Buffer;
  readonly contentType: string;
  readonly etag: string;
}

const FILES_MAX = 2_000;
const FILE_BYTES_MAX = 16 * 1_048_576;
const INDEX = 'index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;

  /** Reads the folder. @throws TroupeError `ConfigInvalid` when it is no page. */
  constructor(dir: string) {
    const files = new Map<string, StaticFile>();
    for (const path of filesUnder(dir)) files.set(relative(dir, path).split(sep).join('/'), readStatic(path));
    if (!files.has(INDEX)) throw new TroupeError('ConfigInvalid', `The page's folder ${dir} holds no ${INDEX}.`);
    this.#files = files;
  }

  /**
   * The file of a path; the page itself for one that names no file and asks for HTML, so that deep links work.
   *
   * @param path decoded segments joined by slashes, without the first slash
   */
  find(path: string, wantsHtml: boolean): StaticFile | undefined {
    const file = this.#files.get(path === '' ? INDEX : path);
    return file ?? (wantsHtml ? this.#files.get(INDEX) : undefined);
  }
}

function filesUnder(dir: string): string[] {
  let entries: string[];
  try {
    entries = readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter(
        (path) =>
          !relative(dir, path)
            .split(sep)
            .some((name) => name.startsWith('.')),
      );
  } catch (cause) {
    throw new TroupeError('ConfigInvalid', `The page's folder ${dir} can't be read.`, { cause });
  }
  if (entries.length <= FILES_MAX) return entries;
  throw new TroupeError(
    'ConfigInvalid',
    `The page's folder ${dir} holds ${entries.length} files, at most ${FILES_MAX} are served.`,
  );
}

function readStatic(path: string): StaticFile {
  const { size } = statSync(path);
  if (size > FILE_BYTES_MAX)
    throw new TroupeError('ConfigInvalid', `${path} has ${size} bytes, at most ${FILE_BYTES_MAX} are served.`);
  const body = readFileSync(path);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
  return { body, contentType: TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream', etag };
}
