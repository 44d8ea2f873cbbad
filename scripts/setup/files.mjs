import { mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Fills a folder so that it is there completely or not at all: `fill` works in a sibling that is then renamed.
 *
 * @param {string} folder
 * @param {(temporary: string) => Promise<void>} fill
 */
export async function installFolder(folder, fill) {
  const temporary = `${folder}.partial-${process.pid}`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    await fill(temporary);
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * @param {string} path
 * @param {string} text
 * @param {{ mode?: number }} [options]
 */
export function writeFileAtomic(path, text, options = {}) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.partial-${process.pid}`;
  writeFileSync(temporary, text, options);
  renameSync(temporary, path);
}

/**
 * @param {string} path
 * @returns {string | undefined} `undefined` when it can't be read
 */
export function readTextFile(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Makes `folder/name` a symbolic link to `target`, replacing what was there.
 *
 * @param {string} folder
 * @param {string} name
 * @param {string} target
 */
export function link(folder, name, target) {
  const path = join(folder, name);
  try {
    if (readlinkSync(path) === target) return;
  } catch {
    // Not there, or not a link.
  }
  mkdirSync(folder, { recursive: true });
  const temporary = `${path}.partial-${process.pid}`;
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, path);
}

/**
 * Makes `folder/name` a command that runs another with fixed first arguments.
 *
 * @param {string} folder
 * @param {string} name
 * @param {string[]} command
 */
export function writeShim(folder, name, command) {
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const text = `#!/bin/sh\nexec ${quoted} "$@"\n`;
  const path = join(folder, name);
  if (readTextFile(path) !== text) writeFileAtomic(path, text, { mode: 0o755 });
}
