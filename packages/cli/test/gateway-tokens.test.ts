import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatewayTokens } from '@troupe/cli/internal';
import { afterAll, beforeAll, expect, test } from 'vitest';

const TOKEN = 'a-token-of-the-cli-tests';
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'troupe-tokens-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function write(name: string, text: string, mode: number): string {
  const file = join(dir, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

test('tokens come from the file and from the environment', () => {
  const file = write('good', `read grafana ${TOKEN}\n`, 0o600);
  const env = { TROUPE_GATEWAY_OPERATE_TOKEN: `${TOKEN}2`, TROUPE_GATEWAY_READ_TOKEN: '' };
  expect(gatewayTokens(file, env)).toEqual([
    { role: 'read', name: 'grafana', token: TOKEN },
    { role: 'operate', name: 'env-operate', token: `${TOKEN}2` },
  ]);
  expect(gatewayTokens(undefined, {})).toEqual([]);
});

test.each([
  ['others may read it', 'loose', `read a ${TOKEN}`, 0o644, 'chmod 600'],
  ['it holds none', 'empty', '# nobody\n', 0o600, 'holds none'],
  ['it is malformed', 'bad', `root a ${TOKEN}`, 0o600, 'line 1'],
])('a file of tokens is refused when %s, without telling them', (_why, name, text, mode, message) => {
  const file = write(name, text, mode);
  let seen = '';
  try {
    gatewayTokens(file, {});
  } catch (error) {
    seen = (error as Error).message;
  }
  expect(seen).toContain(message);
  expect(seen).not.toContain(TOKEN);
});

test('a file of tokens that is not there is named', () => {
  expect(() => gatewayTokens('/not/there', {})).toThrow('/not/there');
});
