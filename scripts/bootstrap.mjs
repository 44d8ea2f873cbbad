#!/usr/bin/env node
/**
 * The one entrance: brings Node, pnpm, the dependencies and nats-server to the machine if they are missing, then runs the
 * target under that Node. Needs nothing but the host's Node 20 or later and npm; changes nothing outside the tool cache
 * (`.cache`, or `TROUPE_CACHE_DIR`) and `node_modules`. Its own words go to stderr; stdout belongs to the target.
 */
import { realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createContext, SetupError } from './setup/context.mjs';
import { ensureDependencies } from './setup/dependencies.mjs';
import { link, writeShim } from './setup/files.mjs';
import { withLock } from './setup/lock.mjs';
import { ensureNatsServer } from './setup/nats-server.mjs';
import { chooseNode, installNode, installPnpm, isInstalled, pnpmPath } from './setup/npm-tools.mjs';
import { stopCommandsOnSignal } from './setup/process.mjs';
import { runTarget } from './setup/run.mjs';
import { resolveTarget } from './setup/targets.mjs';

/**
 * @param {string[]} argv
 * @returns {Promise<number>} the exit code
 */
async function main(argv) {
  const context = createContext();
  const node = chooseNode(context, { version: process.versions.node, execPath: process.execPath });
  const target = resolveTarget(argv, { rootDir: context.rootDir, nodePath: node.path });
  const stopListening = stopCommandsOnSignal();
  const env = await prepare(context, node, target);
  stopListening();
  return runTarget(target.command, target.args, env);
}

/**
 * @param {import('./setup/context.mjs').Context} context
 * @param {import('./setup/npm-tools.mjs').NodeChoice} node
 * @param {import('./setup/targets.mjs').Target} target
 * @returns {Promise<Record<string, string | undefined>>} the environment of the target
 */
async function prepare(context, node, target) {
  const binDir = join(context.toolsDir, 'bin');
  if (!isInstalled(context, node)) {
    await withLock(join(context.toolsDir, 'npm.lock'), context, async () => {
      await installNode(context, node);
      await installPnpm(context);
    });
  }
  link(binDir, 'node', node.path);
  writeShim(binDir, 'pnpm', [node.path, pnpmPath(context)]);
  if (target.dependencies) await ensureDependencies(context, node.path);
  const natsServer = target.natsServer ? await ensureNatsServer(context) : context.env.TROUPE_NATS_SERVER;
  // A server given by hand counts for this run only: the shared folder keeps the one that was found.
  const explicit = context.env.TROUPE_NATS_SERVER;
  if (target.natsServer && natsServer && !explicit) link(binDir, 'nats-server', realpathSync(natsServer));
  const path = [explicit ? dirname(explicit) : '', binDir, join(context.rootDir, 'node_modules/.bin'), context.env.PATH]
    .filter(Boolean)
    .join(delimiter);
  return {
    // Sources are compiled and stripped of types once, not at every start: a worker starts in about half the time.
    NODE_COMPILE_CACHE: join(context.toolsDir, 'compile-cache'),
    ...context.env,
    PATH: path,
    ...(natsServer ? { TROUPE_NATS_SERVER: natsServer } : {}),
  };
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`setup: ${error.message}\n`);
  process.exitCode = 1;
}
