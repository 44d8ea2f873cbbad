import {
  assertType,
  decodeKey,
  encodeKey,
  formatAddress,
  isTroupeError,
  parseAddress,
  sameAddress,
  type TroupeError,
  validAddress,
} from '@troupe/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

function refusal(run: () => unknown): TroupeError {
  try {
    run();
  } catch (error) {
    if (isTroupeError(error)) return error;
    throw error;
  }
  throw new Error('Expected a refusal.');
}

const keys = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });

describe('keys', () => {
  test.each([
    ['john', 'john'],
    ['john.doe@x.org', 'john=2Edoe@x=2Eorg'],
    ['a b\tc\r\nd', 'a=20b=09c=0D=0Ad'],
    ['*', '=2A'],
    ['>', '=3E'],
    ['a=b', 'a=3Db'],
    ['\u0000\u001f\u007f', '=00=1F=7F'],
    ['jörg', 'jörg'],
    ['名前/😀', '名前/😀'],
    ['nbsp\u00a0ls\u2028', 'nbsp\u00a0ls\u2028'],
    ['$SYS', '$SYS'],
    ['_INBOX', '_INBOX'],
  ])('%j travels as %j and comes back', (key, token) => {
    expect(encodeKey(key)).toBe(token);
    expect(decodeKey(token)).toBe(key);
  });

  test('every well-formed key comes back from its token, which is one valid token (invariants 1 to 3)', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const token = encodeKey(key);
        expect(token).not.toMatch(/[\s.*>]/u.test(key) ? /[ \t\r\n.*>]/ : /[.*>]/);
        expect(decodeKey(token)).toBe(key);
      }),
      { numRuns: 2_000 },
    );
  });

  test('of all tokens exactly the one spelling of a key is accepted (invariant 1)', () => {
    const tokens = fc.stringMatching(/^[a-c=0-9A-Fa-f.é]{1,8}$/);
    fc.assert(
      fc.property(tokens, (token) => {
        let key: string;
        try {
          key = decodeKey(token);
        } catch (error) {
          expect(isTroupeError(error, 'InvalidKey')).toBe(true);
          return;
        }
        expect(encodeKey(key)).toBe(token);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ['=6Aohn', 'john', 'an escape that is not needed'],
    ['john=2edoe', 'john=2Edoe', 'lower-case hex'],
    ['john.doe', 'john=2Edoe', 'several tokens'],
    ['a=b', 'a=3Db', 'a bare equals sign'],
    ['a=', 'a=3D', 'an equals sign at the end'],
    ['j=C3=B6rg', 'jörg', 'escaped bytes of UTF-8'],
    ['a b', 'a=20b', 'a bare space'],
  ])('another spelling, %j, is refused and %j is named: %s', (token, expected) => {
    const error = refusal(() => decodeKey(token));
    expect(error.code).toBe('InvalidKey');
    expect(error.message).toContain(JSON.stringify(expected));
    expect(error.details).toMatchObject({ expected });
  });

  test.each([
    ['', 'is empty'],
    ['x'.repeat(257), 'more than 256 bytes'],
    ['ü'.repeat(129), 'more than 256 bytes'],
    ['\ud800', 'lone surrogate'],
    ['a\udc00b', 'lone surrogate'],
  ])('the key %j is refused: %s', (key, why) => {
    expect(refusal(() => encodeKey(key))).toMatchObject({ code: 'InvalidKey', message: expect.stringContaining(why) });
  });

  test('the limit counts bytes before escaping: 256 dots are a key', () => {
    expect(decodeKey(encodeKey('.'.repeat(256)))).toBe('.'.repeat(256));
    expect(encodeKey('ü'.repeat(128))).toBe('ü'.repeat(128));
    expect(decodeKey('x'.repeat(256))).toHaveLength(256);
  });

  test('a token beyond the limit or without anything is refused', () => {
    expect(refusal(() => decodeKey('')).code).toBe('InvalidKey');
    expect(refusal(() => decodeKey('x'.repeat(257))).code).toBe('InvalidKey');
    expect(refusal(() => decodeKey('=2E'.repeat(257))).code).toBe('InvalidKey');
  });

  test('what is not a string is refused with a code', () => {
    expect(refusal(() => encodeKey(undefined as unknown as string)).code).toBe('InvalidKey');
    expect(refusal(() => encodeKey(7 as unknown as string)).code).toBe('InvalidKey');
  });
});

describe('types', () => {
  test.each(['a', 'support', 'order-2', 'memory', 'x'.repeat(63)])('%s is a type', (type) => {
    expect(() => assertType(type)).not.toThrow();
  });

  test.each(['', 'A', '1a', '-a', 'a_b', 'a.b', 'a b', 'ä', 'x'.repeat(64), 'support\n'])('%j is not', (type) => {
    expect(refusal(() => assertType(type)).code).toBe('InvalidType');
  });

  test('the type of dead letters without an address is reserved', () => {
    expect(refusal(() => assertType('invalid'))).toMatchObject({ code: 'InvalidType', message: /reserved/ });
  });
});

describe('addresses', () => {
  test('the first slash splits, so a key may hold slashes', () => {
    expect(parseAddress('files/a/b')).toEqual({ type: 'files', key: 'a/b' });
    expect(formatAddress({ type: 'files', key: 'a/b' })).toBe('files/a/b');
  });

  test('an address comes back from its text', () => {
    fc.assert(
      fc.property(keys, (key) => {
        expect(parseAddress(formatAddress({ type: 'support', key }))).toEqual({ type: 'support', key });
      }),
    );
  });

  test('text without a slash, with a bad type or without a key is refused', () => {
    expect(refusal(() => parseAddress('support')).code).toBe('InvalidKey');
    expect(refusal(() => parseAddress('Support/john')).code).toBe('InvalidType');
    expect(refusal(() => parseAddress('support/')).code).toBe('InvalidKey');
    expect(refusal(() => validAddress({ type: 'support', key: '\ud800' })).code).toBe('InvalidKey');
  });

  test('two addresses are the same when type and key are', () => {
    expect(sameAddress({ type: 'a', key: 'b' }, { type: 'a', key: 'b' })).toBe(true);
    expect(sameAddress({ type: 'a', key: 'b' }, { type: 'a', key: 'B' })).toBe(false);
    expect(sameAddress({ type: 'a', key: 'é' }, { type: 'a', key: 'e\u0301' })).toBe(false);
  });
});
