import { chmodSync, copyFileSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, isExecutableFile, SetupError } from './context.mjs';
import { installFolder, readTextFile, writeFileAtomic } from './files.mjs';
import { withLock } from './lock.mjs';
import { natsServerFromApt } from './nats-apt.mjs';
import { parseOsRelease, planSources } from './nats-plan.mjs';
import { natsServerFromRelease } from './nats-release.mjs';
import { runCommand, tail, withProgress } from './process.mjs';
import { compareVersions, natsServerVersionMin } from './versions.mjs';

/**
 * @typedef {import('./context.mjs').Context} Context
 * @typedef {import('./nats-plan.mjs').Source} Source
 * @typedef {{ path: string } | { problem: string }} Found
 */

/** What people know the sources by. */
const labels = {
  explicit: 'TROUPE_NATS_SERVER',
  path: 'PATH',
  cache: 'tool cache',
  apt: 'apt',
  homebrew: 'Homebrew',
  release: 'official release',
};

/**
 * Finds a nats-server that is new enough, fetching one into the tool cache if the machine has none.
 *
 * @param {Context} context
 * @param {Source[]} [sources] defaults to the plan for this machine
 * @returns {Promise<string>} its path
 * @throws {SetupError} saying what was tried and how to give a server by hand
 */
export async function ensureNatsServer(context, sources = planSources(describeMachine(context))) {
  /** @type {string[]} */
  const tried = [];
  const present = sources.filter(isPresentSource);
  const path = await firstUsable(context, present, tried);
  if (path !== undefined) return path;
  const fetching = sources.filter((source) => !isPresentSource(source));
  const fetched =
    fetching.length > 0 &&
    (await withLock(join(context.toolsDir, 'nats-server.lock'), context, async () => {
      const byAnother = await firstUsable(context, [{ kind: 'cache' }], []);
      if (byAnother !== undefined) return byAnother;
      for (const line of tried) context.log(`nats-server: ${line}`);
      return firstUsable(context, fetching, tried);
    }));
  if (fetched) return fetched;
  throw new SetupError(describeFailure(context, tried));
}

/** @param {Source} source */
function isPresentSource({ kind }) {
  return kind === 'explicit' || kind === 'path' || kind === 'cache';
}

/**
 * @param {Context} context
 * @returns {import('./nats-plan.mjs').Machine}
 */
function describeMachine({ platform, arch, env }) {
  const osRelease = parseOsRelease(readTextFile('/etc/os-release') ?? '');
  return { platform, arch, env, osRelease, hasCommand: (name) => findOnPath(name, env) !== undefined };
}

/**
 * @param {Context} context
 * @param {Source[]} sources
 * @param {string[]} tried gets a line for each source that did not serve
 * @returns {Promise<string | undefined>}
 */
async function firstUsable(context, sources, tried) {
  for (const source of sources) {
    const found = await find(context, source);
    const problem = 'problem' in found ? found.problem : await refusal(context, found.path);
    if ('path' in found && problem === '') return found.path;
    tried.push(`${labels[source.kind]}: ${problem}`);
    if (!isPresentSource(source) && source.skip === undefined) context.log(`nats-server: ${tried.at(-1)}`);
  }
  return undefined;
}

/**
 * @param {Context} context
 * @param {Source} source
 * @returns {Promise<Found>}
 */
async function find(context, source) {
  if (source.skip !== undefined) return { problem: source.skip };
  switch (source.kind) {
    case 'explicit':
      return isExecutableFile(source.path)
        ? { path: source.path }
        : { problem: `${source.path} is not an executable file` };
    case 'path': {
      const path = findOnPath('nats-server', context.env);
      return path === undefined ? { problem: 'no nats-server' } : { path };
    }
    case 'cache': {
      const path = cachedServer(context);
      return isExecutableFile(path) ? { path } : { problem: `nothing in ${context.toolsDir}` };
    }
    case 'homebrew':
      return withProgress(context, 'installing nats-server with Homebrew', () => fromHomebrew(context));
    case 'apt':
      return withProgress(context, `fetching nats-server from the ${source.family} archive (${source.suite})`, () =>
        fetchIntoCache(context, (workDir) => natsServerFromApt(source, workDir)),
      );
    case 'release':
      return withProgress(context, `downloading ${source.asset}`, () =>
        fetchIntoCache(context, (workDir) => natsServerFromRelease(source, workDir)),
      );
  }
}

/** @param {Pick<Context, 'toolsDir' | 'platform' | 'arch'>} context */
function cachedServer({ toolsDir, platform, arch }) {
  return join(toolsDir, `nats-server-${platform}-${arch}`, 'nats-server');
}

/**
 * Puts the server that `fetch` finds into the tool cache, if it may stay there.
 *
 * @param {Context} context
 * @param {(workDir: string) => Promise<Found>} fetch
 * @returns {Promise<Found>}
 */
async function fetchIntoCache(context, fetch) {
  const workDir = join(context.toolsDir, `nats-server.work-${process.pid}`);
  rmSync(workDir, { recursive: true, force: true });
  mkdirSync(workDir, { recursive: true });
  try {
    const found = await fetch(workDir);
    if ('problem' in found) return found;
    chmodSync(found.path, 0o755);
    const problem = await refusal(context, found.path);
    if (problem !== '') return { problem };
    const path = cachedServer(context);
    await installFolder(join(path, '..'), async (temporary) =>
      copyFileSync(found.path, join(temporary, 'nats-server')),
    );
    return { path };
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

/**
 * @param {Context} context
 * @returns {Promise<Found>}
 */
async function fromHomebrew(context) {
  const env = { ...context.env, HOMEBREW_NO_AUTO_UPDATE: '1', HOMEBREW_NO_ENV_HINTS: '1', NONINTERACTIVE: '1' };
  const installed = await runCommand('brew', ['install', '--quiet', 'nats-server'], { env, timeoutMs: 900_000 });
  if (!installed.ok) return { problem: `brew install failed (${installed.reason})\n${tail(installed.output, 4)}` };
  const prefix = await runCommand('brew', ['--prefix', 'nats-server'], { env });
  const path = join(prefix.stdout.trim(), 'bin/nats-server');
  return prefix.ok && isExecutableFile(path) ? { path } : { problem: `brew installed it, but ${path} is not there` };
}

/**
 * Says why the server at `path` can't be used; empty when it can.
 *
 * @param {Context} context
 * @param {string} path
 */
async function refusal(context, path) {
  const version = await serverVersion(context, path);
  if ('problem' in version) return version.problem;
  if (compareVersions(version.version, natsServerVersionMin) >= 0) return '';
  return `${path} is nats-server ${version.version}, but ${natsServerVersionMin} or later is needed`;
}

/**
 * The version of a server, remembered for as long as the file is the same.
 *
 * @param {Context} context
 * @param {string} path
 * @returns {Promise<{ version: string } | { problem: string }>}
 */
async function serverVersion(context, path) {
  const memoFile = join(context.toolsDir, 'nats-server-versions.json');
  const { mtimeMs, size } = statSync(path);
  const key = `${path}|${mtimeMs}|${size}`;
  const memo = readMemo(memoFile);
  const known = memo[key];
  if (known !== undefined) return { version: known };
  const outcome = await runCommand(path, ['--version'], { timeoutMs: 20_000 });
  if (!outcome.ok) return { problem: `${path} --version failed (${outcome.reason})\n${tail(outcome.output, 4)}` };
  const version = /v?(\d+\.\d+\.\d+\S*)/.exec(outcome.output)?.[1];
  if (version === undefined) return { problem: `${path} --version printed no version: ${outcome.output.trim()}` };
  writeFileAtomic(memoFile, JSON.stringify(Object.fromEntries([...Object.entries(memo).slice(-20), [key, version]])));
  return { version };
}

/**
 * @param {string} file
 * @returns {Record<string, string>}
 */
function readMemo(file) {
  try {
    return JSON.parse(readTextFile(file) ?? '{}');
  } catch {
    return {};
  }
}

/**
 * @param {Context} context
 * @param {string[]} tried
 */
function describeFailure({ platform, arch }, tried) {
  return [
    `no usable nats-server (${natsServerVersionMin} or later) for ${platform}-${arch}. Tried:`,
    ...tried.map((line) => `  - ${line}`),
    'To give one by hand: install it from https://nats.io/download and put it on PATH,',
    'or set TROUPE_NATS_SERVER to the path of the binary.',
  ].join('\n');
}
