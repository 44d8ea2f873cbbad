import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { chromiumFromApt } from './chromium-apt.mjs';
import { findOnPath, isExecutableFile } from './context.mjs';
import { installFolder } from './files.mjs';
import { withLock } from './lock.mjs';
import { runCommand, tail, withProgress } from './process.mjs';

/**
 * @typedef {import('./context.mjs').Context} Context
 * @typedef {{ path: string } | { problem: string }} Found
 */

/** What Chromium and its siblings are called by distributions. */
const commandNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Where a browser of Playwright's lies inside its cache folder. */
const playwrightPaths = [
  'chrome-linux64/chrome',
  'chrome-linux/chrome',
  'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
  'chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
];

/**
 * Finds a Chromium for the tests of the pages, fetching Debian's into the tool cache where that is possible. A browser is
 * no condition of anything but those tests, so the lack of one is an answer and not an error.
 *
 * @param {Context} context
 * @param {{ fetch?: boolean }} [options] `fetch` (default true): whether one may be fetched
 * @returns {Promise<Found>} its path, or what was tried
 */
export async function ensureChromium(context, { fetch = true } = {}) {
  const explicit = context.env.TROUPE_CHROMIUM;
  // Set to nothing means: no browser here.
  if (explicit === '') return { problem: 'TROUPE_CHROMIUM is empty' };
  if (explicit !== undefined) {
    const problem = await refusal(explicit);
    return problem === '' ? { path: explicit } : { problem: `TROUPE_CHROMIUM: ${problem}` };
  }
  const tried = [];
  for (const path of presentBrowsers(context)) {
    const problem = await refusal(path);
    if (problem === '') return { path };
    tried.push(problem);
  }
  if (tried.length === 0) tried.push("none on PATH, in Playwright's cache or in the tool cache");
  if (!fetch) return { problem: tried.join('; ') };
  const fetched = await withLock(join(context.toolsDir, 'chromium.lock'), context, () => fetchOnce(context));
  return 'path' in fetched ? fetched : { problem: [...tried, fetched.problem].join('; ') };
}

/**
 * @param {Context} context
 * @returns {string[]} likeliest first
 */
function presentBrowsers(context) {
  const onPath = commandNames.map((name) => findOnPath(name, context.env));
  const paths = [
    ...onPath.filter((path) => path !== undefined),
    ...playwrightBrowsers(context),
    cachedBrowser(context),
  ];
  return paths.filter(isExecutableFile);
}

/** @param {Pick<Context, 'env' | 'platform'>} context */
function playwrightBrowsers({ env, platform }) {
  const usual = platform === 'darwin' ? 'Library/Caches/ms-playwright' : '.cache/ms-playwright';
  const folder = env.PLAYWRIGHT_BROWSERS_PATH || join(env.HOME || homedir(), usual);
  /** @type {string[]} */
  let names = [];
  try {
    names = readdirSync(folder).filter((name) => /^chromium-\d+$/.test(name));
  } catch {
    return [];
  }
  names.sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)));
  return names.flatMap((name) => playwrightPaths.map((path) => join(folder, name, path)));
}

/** @param {Pick<Context, 'toolsDir'>} context */
function cachedFolder({ toolsDir }) {
  return join(toolsDir, 'chromium');
}

/** @param {Pick<Context, 'toolsDir'>} context */
function cachedBrowser(context) {
  return join(cachedFolder(context), 'chromium');
}

/**
 * @param {Context} context
 * @returns {Promise<Found>}
 */
async function fetchOnce(context) {
  const path = cachedBrowser(context);
  if (isExecutableFile(path)) return { path };
  const { platform, env, toolsDir } = context;
  if (platform !== 'linux' || !findOnPath('apt-get', env) || !findOnPath('dpkg', env)) {
    return { problem: 'apt: this is no Debian' };
  }
  const workDir = join(toolsDir, `chromium.work-${process.pid}`);
  rmSync(workDir, { recursive: true, force: true });
  mkdirSync(workDir, { recursive: true });
  try {
    return await withProgress(context, "fetching Debian's chromium with apt, into the tool cache", async () => {
      /** @type {Found} */
      let result = { problem: '' };
      await installFolder(cachedFolder(context), async (folder) => {
        result = await chromiumFromApt(workDir, folder);
        if ('problem' in result) rmSync(folder, { recursive: true, force: true });
      }).catch((error) => {
        if (!('problem' in result) || result.problem === '') result = { problem: `apt: ${error.message}` };
      });
      if ('problem' in result) return result;
      const problem = await refusal(path);
      if (problem === '') return { path };
      // Left there, it would be found and refused for ever.
      rmSync(cachedFolder(context), { recursive: true, force: true });
      return { problem };
    });
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

/**
 * Says why the browser at `path` can't be used; empty when it can.
 *
 * @param {string} path
 */
async function refusal(path) {
  const outcome = await runCommand(path, ['--version', '--no-sandbox'], { timeoutMs: 30_000 });
  if (outcome.ok && /chrom/i.test(outcome.output)) return '';
  return `${path} --version failed (${outcome.reason || 'it is no Chromium'})\n${tail(outcome.output, 4)}`;
}
