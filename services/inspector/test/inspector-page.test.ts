import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectorPage } from '@troupe/service-inspector';
import { afterAll, describe, expect, test } from 'vitest';

const cacheDir = mkdtempSync(join(tmpdir(), 'troupe-page-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

describe('the bundle of the page', () => {
  test('made by three at once and again later, it is one folder with all that the page needs', async () => {
    const made = await Promise.all([1, 2, 3].map(() => inspectorPage({ cacheDir })));
    const again = await inspectorPage({ cacheDir });
    expect(new Set([...made, again].map(({ dir }) => dir)).size).toBe(1);
    expect(readdirSync(again.dir).sort()).toEqual(['app.css', 'app.js', 'elk-worker.js', 'icon.svg', 'index.html']);
    expect(readdirSync(join(cacheDir, 'inspector'))).toHaveLength(1);
  });

  test('it asks no other server for anything, and makes no code from text', async () => {
    const { dir } = await inspectorPage({ cacheDir });
    const html = readFileSync(join(dir, 'index.html'), 'utf8');
    expect([...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url)).toEqual([
      '/icon.svg',
      '/app.css',
      '/app.js',
    ]);
    expect(html).not.toMatch(/<script[^>]*>[^<]|style=/);
    const script = readFileSync(join(dir, 'app.js'), 'utf8');
    expect(/new Function|\beval\(|document\.write|https?:\/\/(?!www\.w3\.org)/.exec(script)).toBeNull();
    expect(/url\(|@import/.exec(readFileSync(join(dir, 'app.css'), 'utf8'))).toBeNull();
  });

  test('its sources put values into the page as text only', () => {
    const folder = join(import.meta.dirname, '../page');
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) {
      const text = readFileSync(join(folder, name), 'utf8');
      expect(/innerHTML|outerHTML|insertAdjacent|srcdoc|javascript:/i.exec(text), name).toBeNull();
    }
  });
});
