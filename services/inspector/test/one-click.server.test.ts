/** From `npm start` to a chart that is lit up: the link that it prints, opened. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createContext, findOnPath } from '../../../scripts/setup/context.mjs';
import { drawnChart } from '../page/probes.ts';
import { chromiumPath, launch, openPage, screenshot } from './support/browser.ts';

const main = join(import.meta.dirname, '../../../examples/docs-desk/src/main.ts');
/** Gives a program a terminal, which the example asks for before it stays. */
const script = findOnPath('script', createContext().env);
const LINK_MS = 60_000;

describe.skipIf(chromiumPath === undefined || script === undefined)('npm start at a terminal', () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-click-'));
  let desk: ChildProcess;
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch();
  });

  afterAll(async () => {
    // Its own process group: the terminal's program and all that it started.
    if (desk?.pid !== undefined) process.kill(-desk.pid, 'SIGTERM');
    await browser?.close();
    await new Promise((resolve) =>
      desk === undefined || desk.exitCode !== null ? resolve(0) : desk.once('exit', resolve),
    );
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  test('prints one link, and that opens on the lit-up chart of the actor that was asked last', async () => {
    writeFileSync(join(folder, 'garden.md'), '# Roses\n\nRoses are watered in the morning.\n');
    const command = [process.execPath, main, '--docs', folder, '--nats-port', '0', '--data', join(folder, 'data')];
    desk = spawn(script!, ['-qefc', command.join(' '), '/dev/null'], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const link = await linkIn(desk);
    const { page, problems } = await openPage(browser, link);
    await page.locator('.state.active').first().waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/actor\/desk\//);
    expect(await page.locator('.state.active').count()).toBeGreaterThan(1);
    expect((await page.evaluate(drawnChart)).escaped).toEqual([]);
    await screenshot(page, 'one-click');
    expect(problems).toEqual([]);
  });
});

function linkIn(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const timer = setTimeout(() => reject(new Error(`no link within ${LINK_MS} ms; seen:\n${seen}`)), LINK_MS);
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
      const found = /look inside: (http:\/\/\S+)/.exec(seen)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
  });
}
