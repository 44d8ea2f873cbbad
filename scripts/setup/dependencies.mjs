import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupError } from './context.mjs';
import { readTextFile, writeFileAtomic } from './files.mjs';
import { withLock } from './lock.mjs';
import { pnpmPath, withoutNpmRun } from './npm-tools.mjs';
import { runCommand, tail, withProgress } from './process.mjs';

/** @typedef {import('./context.mjs').Context} Context */

/** Inside `node_modules`, so that removing that folder removes the stamp too. */
const stampFile = 'node_modules/.troupe-setup';

/**
 * Installs what the lockfile says, unless the stamp shows that it has been done.
 *
 * @param {Context} context
 * @param {string} nodePath
 */
export async function ensureDependencies(context, nodePath) {
  if (areInstalled(context)) return;
  await withLock(join(context.rootDir, '.cache/dependencies.lock'), context, async () => {
    if (areInstalled(context)) return;
    await withProgress(context, 'installing dependencies (pnpm install --frozen-lockfile)', () =>
      install(context, nodePath),
    );
    writeFileAtomic(join(context.rootDir, stampFile), fingerprint(context));
  });
}

/** @param {Context} context */
function areInstalled(context) {
  if (readTextFile(join(context.rootDir, stampFile)) !== fingerprint(context)) return false;
  return manifests(context.rootDir).every((manifest) => {
    const folder = dirname(manifest);
    return existsSync(join(folder, 'node_modules')) || !/"(devD|d)ependencies"/.test(readFileSync(manifest, 'utf8'));
  });
}

/**
 * @param {Context} context
 * @param {string} nodePath
 */
async function install(context, nodePath) {
  const args = [pnpmPath(context), 'install', '--frozen-lockfile'];
  const outcome = await runCommand(nodePath, args, {
    cwd: context.rootDir,
    env: { ...withoutNpmRun(context.env), CI: '1' }, // CI: it must never ask a question.
    timeoutMs: 900_000,
  });
  if (outcome.ok) return;
  const hint = outcome.output.includes('OUTDATED_LOCKFILE')
    ? '\n  A manifest changed: run `node scripts/bootstrap.mjs exec pnpm install` and commit pnpm-lock.yaml.'
    : '';
  throw new SetupError(`pnpm install failed (${outcome.reason}):\n${tail(outcome.output)}${hint}`);
}

/**
 * Changes when anything does that `pnpm install` reads.
 *
 * @param {Pick<Context, 'rootDir' | 'platform' | 'arch'>} context
 */
export function fingerprint({ rootDir, platform, arch }) {
  const hash = createHash('sha256').update(`${platform}-${arch}`);
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc'].map((name) => join(rootDir, name));
  for (const file of [...files, ...manifests(rootDir)]) {
    hash.update(`\0${file.slice(rootDir.length)}\0${readTextFile(file) ?? ''}`);
  }
  return hash.digest('hex');
}

/**
 * The manifests of the workspace, in order.
 *
 * @param {string} rootDir
 * @returns {string[]} absolute paths
 */
export function manifests(rootDir) {
  const found = [join(rootDir, 'package.json')];
  for (const group of ['packages', 'services', 'examples']) {
    const folder = join(rootDir, group);
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder).sort()) {
      const manifest = join(folder, name, 'package.json');
      if (existsSync(manifest)) found.push(manifest);
    }
  }
  return found;
}
