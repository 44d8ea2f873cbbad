import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const repositoryDir = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * What setup needs to know about the machine. Everything that asks the outside goes through here, so that tests can hand
 * in another machine.
 *
 * @typedef {object} Context
 * @property {string} rootDir the checkout
 * @property {string} toolsDir where fetched tools live; inside `TROUPE_CACHE_DIR` (default `.cache`)
 * @property {NodeJS.Platform} platform
 * @property {string} arch as `process.arch` spells it
 * @property {Record<string, string | undefined>} env
 * @property {(line: string) => void} log one progress line, for people
 */

/**
 * @param {Partial<Context>} [overrides]
 * @returns {Context}
 */
export function createContext(overrides = {}) {
  const env = overrides.env ?? process.env;
  const rootDir = overrides.rootDir ?? repositoryDir;
  return {
    rootDir,
    toolsDir: join(resolve(env.TROUPE_CACHE_DIR || join(rootDir, '.cache')), 'tools'),
    platform: process.platform,
    arch: process.arch,
    env,
    log: (line) => process.stderr.write(`setup: ${line}\n`),
    ...overrides,
  };
}

/**
 * An error whose message is meant for the person at the terminal: no stack trace is shown.
 */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';
}

/**
 * Finds a command as a shell would.
 *
 * @param {string} name
 * @param {Record<string, string | undefined>} env
 * @returns {string | undefined} the absolute path
 */
export function findOnPath(name, env) {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue;
    const candidate = resolve(folder, name);
    if (isExecutableFile(candidate)) return candidate;
  }
  return undefined;
}

/** @param {string} path */
export function isExecutableFile(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
