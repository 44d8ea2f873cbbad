import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readWorkspace } from '../checks/workspace.ts';

const rootDir = join(import.meta.dirname, '../..');

/** Every runtime dependency with the packages that have it, from the manifests. */
function declared(): string[] {
  const users = new Map<string, string[]>();
  for (const { folder, manifest } of readWorkspace(rootDir).packages) {
    if (folder.startsWith('examples/')) continue;
    const { dependencies, optionalDependencies, peerDependencies } = manifest;
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      if (!name.startsWith('@troupe/'))
        users.set(name, [...(users.get(name) ?? []), manifest.name.replace('@troupe/', '')]);
    }
  }
  return [...users].map(([name, packages]) => `${name}: ${packages.sort().join(', ')}`).sort();
}

/** The same from the table of the page: `| \`name\` | packages | reason |`. */
function documented(): { row: string; reason: string }[] {
  const page = readFileSync(join(rootDir, 'docs/reference/dependencies.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$/gm)];
  return rows.map(([, name, packages = '', reason = '']) => ({
    row: `${name}: ${packages.replaceAll('`', '').trim()}`,
    reason,
  }));
}

test('docs/reference/dependencies.md lists each runtime dependency with the packages that have it', () => {
  expect(documented().map(({ row }) => row)).toEqual(declared());
});

test('each has a reason', () => {
  for (const { row, reason } of documented()) expect(reason.trim().length, row).toBeGreaterThan(40);
});
