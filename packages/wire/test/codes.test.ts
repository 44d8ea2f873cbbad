import { readFileSync } from 'node:fs';
import { CODES, codeInfo, isErrorCode, statusOf } from '@troupe/wire';
import { describe, expect, test } from 'vitest';

const page = readFileSync(new URL('../../../docs/reference/errors.md', import.meta.url), 'utf8');
const documented = new Map(
  [...page.matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no) \| (.+) \| (.+) \|$/gm)].map((row) => [
    row[1]!,
    { status: Number(row[2]), retryable: row[3] === 'yes', meaning: row[4]!, action: row[5]! },
  ]),
);

describe('the table of codes', () => {
  test('every code is documented in docs/reference/errors.md, word for word', () => {
    for (const [code, info] of Object.entries(CODES)) expect(documented.get(code), code).toEqual(info);
  });

  test('every documented code exists', () => {
    for (const code of documented.keys()) expect(isErrorCode(code), code).toBe(true);
    expect(documented.size).toBe(Object.keys(CODES).length);
  });

  test('every row has a number between 400 and 599 and whole sentences', () => {
    for (const [code, info] of Object.entries(CODES)) {
      expect(info.status, code).toBeGreaterThanOrEqual(400);
      expect(info.status, code).toBeLessThan(600);
      expect(info.meaning, code).toMatch(/^[A-Z].*\.$/);
      expect(info.action, code).toMatch(/^[A-Z].*\.$/);
    }
  });

  test('a code outside the table counts as 500 and has no row', () => {
    expect(statusOf('OutOfStock')).toBe(500);
    expect(codeInfo('OutOfStock')).toBeUndefined();
    expect(codeInfo('toString')).toBeUndefined();
  });
});
