/** A real Chromium for tests, found or fetched; the lack of one is said loudly and skips them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { ensureChromium } from '../../../../scripts/setup/chromium.mjs';
import { createContext } from '../../../../scripts/setup/context.mjs';

const OUTPUT = join(import.meta.dirname, '../../test-output');

/** Path of the browser; undefined skips. */
export const chromiumPath: string | undefined = await find();

async function find(): Promise<string | undefined> {
  const found = await ensureChromium(createContext());
  if ('path' in found) return found.path;
  process.stderr.write(
    `\n*** NO CHROMIUM: THE TESTS OF THE INSPECTOR'S PAGE ARE SKIPPED ***\n${found.problem}\nInstall chromium, or set TROUPE_CHROMIUM to the path of one.\n\n`,
  );
  return undefined;
}

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath!,
    // Root has no sandbox; what is shown is our own page.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--force-color-profile=srgb'],
  });
}

export interface WatchedPage {
  readonly page: Page;
  /** What the console said that is an error, what was thrown, and what was asked of other servers. */
  readonly problems: string[];
}

/** A page that keeps account of everything that must not be. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1_360, height: 860 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const problems: string[] = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('dialog', (dialog) => {
    problems.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const { origin } = new URL(url);
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin)
      problems.push(`asked another server: ${request.url()}`);
  });
  await page.goto(url);
  return { page, problems };
}

/** Kept as output of the tests. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(OUTPUT, { recursive: true });
  await page.screenshot({ path: join(OUTPUT, `${name}.png`) });
}

/** CPU time that the page's main thread has used, ms: what a busy machine does not change. */
export async function mainThreadMs(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return 1_000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN);
  };
}
