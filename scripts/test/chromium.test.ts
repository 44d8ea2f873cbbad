import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ensureChromium } from '../setup/chromium.mjs';
import { type Context, createContext } from '../setup/context.mjs';
import { TemporaryFolder } from './temporary-folder.ts';

const prints = 'echo "Chromium 156.0"';

function contextIn(folder: TemporaryFolder, env: Record<string, string> = {}): Context {
  const toolsDir = join(folder.path, 'tools');
  return createContext({ toolsDir, env: { PATH: '', HOME: folder.path, ...env }, platform: 'linux', log: () => {} });
}

describe('finding a Chromium', () => {
  test('the one named by TROUPE_CHROMIUM is taken before that on PATH', async () => {
    using folder = new TemporaryFolder();
    folder.command('bin/chromium', prints);
    const named = folder.command('named', prints);
    const context = contextIn(folder, { PATH: join(folder.path, 'bin'), TROUPE_CHROMIUM: named });
    expect(await ensureChromium(context, { fetch: false })).toEqual({ path: named });
  });

  test('one that was named and does not run is a problem, whatever else there is', async () => {
    using folder = new TemporaryFolder();
    folder.command('bin/chromium', prints);
    const named = folder.command('named', 'echo broken >&2; exit 3');
    const context = contextIn(folder, { PATH: join(folder.path, 'bin'), TROUPE_CHROMIUM: named });
    const found = await ensureChromium(context, { fetch: false });
    expect(found).toEqual({ problem: expect.stringContaining(`TROUPE_CHROMIUM: ${named} --version failed`) });
  });

  test('TROUPE_CHROMIUM set to nothing means none, and nothing is fetched', async () => {
    using folder = new TemporaryFolder();
    folder.command('bin/chromium', prints);
    const context = contextIn(folder, { PATH: join(folder.path, 'bin'), TROUPE_CHROMIUM: '' });
    expect(await ensureChromium(context)).toEqual({ problem: 'TROUPE_CHROMIUM is empty' });
  });

  test("without one on PATH, the newest of Playwright's cache is taken, and the tool cache comes last", async () => {
    using folder = new TemporaryFolder();
    const cached = folder.command('tools/chromium/chromium', prints);
    const context = contextIn(folder);
    expect(await ensureChromium(context, { fetch: false })).toEqual({ path: cached });
    folder.command('.cache/ms-playwright/chromium-999/chrome-linux/chrome', prints);
    const newest = folder.command('.cache/ms-playwright/chromium-1200/chrome-linux64/chrome', prints);
    expect(await ensureChromium(context, { fetch: false })).toEqual({ path: newest });
  });

  test('one that does not run is passed over, and what was tried is told', async () => {
    using folder = new TemporaryFolder();
    folder.command('bin/chromium', 'exit 127');
    const context = contextIn(folder, { PATH: join(folder.path, 'bin') });
    const found = await ensureChromium(context, { fetch: false });
    expect(found).toEqual({ problem: expect.stringContaining('--version failed (exit code 127)') });
  });

  test('where there is no apt, nothing is fetched and that is said', async () => {
    using folder = new TemporaryFolder();
    const found = await ensureChromium(contextIn(folder));
    expect(found).toEqual({ problem: expect.stringContaining('apt: this is no Debian') });
  });
});
