/** Options, tokens, sessions, rates and targets, in virtual time. */
import { LIMITS_DEFAULT, parseTokens } from '@troupe/service-gateway';
import { parseTarget, RateLimiter, resolveListenOptions, Sessions, TokenBook } from '@troupe/service-gateway/internal';
import { isTroupeError } from '@troupe/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const TOKEN = 'token-of-24-characters--';
const tokens = [{ name: 'ann', role: 'operate', token: TOKEN }] as const;

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (isTroupeError(error, 'ConfigInvalid') || isTroupeError(error, 'InvalidPayload')) return error.message;
    throw error;
  }
  return 'nothing was thrown';
}

describe('where a gateway listens', () => {
  test('is this machine by default, under its own names', () => {
    expect(resolveListenOptions()).toMatchObject({
      host: '127.0.0.1',
      port: 4280,
      hosts: ['localhost', '127.0.0.1', '[::1]'],
      limits: LIMITS_DEFAULT,
    });
  });

  test.each(['127.0.0.1:0', '127.9.9.9:80', 'localhost:4280', '[::1]:4280'])('may be %s without tokens', (listen) => {
    expect(resolveListenOptions({ listen }).tokens.required).toBe(false);
  });

  test.each([
    '0.0.0.0:4280',
    '10.0.0.7:4280',
    '[::]:4280',
    'troupe.example.org:80',
    '127.0.0.1.evil.org:80',
    '[::ffff:127.0.0.1]:80',
  ])('may be %s only with tokens', (listen) => {
    expect(messageOf(() => resolveListenOptions({ listen }))).toMatch(/--tokens FILE.*TROUPE_GATEWAY_READ_TOKEN/);
    expect(resolveListenOptions({ listen, tokens }).tokens.required).toBe(true);
  });

  test.each(['nowhere', '127.0.0.1', ':80', '127.0.0.1:99999', 'http://127.0.0.1:80', '127.0.0.1:80/x'])(
    'can not be %j',
    (listen) => {
      expect(messageOf(() => resolveListenOptions({ listen, tokens }))).toContain('write host:port');
    },
  );

  test('has limits that are numbers it knows', () => {
    expect(messageOf(() => resolveListenOptions({ limits: { bodyBytesMax: 0 } }))).toContain('bodyBytesMax is 0');
    expect(messageOf(() => resolveListenOptions({ limits: { bodyBytes: 1 } as never }))).toContain(
      'no limit "bodyBytes"',
    );
    expect(messageOf(() => resolveListenOptions({ allowHosts: ['a b'] }))).toContain('--allow-host "a b"');
  });
});

describe('tokens', () => {
  test('are read from lines, comments left out', () => {
    expect(parseTokens(`# all\n\n operate  ann ${TOKEN}\r\nread bob ${TOKEN}2\n`, 'f')).toEqual([
      { role: 'operate', name: 'ann', token: TOKEN },
      { role: 'read', name: 'bob', token: `${TOKEN}2` },
    ]);
  });

  test.each([`admin ann ${TOKEN}`, `read ${TOKEN}`, `read ann ${TOKEN} more`])(
    'are refused as %j, without being told',
    (line) => {
      const message = messageOf(() => parseTokens(`\n${line}`, 'tokens.txt'));
      expect(message).toContain('line 2 of tokens.txt');
      expect(message).not.toContain(TOKEN);
    },
  );

  test.each([
    [[{ ...tokens[0], token: 'short' }], 'has 5 characters'],
    [[{ ...tokens[0], token: `${TOKEN}\u00e9` }], 'visible ones'],
    [[{ ...tokens[0], name: 'a b' }], "can't name a token"],
    [[tokens[0], { ...tokens[0], name: 'bob' }], 'two names have the same token'],
  ])('%j are refused, without being told', (specs, message) => {
    const seen = messageOf(() => new TokenBook(specs));
    expect(seen).toContain(message);
    expect(seen).not.toContain(TOKEN);
  });

  test('are found whole only, whatever is asked for', () => {
    const book = new TokenBook(tokens);
    expect(book.find(TOKEN)).toEqual({ name: 'ann', role: 'operate' });
    fc.assert(fc.property(fc.string({ maxLength: 600 }), (text) => text === TOKEN || book.find(text) === undefined));
    for (let n = 0; n < TOKEN.length; n++) expect(book.find(TOKEN.slice(0, n))).toBeUndefined();
    expect(JSON.stringify(book)).not.toContain(TOKEN);
  });
});

describe('sessions of browsers', () => {
  const idOf = (cookie: string) => cookie.split(';')[0]!;

  test('end at their time, when they are ended, and oldest first when there are too many', () => {
    let nowMs = 0;
    const sessions = new Sessions({ ttlMs: 1_000, sessionsMax: 2, secure: true, now: () => nowMs });
    const [first, second, third] = ['a', 'b', 'c'].map((name) => sessions.begin({ name, role: 'read' }));
    expect(first).toMatch(/; HttpOnly; SameSite=Strict; Max-Age=1; Secure$/);
    expect(sessions.find(idOf(first!))).toBeUndefined();
    expect(sessions.find(`x=1; ${idOf(second!)}`)).toEqual({ name: 'b', role: 'read' });
    expect(sessions.end(idOf(second!))).toContain('Max-Age=0');
    expect(sessions.find(idOf(second!))).toBeUndefined();
    nowMs = 999;
    expect(sessions.find(idOf(third!))).toEqual({ name: 'c', role: 'read' });
    nowMs = 1_000;
    expect(sessions.find(idOf(third!))).toBeUndefined();
    for (const cookie of [undefined, '', 'troupe_session=', 'troupe_session=../x'])
      expect(sessions.find(cookie)).toBeUndefined();
  });
});

describe('a rate', () => {
  test('lets a burst through, then so many a second, for each key apart', () => {
    let nowMs = 0;
    const limiter = new RateLimiter({ perSecond: 2, burst: 3, keysMax: 10, now: () => nowMs });
    expect([1, 2, 3, 4].map(() => limiter.take('a'))).toEqual([0, 0, 0, 500]);
    expect(limiter.take('b')).toBe(0);
    nowMs = 500;
    expect([limiter.peek('a'), limiter.take('a'), limiter.take('a')]).toEqual([0, 0, 500]);
    nowMs = 100_000;
    expect([1, 2, 3, 4].map(() => limiter.take('a'))).toEqual([0, 0, 0, 500]);
  });

  test('remembers a bounded number of keys', () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 1, keysMax: 2, now: () => 0 });
    expect(['a', 'b', 'c'].map((key) => limiter.take(key))).toEqual([0, 0, 0]);
    expect(limiter.peek('a')).toBe(0);
    expect(limiter.peek('c')).toBe(1_000);
  });
});

describe('a target', () => {
  test('is split first and decoded then', () => {
    expect(parseTarget('/v1/actors/a/%2e%2e%2Fb?x=%2F&y').segments).toEqual(['v1', 'actors', 'a', '../b']);
    expect([...parseTarget('/?x=%2F&y').query]).toEqual([
      ['x', '/'],
      ['y', ''],
    ]);
  });

  test.each(['', 'v1', '//host/x', 'http://host/x', '*', '/%', '/%ff'])('%j is refused', (url) => {
    expect(messageOf(() => parseTarget(url))).toContain('request target');
  });
});
