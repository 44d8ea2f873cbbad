import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findFolderDocuments, findPackageDocuments, isDocumentation } from '@troupe/example-docs-desk/internal';
import { afterAll, describe, expect, test } from 'vitest';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'docs-desk-'));
  folders.push(folder);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

const placesOf = ({ documents }: ReturnType<typeof findFolderDocuments>) =>
  documents.map(({ librarian, file }) => `${librarian} ${file}`);

test('what counts as documentation', () => {
  const yes = ['README.md', 'readme.markdown', 'CHANGELOG.md', 'api.mdx', 'README.old.md'];
  const no = [
    'LICENSE.md',
    'CODE_OF_CONDUCT.md',
    'README.fr.md',
    'README.pt-BR.md',
    'readme_zh-CN.md',
    'index.js',
    'AUTHORS.md',
  ];
  expect(yes.filter(isDocumentation)).toEqual(yes);
  expect(no.filter(isDocumentation)).toEqual([]);
});

describe('the documents of a workspace', () => {
  test("are those of each package's newest version, and the workspace's own", () => {
    const store = 'node_modules/.pnpm';
    const root = folderOf({
      'README.md': 'own',
      [`${store}/a@1.9.0/node_modules/a/package.json`]: '{"version":"1.9.0"}',
      [`${store}/a@1.9.0/node_modules/a/README.md`]: 'old',
      [`${store}/a@1.10.0/node_modules/a/package.json`]: '{"version":"1.10.0"}',
      [`${store}/a@1.10.0/node_modules/a/README.md`]: 'new',
      [`${store}/a@1.10.0/node_modules/a/docs/api.md`]: 'api',
      [`${store}/a@1.10.0/node_modules/a/test/x.md`]: 'no',
      [`${store}/@s+b@1.0.0/node_modules/@s/b/package.json`]: '{"version":"1.0.0"}',
      [`${store}/@s+b@1.0.0/node_modules/@s/b/README.md`]: 'b',
    });
    expect(placesOf(findPackageDocuments(root))).toEqual([
      '@s/b README.md',
      'a README.md',
      'a docs/api.md',
      'troupe README.md',
    ]);
  });
});

describe('the documents of a folder', () => {
  test('belong to one librarian when they are few', () => {
    const root = folderOf({ 'a.md': 'a', 'sub/b.md': 'b', 'empty.md': '' });
    expect(findFolderDocuments(root).documents.map(({ file }) => file)).toEqual(['a.md', 'sub/b.md']);
    expect(new Set(findFolderDocuments(root).documents.map(({ librarian }) => librarian)).size).toBe(1);
  });

  test('belong to one per subfolder when they are many', () => {
    const much = 'word '.repeat(40_000);
    const root = folderOf({ 'a.md': 'a', 'one/b.md': much, 'two/c.md': much, 'two/d.md': much });
    const librarians = findFolderDocuments(root).documents.map(({ librarian }) => librarian.replace(/^[^/~]+/, ''));
    expect(librarians).toEqual(['', '/one', '/two', '/two~2']);
  });

  test('have a hash of their content', () => {
    const [a, b, c] = findFolderDocuments(folderOf({ 'a.md': 'x', 'b.md': 'x', 'c.md': 'y' })).documents;
    expect(a?.hash).toBe(b?.hash);
    expect(a?.hash).not.toBe(c?.hash);
  });

  test('of a folder that is not there are an error', () => {
    expect(() => findFolderDocuments('/nowhere/at/all')).toThrow('There is no folder /nowhere/at/all.');
  });
});
