/** What can be judged of `troupe doctor` without a server; each check with its fault is in doctor.server.test.ts. */
import { readFileSync } from 'node:fs';
import { CHECKS } from '@troupe/cli/internal';
import { describe, expect, test } from 'vitest';
import { ok, problem, unknown, verdictOf, warning } from '../src/doctor/finding.ts';
import type { Look } from '../src/doctor/look.ts';

const server = CHECKS.find(({ name }) => name === 'server')!;
const lookAt = (serverVersion: string) => ({ open: { connection: { serverVersion } } }) as unknown as Look;

describe('the verdict', () => {
  const well = ok('a', 'well');
  test.each([
    ['healthy', [well, well]],
    ['degraded', [well, warning('b', 'not well', 'look')]],
    ['degraded', [well, unknown('b', 'who knows', 'look')]],
    ['failing', [well, warning('b', 'not well', 'look'), problem('c', 'broken', 'mend')]],
  ])('is %s by the worst finding', (verdict, findings) => {
    expect(verdictOf(findings)).toBe(verdict);
  });
});

describe('the check of the server', () => {
  test.each([
    ['2.9.25', 'problem'],
    ['2.11.99', 'problem'],
    ['2.12.0', 'ok'],
    ['3.0.0', 'ok'],
  ])('finds %s to be a %s', async (version, status) => {
    expect(await server.run(lookAt(version))).toMatchObject({ status });
  });
});

describe('docs/guides/health.md', () => {
  test('has every check with what it looks at, in their order', () => {
    const text = readFileSync(new URL('../../../docs/guides/health.md', import.meta.url), 'utf8');
    const rows = [...text.split('<!-- checks -->')[1]!.matchAll(/^\| `([a-z-]+)` \| ([^|]+) \|/gm)];
    expect(rows.map(([, name, looksAt]) => [name, looksAt!.trim()])).toEqual(
      CHECKS.map(({ name, looksAt }) => [name, looksAt]),
    );
  });
});
