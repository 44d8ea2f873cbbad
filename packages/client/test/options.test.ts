import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../src/options.ts';
import { parseServers } from '../src/server-url.ts';

const fails = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('options', () => {
  test('defaults', () => {
    expect(resolveOptions({}, {})).toEqual({
      servers: ['nats://127.0.0.1:4222'],
      prefix: 'troupe',
      auth: { kind: 'none' },
      tls: undefined,
      name: 'troupe-client',
      inboxPrefix: '_INBOX',
      connectTimeoutMs: 10_000,
      ackTimeoutMs: 2_000,
      inFlightMax: 4_096,
      queueMax: 65_536,
    });
  });

  test('the environment fills in what is missing, empty strings count as missing', () => {
    const env = {
      TROUPE_NATS_URL: 'nats://a:1',
      TROUPE_PREFIX: 'dev.troupe',
      TROUPE_NATS_TOKEN: '',
      TROUPE_NATS_USER: 'ann',
      TROUPE_NATS_PASS: 'p',
    };
    expect(resolveOptions({ url: '' }, env)).toMatchObject({
      servers: ['nats://a:1'],
      prefix: 'dev.troupe',
      auth: { kind: 'user', user: 'ann', pass: 'p' },
      inboxPrefix: '_INBOX.ann',
    });
    expect(resolveOptions({ url: 'nats://b:2', prefix: 'x' }, env)).toMatchObject({
      servers: ['nats://b:2'],
      prefix: 'x',
    });
  });

  test('a password can lie in a file, and the authority of the servers can be named in the environment', async () => {
    const passFile = join(await mkdtemp(join(tmpdir(), 'troupe-')), 'ann.password');
    await writeFile(passFile, 'hidden');
    const env = {
      TROUPE_NATS_USER: 'ann',
      TROUPE_NATS_PASS_FILE: passFile,
      TROUPE_NATS_CA: '/ca.pem',
      TROUPE_NATS_INBOX_PREFIX: '_INBOX.team.ann',
    };
    const resolved = resolveOptions({}, env);
    expect(resolved).toMatchObject({
      auth: { kind: 'user', user: 'ann', pass: undefined, passFile },
      tls: { caFile: '/ca.pem' },
      inboxPrefix: '_INBOX.team.ann',
    });
    expect(JSON.stringify(resolved)).not.toContain('hidden');
    expect(fails(() => resolveOptions({ user: 'ann', passFile: '/not/there' }, {}))).toMatchObject({
      code: 'ConfigInvalid',
      message: expect.stringContaining('/not/there'),
    });
    expect(fails(() => resolveOptions({ user: 'ann', pass: 'p', passFile }, {}))).toMatchObject({
      code: 'ConfigInvalid',
    });
    expect(fails(() => resolveOptions({ passFile }, {}))).toMatchObject({ code: 'ConfigInvalid' });
  });

  test('who one is comes from the options, else the address, else the environment, never from two of them', () => {
    const env = { TROUPE_NATS_TOKEN: 'secret' };
    expect(resolveOptions({ user: 'ann' }, env).auth).toEqual({ kind: 'user', user: 'ann', pass: undefined });
    expect(resolveOptions({ url: 'nats://bob:p%40ss@a' }, env).auth).toEqual({
      kind: 'user',
      user: 'bob',
      pass: 'p@ss',
    });
    expect(resolveOptions({}, env).auth).toEqual({ kind: 'token', token: 'secret' });
  });

  test('a credentials file is read at once', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'troupe-client-')), 'a.creds');
    await writeFile(path, 'jwt and seed');
    expect(resolveOptions({ creds: path }, {}).auth).toMatchObject({ kind: 'creds', path });
    expect(fails(() => resolveOptions({ creds: `${path}.not` }, {}))).toMatchObject({
      code: 'ConfigInvalid',
      message: expect.stringContaining('a.creds.not'),
    });
  });

  test('an inbox follows a user name only if that can stand in a subject', () => {
    expect(resolveOptions({ user: 'ann@x.org' }, {}).inboxPrefix).toBe('_INBOX');
    expect(resolveOptions({ user: 'ann', inboxPrefix: '_INBOX.team.ann' }, {}).inboxPrefix).toBe('_INBOX.team.ann');
  });

  test.each([
    [{ user: 'a', token: 'b' }, 'user and token'],
    [{ pass: 'b' }, 'a password but no user'],
    [{ inboxPrefix: 'elsewhere' }, 'inboxPrefix'],
    [{ inboxPrefix: '_INBOX.>' }, 'inboxPrefix'],
    [{ ackTimeoutMs: 1 }, 'ackTimeoutMs is 1'],
    [{ inFlightMax: 0.5 }, 'inFlightMax is 0.5'],
    [{ queueMax: Number.NaN }, 'queueMax is NaN'],
    [{ url: 'http://a' }, 'http:'],
    [{ url: ' , ' }, 'names no server'],
  ])('%o is refused, naming the option', (options, text) => {
    expect(fails(() => resolveOptions(options, {}))).toMatchObject({
      code: 'ConfigInvalid',
      message: expect.stringContaining(text),
    });
  });

  test('a prefix that can not stand in a subject is refused', () => {
    expect(fails(() => resolveOptions({ prefix: 'a b' }, {}))).toMatchObject({ code: expect.any(String) });
  });
});

describe('addresses', () => {
  test.each([
    ['127.0.0.1', ['nats://127.0.0.1:4222']],
    ['localhost:4333', ['nats://localhost:4333']],
    ['tls://a.example', ['tls://a.example:4222']],
    ['nats://[::1]:5', ['nats://[::1]:5']],
    ['nats://u:p@a, b:5 ,', ['nats://a:4222', 'nats://b:5']],
  ])('%s', (list, servers) => {
    expect(parseServers(list).servers).toEqual(servers);
  });

  test('a password never shows in an error', () => {
    const error = fails(() => parseServers('ftp://ann:secret@a')) as Error;
    expect(error.message).not.toContain('secret');
  });
});
