import { join } from 'node:path';
import { SetupError } from './context.mjs';

/**
 * What is run, and what must be there for it.
 *
 * @typedef {object} Target
 * @property {string} command
 * @property {string[]} args
 * @property {boolean} dependencies it imports packages
 * @property {boolean} natsServer it may start a server
 */

/** Scripts by target name, from the root of the repository. */
const scripts = {
  start: 'examples/docs-desk/src/main.ts',
  test: 'scripts/test.ts',
  verify: 'scripts/verify.ts',
  bench: 'scripts/bench.ts',
  proof: 'scripts/proof.ts',
  simulate: 'scripts/simulate.ts',
  troupe: 'packages/cli/src/main.ts',
};

export const usage = `usage: node scripts/bootstrap.mjs <${[...Object.keys(scripts), 'exec'].join('|')}> [arguments]`;

/**
 * @param {string[]} argv what follows the script's own name
 * @param {{ rootDir: string, nodePath: string }} where
 * @returns {Target}
 * @throws {SetupError} when the target is unknown
 */
export function resolveTarget([name, ...args], { rootDir, nodePath }) {
  if (name === 'exec') {
    const [command, ...rest] = args;
    if (command === undefined) throw new SetupError(`exec needs a command\n${usage}`);
    // pnpm is what one repairs the dependencies with, so it can't wait for them.
    const repairs = command === 'pnpm';
    return { command, args: rest, dependencies: !repairs, natsServer: !repairs };
  }
  if (name === undefined || !Object.hasOwn(scripts, name)) {
    throw new SetupError(name === undefined ? usage : `unknown target "${name}"\n${usage}`);
  }
  const script = join(rootDir, scripts[/** @type {keyof typeof scripts} */ (name)]);
  return {
    command: nodePath,
    args: [script, ...args],
    dependencies: true,
    natsServer: name !== 'verify' && name !== 'simulate',
  };
}
