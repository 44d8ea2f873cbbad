import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './context.mjs';
import { installFolder } from './files.mjs';
import { runCommand, tail, withProgress } from './process.mjs';
import { nodeMajorMin, nodeVersion, pnpmVersion } from './versions.mjs';

/** @typedef {import('./context.mjs').Context} Context */

/** Platforms for which npm has a package with the Node binary, by `<platform>-<arch>`. */
const nodePackages = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/**
 * The Node that will run the target.
 *
 * @typedef {{ kind: 'current', path: string } | { kind: 'package', folder: string, name: string, path: string }} NodeChoice
 */

/**
 * Takes the running Node when it is new enough, else the pinned one of the tool cache.
 *
 * @param {Context} context
 * @param {{ version: string, execPath: string }} running
 * @returns {NodeChoice}
 * @throws {SetupError} when the running Node is too old and npm has none for this platform
 */
export function chooseNode(context, running) {
  if (Number.parseInt(running.version, 10) >= nodeMajorMin) return { kind: 'current', path: running.execPath };
  const target = `${context.platform}-${context.arch}`;
  if (!nodePackages.includes(target)) {
    throw new SetupError(
      `Troupe needs Node ${nodeMajorMin} or later, this is ${running.version}, and npm has no Node binary for ${target} ` +
        `(only for ${nodePackages.join(', ')}). Install Node ${nodeMajorMin} yourself and run again.`,
    );
  }
  const folder = join(context.toolsDir, `node-${nodeVersion}-${target}`);
  const name = `node-${target}`;
  return { kind: 'package', folder, name, path: join(folder, 'node_modules', name, 'bin/node') };
}

/**
 * Whether both Node and pnpm are there.
 *
 * @param {Context} context
 * @param {NodeChoice} choice
 */
export function isInstalled(context, choice) {
  return existsSync(choice.path) && existsSync(pnpmPath(context));
}

/**
 * @param {Context} context
 * @param {NodeChoice} choice
 */
export async function installNode(context, choice) {
  if (choice.kind === 'current' || existsSync(choice.path)) return;
  await installFromNpm(context, { folder: choice.folder, name: choice.name, version: nodeVersion });
}

/** @param {Context} context */
export function pnpmPath(context) {
  return join(pnpmFolder(context), 'node_modules/pnpm/bin/pnpm.mjs');
}

/** @param {Context} context */
export async function installPnpm(context) {
  if (existsSync(pnpmPath(context))) return;
  await installFromNpm(context, { folder: pnpmFolder(context), name: 'pnpm', version: pnpmVersion });
}

/** @param {Context} context */
function pnpmFolder(context) {
  return join(context.toolsDir, `pnpm-${pnpmVersion}-${context.platform}-${context.arch}`);
}

/**
 * Installs one package, without its scripts, into a folder of its own.
 *
 * @param {Context} context
 * @param {{ folder: string, name: string, version: string }} tool
 */
async function installFromNpm(context, { folder, name, version }) {
  const spec = `${name}@${version}`;
  await withProgress(context, `installing ${spec} from npm`, () =>
    installFolder(folder, async (temporary) => {
      writeFileSync(join(temporary, 'package.json'), '{ "private": true }\n'); // Else npm looks for a project above.
      const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=http'];
      const args = ['install', spec, '--save-exact', `--prefix=${temporary}`, ...flags];
      const outcome = await runCommand('npm', args, { cwd: temporary, env: withoutNpmRun(context.env) });
      if (outcome.ok) return;
      throw new SetupError(`npm install ${spec} failed (${outcome.reason}):\n${tail(outcome.output)}`);
    }),
  );
}

/**
 * `npm run` tells its children about the package it runs for, and a nested npm would believe that it is meant. What people
 * set themselves (registry, proxy, certificates) is kept.
 *
 * @param {Record<string, string | undefined>} env
 */
export function withoutNpmRun(env) {
  const ofTheRun =
    /^npm_(package_|lifecycle_|command$|execpath$|node_execpath$|config_(local_prefix|prefix|loglevel)$)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ofTheRun.test(name)));
}
