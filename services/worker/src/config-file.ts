/** Finding and loading a project's config file. */
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TroupeConfig } from '@troupe/agent';
import { isTroupeConfig } from '@troupe/agent/internal';
import { TroupeError } from '@troupe/wire';

/** Names that are looked for, in this order, in each folder. */
export const CONFIG_NAMES = ['troupe.config.ts', 'troupe.config.mts', 'troupe.config.js', 'troupe.config.mjs'] as const;

/** A config, and the file it came from. */
export interface LoadedConfig {
  readonly file: string;
  readonly config: TroupeConfig;
}

/**
 * The config file that counts: the one that was named, else the nearest one from `cwd` upward.
 *
 * @returns undefined when none was named and none is there.
 * @throws TroupeError `ConfigInvalid` when the named one isn't there.
 */
export function findConfigFile(cwd: string, named?: string): string | undefined {
  if (named !== undefined && named !== '') {
    const file = resolve(cwd, named);
    if (isFile(file)) return file;
    throw new TroupeError('ConfigInvalid', `There is no config file at ${file}. Check --config or TROUPE_CONFIG.`);
  }
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const found = CONFIG_NAMES.map((name) => join(folder, name)).find(isFile);
    if (found !== undefined) return found;
    if (dirname(folder) === folder) return undefined;
  }
}

/**
 * Loads a config file: TypeScript as it is, with types only (Node strips them).
 *
 * @throws TroupeError `ConfigInvalid` when it can't be loaded or doesn't export a config, with the cause.
 */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (cause) {
    throw new TroupeError('ConfigInvalid', `${file} can't be loaded: ${firstLine(cause)}`, { cause });
  }
  if (isTroupeConfig(module.default)) return { file, config: module.default };
  throw new TroupeError(
    'ConfigInvalid',
    `${file} has ${module.default === undefined ? 'no default export' : 'a default export that defineConfig did not make'}. Write: export default defineConfig({ actors: [...] }).`,
  );
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function firstLine(cause: unknown): string {
  return cause instanceof Error ? `${cause.message.split('\n')[0]}` : String(cause);
}
