/** The page in a real Chromium, in front of a real gateway, a real worker and a real nats-server. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { overlap } from '../page/chart/geometry.ts';
import { type Drawn, drawnChart, focusedId, hacked, nameless, widths } from '../page/probes.ts';
import { desk, expert, PLANTED, planted, scribe, tour } from './support/agents.ts';
import { chromiumPath, launch, openPage, screenshot } from './support/browser.ts';
import { Stage } from './support/stage.ts';

describe.skipIf(chromiumPath === undefined)('the inspector page', () => {
  let stage: Stage;
  let browser: Browser;
  let url: string;

  beforeAll(async () => {
    stage = await Stage.start([tour, desk, expert, scribe, planted] as never);
    url = (await stage.gateway()).url;
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    await stage?.close();
  });

  // A page that stays open goes on asking.
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
  });

  const open = (path: string, options = {}) => openPage(browser, `${url}${path}`, options);

  test('the list shows actors with state and age, finds them, and opens one', async () => {
    for (let n = 0; n < 5; n++) await stage.troupe.actor('tour', `list-${n}`).ask({ type: 'PING' });
    await stage.troupe.actor('scribe', 'lister').ask('hello');
    const { page, problems } = await open('/');
    await page.getByRole('option', { name: /tour\/list-3/ }).waitFor();
    await page.getByRole('searchbox').fill('list-3');
    await poll(() => page.locator('#actors .row').count()).toBe(1);
    expect(await page.locator('#actors .row').textContent()).toMatch(/tour\/list-3.*idle/);
    await page.getByRole('searchbox').fill('');
    await page.getByLabel('Type', { exact: true }).selectOption('scribe');
    await page.getByRole('option', { name: /scribe\/lister/ }).waitFor();
    await page.locator('#actors').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('tab', { name: 'Chart' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/actor/scribe/lister');
    await screenshot(page, 'list');
    expect(problems).toEqual([]);
  });

  test('the chart of a machine with every kind of state is drawn without overlaps, and lights up live', async () => {
    const actor = stage.troupe.actor('tour', 'chart');
    await actor.ask({ type: 'PING' });
    const { page, problems } = await open('/actor/tour/chart');
    await page.locator('svg.chart').waitFor();
    await active(page, 'tour.idle');
    await actor.ask({ type: 'START' });
    await active(page, 'tour.work.left.one');
    await active(page, 'bring#courier');
    await page.locator('.label.taken[data-label*="START"]').waitFor();
    await actor.ask({ type: 'NEXT' });
    await active(page, 'tour.work.left.two.paid');
    await screenshot(page, 'chart');
    expect(await drawnOverlaps(page)).toEqual([]);
    const kinds = await page.locator('[data-box]').count();
    expect(kinds).toBeGreaterThan(15);
    expect(problems).toEqual([]);
  });

  test('whoever comes late sees the whole history, travels in it, and the actor of a dead worker too', async () => {
    const actor = stage.troupe.actor('tour', 'late');
    for (const type of ['PING', 'START', 'NEXT', 'STOP', 'PING']) await actor.ask({ type });
    const before = await stage.troupe.actor('tour', 'late').snapshot();
    stage.worker!.kill();
    try {
      const { page, problems } = await open('/actor/tour/late?panel=timeline');
      await page.locator('.row.step', { hasText: 'STOP' }).waitFor();
      const rows = await page.locator('.row.step').allInnerTexts();
      expect(rows.filter((row) => /PING|START|NEXT|STOP/.test(row))).toHaveLength(5);
      await page.locator('.row.step', { hasText: 'NEXT' }).click();
      await page.getByRole('tab', { name: 'Chart' }).click();
      await active(page, 'tour.work.left.two.paying');
      await page.getByRole('tab', { name: 'State' }).click();
      await page.locator('.branch-change', { hasText: 'was one' }).first().waitFor();
      const seq = new URL(page.url()).searchParams.get('seq');
      expect(Number(seq)).toBeGreaterThan(0);
      await screenshot(page, 'time-travel');
      await page.getByRole('button', { name: 'Live' }).click();
      await page.getByText(`after entry ${before.seq}`).waitFor();
      expect(problems).toEqual([]);
    } finally {
      await stage.startWorker();
    }
  });

  test('the slider moves through the history by keyboard, and a link to a moment opens there', async () => {
    const actor = stage.troupe.actor('tour', 'slide');
    for (const type of ['START', 'STOP', 'START', 'NEXT']) await actor.ask({ type });
    const { page } = await open('/actor/tour/slide');
    await active(page, 'tour.work.left.two.paid');
    const slider = page.getByRole('slider', { name: 'Moment in the history' });
    await slider.focus();
    await page.keyboard.press('Home');
    await active(page, 'tour.work.left.one');
    const link = page.url();
    expect(link).toContain('seq=');
    await page.keyboard.press('ArrowRight');
    await active(page, 'tour.idle');
    const { page: second } = await open(link.slice(url.length));
    await active(second, 'tour.work.left.one');
  });

  test('a slider that moves on before the address has followed does not jump back', async () => {
    const actor = stage.troupe.actor('tour', 'fast');
    for (const type of ['START', 'STOP', 'START']) await actor.ask({ type });
    const { page } = await open('/actor/tour/fast');
    await active(page, 'tour.work.left.one');
    const slider = page.getByRole('slider', { name: 'Moment in the history' });
    await slider.focus();
    for (let pauseMs = 0; pauseMs <= 120; pauseMs += 15) {
      await page.keyboard.press('Home');
      await page.waitForTimeout(pauseMs);
      await page.keyboard.press('ArrowRight');
      await page.waitForTimeout(250);
      expect(await slider.inputValue(), `${pauseMs} ms after the move before`).toBe('1');
    }
    await active(page, 'tour.idle');
  });

  test('the messages of one cause are a sequence diagram between its actors', async () => {
    await stage.troupe.actor('desk', 'john').ask('where is it?');
    const { page, problems } = await open('/actor/desk/john?panel=sequence');
    await page.locator('svg.sequence').waitFor();
    await poll(() => page.locator('.sequence .lane').count()).toBeGreaterThanOrEqual(3);
    const lanes = await page.locator('.sequence .lane text').allTextContents();
    expect(lanes).toEqual(expect.arrayContaining(['desk/john', 'expert/a', 'scribe/a']));
    await screenshot(page, 'sequence');
    await page.getByRole('link', { name: 'Open scribe/a' }).focus();
    await page.keyboard.press('Enter');
    await poll(() => new URL(page.url()).pathname).toBe('/actor/scribe/a');
    expect(problems).toEqual([]);
  });

  test('an allowed event is sent from the page, and a task', async () => {
    await stage.troupe.actor('tour', 'sent').ask({ type: 'PING' });
    const { page, problems } = await open('/actor/tour/sent?panel=mailbox');
    const what = page.getByLabel('What');
    await poll(() => what.locator('option').allInnerTexts()).toContain('START');
    await what.selectOption('START');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText(/accepted as entry/).waitFor();
    await page.getByRole('tab', { name: 'Chart' }).click();
    await active(page, 'tour.work.left.one');
    expect((await stage.troupe.actor('tour', 'sent').snapshot()).matches('work')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('an input that waits is shown whole, as it is stored, and what each state cost', async () => {
    const actor = stage.troupe.actor('tour', 'stash');
    await actor.ask({ type: 'START' });
    const { seq } = await actor.send({ type: 'RESUME', by: 'ann', since: [1, 2] });
    await actor.snapshot({ minSeq: seq });
    const { page, problems } = await open('/actor/tour/stash?panel=mailbox');
    const waiting = page.locator('.stash summary', { hasText: 'RESUME' });
    await waiting.click();
    await page.locator('.stash .branch', { hasText: '"ann"' }).first().waitFor();
    await page.getByText('Waiting inputs (1, ').waitFor();
    await screenshot(page, 'mailbox');
    await page.getByRole('tab', { name: 'Chart' }).click();
    await page.getByText('Counts, times and costs').click();
    const row = page.locator('.counts tr', {
      has: page.getByRole('rowheader', { name: 'tour.work.left.one', exact: true }),
    });
    await row.waitFor();
    await screenshot(page, 'costs');
    expect(await row.locator('td').first().textContent()).toBe('1');
    expect(problems).toEqual([]);
  });

  test('a dead letter is shown, redriven and dropped', async () => {
    await stage.troupe.actor('scribe', 'dead').signal({ type: 'unheard-of' } as never);
    const { page } = await open('/dead-letters');
    await page.getByRole('button', { name: 'scribe/dead' }).waitFor();
    await screenshot(page, 'dead-letters');
    await page.getByRole('button', { name: 'Redrive' }).first().click();
    // The machine still does not know the event: it comes back as a new letter, and that is said.
    await page
      .getByRole('alert')
      .filter({ hasText: /UnknownEvent|EventRejected/ })
      .waitFor();
    await page.getByRole('button', { name: 'Drop …' }).first().click();
    await page.getByRole('button', { name: 'Drop for good' }).click();
    await page.getByText('There are none.').waitFor();
  });

  test('workers and partitions are shown', async () => {
    const { page, problems } = await open('/workers');
    await page.locator('.workers .card').first().waitFor();
    await poll(() => page.locator('tbody tr').count()).toBe(4);
    await screenshot(page, 'workers');
    expect(problems).toEqual([]);
  });

  test('markup in names, states and messages is shown and never runs', async () => {
    const key = 'x"><script>window.hacked=1</script>';
    await stage.troupe.actor('planted', key).ask(PLANTED);
    await stage.troupe.actor('planted', key).ask({ [PLANTED]: [PLANTED] });
    for (const panel of ['chart', 'timeline', 'state', 'sequence', 'mailbox']) {
      const { page, problems } = await open(`/actor/planted/${encodeURIComponent(key)}?panel=${panel}`);
      await page.getByRole('heading', { name: key }).waitFor();
      if (panel === 'chart') await page.locator('svg.chart text', { hasText: '<img src=x' }).first().waitFor();
      if (panel === 'state') await page.locator('.branch', { hasText: 'onerror' }).first().waitFor();
      if (panel === 'timeline') await page.locator('.row.step', { hasText: 'onerror' }).first().waitFor();
      expect(await page.evaluate(hacked)).toBeUndefined();
      expect(await page.locator('img, script:not([src="/app.js"]), iframe').count()).toBe(0);
      expect(problems).toEqual([]);
      await page.close();
    }
    const response = await fetch(`${url}/actor/planted/x`, { headers: { accept: 'text/html' } });
    expect(response.headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'self'/);
  });

  test('on a phone, in the dark, it reads without scrolling sideways', async () => {
    await stage.troupe.actor('tour', 'phone').ask({ type: 'START' });
    const phone = { viewport: { width: 390, height: 780 }, colorScheme: 'dark', hasTouch: true, isMobile: true };
    const { page, problems } = await open('/', phone);
    await page.getByRole('option', { name: /tour\/phone/ }).click();
    await active(page, 'tour.work.left.one');
    for (const panel of ['Chart', 'Timeline', 'State', 'Mailbox']) {
      await page.getByRole('tab', { name: panel }).click();
      const { page: wide, screen } = await page.evaluate(widths);
      expect(wide, panel).toBeLessThanOrEqual(screen);
      if (panel === 'Chart' || panel === 'Timeline') await screenshot(page, `phone-${panel.toLowerCase()}`);
    }
    expect((await page.evaluate(widths)).background).toBe('rgb(17, 21, 28)');
    await page.getByRole('button', { name: 'All actors' }).click();
    await page.getByRole('searchbox').waitFor();
    expect(problems).toEqual([]);
  });

  test('everything that can be pressed has a name, and tabs are reached by arrow keys', async () => {
    await stage.troupe.actor('tour', 'keys').ask({ type: 'PING' });
    const { page } = await open('/actor/tour/keys');
    await page.locator('svg.chart').waitFor();
    expect(await page.evaluate(nameless)).toEqual([]);
    await page.getByRole('tab', { name: 'Chart' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate(focusedId)).toBe('tab-state');
    await page.getByRole('tree').waitFor();
    expect(await page.locator('[aria-live]').count()).toBeGreaterThan(0);
  });

  test('a page of a token that may only read can look and not act', async () => {
    const readOnly = await stage.gateway({
      tokens: [{ name: 'guest', role: 'read', token: 'a-token-of-thirty-two-characters!' }],
    } as never);
    const { page } = await openPage(browser, `${readOnly.url}/actor/tour/keys?panel=mailbox`, {
      extraHTTPHeaders: { authorization: 'Bearer a-token-of-thirty-two-characters!' },
    });
    await page.getByText('you may only read').waitFor();
    expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
  });
});

/** Patient: a busy machine is no failure. */
function poll<T>(read: () => T | Promise<T>) {
  return expect.poll(read, { timeout: 20_000 });
}

async function active(page: Page, box: string): Promise<void> {
  await page.locator(`[data-box="${box}"][data-active="true"]`).waitFor({ state: 'attached' });
}

/** As they are on the screen: labels over labels, boxes over boxes that are not inside, texts that leave their box. */
async function drawnOverlaps(page: Page): Promise<string[]> {
  const { labels, boxes, escaped } = await page.evaluate(drawnChart);
  const problems = [...escaped];
  const apart = (a: Drawn, b: Drawn): boolean => !overlap(a, b) || holds(a, b) || holds(b, a);
  for (const [at, a] of labels.entries())
    for (const b of labels.slice(at + 1)) if (overlap(a, b)) problems.push(`label ${a.id} over ${b.id}`);
  for (const [at, a] of boxes.entries())
    for (const b of boxes.slice(at + 1)) if (!apart(a, b)) problems.push(`${a.id} over ${b.id}`);
  for (const a of labels)
    for (const b of boxes) if (overlap(a, b) && !holds(b, a)) problems.push(`label ${a.id} over ${b.id}`);
  return problems;
}

function holds(a: Drawn, b: Drawn): boolean {
  return b.x >= a.x - 1 && b.y >= a.y - 1 && b.x + b.width <= a.x + a.width + 1 && b.y + b.height <= a.y + a.height + 1;
}
