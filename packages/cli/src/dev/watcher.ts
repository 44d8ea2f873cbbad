/** Notices when a project's code changes. */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, extname, relative, sep } from 'node:path';

/** Files whose change can change what a worker does. */
const EXTENSIONS = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json']);
/** Folders that code doesn't stand in. */
const IGNORED = new Set(['node_modules', 'dist', 'coverage', 'test-output']);
/** Editors write in several steps; one reload for all of them. */
const SETTLE_MS = 120;

/** Calls back with the files that changed, once they have settled. */
export function watchCode(paths: readonly string[], onChange: (files: readonly string[]) => void): { close(): void } {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const note = (file: string): void => {
    changed.add(file);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const files = [...changed];
      changed.clear();
      onChange(files);
    }, SETTLE_MS);
  };
  const watchers = paths.map((path) => watchPath(path, note));
  return {
    close: () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

function watchPath(path: string, note: (file: string) => void): FSWatcher {
  const isFolder = statSync(path).isDirectory();
  return watch(path, { recursive: isFolder }, (_event, name) => {
    if (!isFolder) note(basename(path));
    else if (name !== null && isCode(name)) note(name);
  });
}

/** @example isCode('agents/order.ts') // true */
export function isCode(file: string): boolean {
  const parts = relative('.', file).split(sep);
  if (parts.some((part) => part.startsWith('.') || IGNORED.has(part))) return false;
  return EXTENSIONS.has(extname(file));
}
