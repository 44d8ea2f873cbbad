import { SecretFilter } from '@troupe/diagnostics/internal';
import { describe, expect, test } from 'vitest';

const clean = (value: unknown, options = {}): unknown => {
  const filter = new SecretFilter(options);
  filter.collect(value);
  return filter.apply(value);
};

describe('SecretFilter', () => {
  test('takes out values under secret names, whatever they are a part of', () => {
    expect(
      clean({ dbPassword: 'hunter2', stripe_api_key: 'abcd', pass: { word: 'wxyz', n: 5 }, tokens: 512, user: 'ann' }),
    ).toEqual({
      dbPassword: '[redacted]',
      stripe_api_key: '[redacted]',
      pass: { word: '[redacted]', n: 0 },
      tokens: 512,
      user: 'ann',
    });
  });

  test('finds the same value elsewhere: in text, in addresses, as Base64', () => {
    const secret = 'p/w with spaces';
    const text = JSON.stringify(
      clean({
        secret,
        message: `login with ${secret} failed`,
        url: `https://x.org/?q=${encodeURIComponent(secret)}`,
        encoded: Buffer.from(secret).toString('base64'),
      }),
    );
    for (const spelling of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
      expect(text).not.toContain(spelling);
  });

  test.each([
    ['nats://ann:s3cr3t@host', 's3cr3t'],
    ['Authorization: Bearer abcdefgh12345678', 'abcdefgh12345678'],
    ['{"apiKey":"zyxw9876"}', 'zyxw9876'],
    ['password=hunter2&x=1', 'hunter2'],
    ['use sk-ant-api03-abcdefghijklmnop', 'abcdefghijklmnop'],
    ['AKIAIOSFODNN7EXAMPLE', 'AKIAIOSFODNN7EXAMPLE'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF', 'eyJzdWIiOiIxMjM0In0'],
    [`seed SU${'A'.repeat(56)}`, 'AAAAAAAA'],
    ['-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----', 'MIIEvQ'],
  ])('knows the secret in %s by its form', (text, secret) => {
    expect(clean(text)).not.toContain(secret);
    expect(clean(text)).toContain('[redacted]');
  });

  test('keeps the shape: maps, sets, dates, bytes, and the kind of each value', () => {
    const at = new Date(0);
    const given = { at, map: new Map([['token', 'abcd']]), set: new Set(['x']), secret: new Uint8Array([1, 2]), n: 1n };
    expect(clean(given)).toEqual({
      at,
      map: new Map([['token', '[redacted]']]),
      set: new Set(['x']),
      secret: new Uint8Array([0, 0]),
      n: 1n,
    });
    expect(given.secret).toEqual(new Uint8Array([1, 2]));
    expect(clean({ error: new Error('password=hunter2') })).toMatchObject({
      error: { message: 'password=[redacted]' },
    });
  });

  test('takes out names and values that the caller says are secret, and counts', () => {
    const filter = new SecretFilter({ fields: ['iban'], values: ['known-one'] });
    expect(filter.apply({ IBAN: 'DE00', text: 'a known-one b', rest: 'kept' })).toEqual({
      IBAN: '[redacted]',
      text: 'a [redacted] b',
      rest: 'kept',
    });
    expect(filter.count).toBe(2);
  });
});
