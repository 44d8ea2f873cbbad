import { CODEC_LIMITS, type ContentType, decodePayload, encodePayload, toJsonValue } from '@troupe/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonValue } from './values.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (payload: Uint8Array) => new TextDecoder().decode(payload);
const packed = (...list: number[]) => Uint8Array.from(list);
const coded = (code: string) => expect.objectContaining({ code, name: 'TroupeError' });

describe('payloads from outside', () => {
  test.each([
    ['{"type":"approve"}', { type: 'approve' }, 'application/json'],
    ['  [1, 2] ', [1, 2], 'application/json'],
    ['"hello"', 'hello', 'application/json'],
    ['-1.5e3', -1500, 'application/json'],
    ['null', null, 'application/json'],
    ['true', true, 'application/json'],
    ['hello', 'hello', 'text/plain'],
    ['', '', 'text/plain'],
    ['   ', '   ', 'text/plain'],
    ['{not json', '{not json', 'text/plain'],
    ['truely', 'truely', 'text/plain'],
    ['12 monkeys', '12 monkeys', 'text/plain'],
    ['NaN', 'NaN', 'text/plain'],
  ])('%j without a content type is %j as %s', (payload, value, contentType) => {
    expect(decodePayload(bytes(payload))).toEqual({ value, contentType });
  });

  test('a content type is obeyed', () => {
    expect(decodePayload(bytes('42'), 'text/plain')).toEqual({ value: '42', contentType: 'text/plain' });
    expect(decodePayload(packed(0x93, 1, 0xa1, 0x61, 0xc0), 'application/msgpack').value).toEqual([1, 'a', null]);
    expect(() => decodePayload(bytes('hello'), 'application/json')).toThrow(coded('InvalidPayload'));
    expect(() => decodePayload(bytes(''), 'application/json')).toThrow(coded('InvalidPayload'));
    expect(() => decodePayload(bytes('1'), 'text/html')).toThrow(coded('InvalidHeader'));
  });

  test('bytes that are not UTF-8 are refused, as text and as JSON', () => {
    for (const type of [undefined, 'text/plain', 'application/json']) {
      expect(() => decodePayload(packed(0x22, 0xff, 0x22), type)).toThrow(coded('InvalidPayload'));
    }
  });

  test.each(['__proto__', 'constructor', 'prototype'])(
    'the key %s is refused wherever it stands, also escaped',
    (key) => {
      const escaped = key.replace('o', '\\u006f');
      for (const json of [`{"${key}":1}`, `{"a":[{"${key}":{}}]}`, `{"${escaped}":1}`]) {
        expect(() => decodePayload(bytes(json), 'application/json')).toThrow(coded('InvalidPayload'));
        expect(() => decodePayload(bytes(json))).toThrow(coded('InvalidPayload'));
      }
      const map = packed(0x81, 0xa0 | key.length, ...bytes(key), 1);
      expect(() => decodePayload(map, 'application/msgpack')).toThrow(coded('InvalidPayload'));
      const str8 = packed(0x81, 0xd9, key.length, ...bytes(key), 1);
      expect(() => decodePayload(str8, 'application/msgpack')).toThrow(coded('InvalidPayload'));
    },
  );

  test('the refusal names the path', () => {
    expect(() => decodePayload(bytes('{"a":[{"b":{"__proto__":1}}]}'))).toThrow(
      expect.objectContaining({ path: 'a[0].b' }),
    );
  });

  test('nesting has a limit in every format', () => {
    const json = (depth: number) => bytes('['.repeat(depth) + ']'.repeat(depth));
    expect(decodePayload(json(CODEC_LIMITS.payloadDepthMax), 'application/json').value).toBeInstanceOf(Array);
    for (const depth of [CODEC_LIMITS.payloadDepthMax + 1, 300_000]) {
      expect(() => decodePayload(json(depth), 'application/json')).toThrow(coded('InvalidPayload'));
    }
    expect(() => decodePayload(new Uint8Array(300_000).fill(0x91), 'application/msgpack')).toThrow(
      coded('InvalidPayload'),
    );
  });

  test.each([
    ['undefined', [0xd4, 0, 0]],
    ['a record', [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 1]],
    ['a set', [0xd4, 0x73, 0, 0x90]],
    ['a pattern', [0xd4, 0x78, 0, 0x92, 0xa1, 0x61, 0xa0]],
    ['our own extension', [0xd4, 0x54, 0, 0x91, 0xa4, 0x7a, 0x65, 0x72, 0x6f]],
    ['a bigint', [0xc7, 1, 0x42, 1]],
    ['a typed array', [0xc7, 2, 0x74, 1, 1]],
    ['a key that is a list', [0x81, 0x90, 1]],
    ['a key that is nothing', [0x81, 0xc0, 1]],
  ])('MessagePack from outside can not hold %s', (_, list) => {
    expect(() => decodePayload(packed(...list), 'application/msgpack')).toThrow(coded('InvalidPayload'));
  });

  test('MessagePack from outside may hold dates, bytes, 64-bit integers and integer keys', () => {
    const decode = (...list: number[]) => decodePayload(packed(...list), 'application/msgpack').value;
    expect(decode(0xd6, 0xff, 0, 0, 0, 1)).toEqual(new Date(1_000));
    expect(decode(0xc4, 2, 7, 8)).toStrictEqual(new Uint8Array([7, 8]));
    expect(decode(0xcf, 0, 0, 1, 0, 0, 0, 0, 0)).toBe(2 ** 40);
    expect(decode(0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)).toBe(2n ** 64n - 1n);
    expect(decode(0x82, 1, 0xa1, 0x61, 0xcd, 1, 0, 0xa1, 0x62)).toEqual({ 1: 'a', 256: 'b' });
    expect(decode(0x40)).toBe(0x40);
  });

  test('what is too large is refused with both sizes', () => {
    expect(() => decodePayload(new Uint8Array(CODEC_LIMITS.bytesMax + 1))).toThrow(coded('PayloadTooLarge'));
  });
});

describe('payloads to outside', () => {
  test.each<ContentType>(['application/json', 'application/msgpack'])(
    'any JSON value comes back through %s',
    (type) => {
      fc.assert(
        fc.property(jsonValue, (value) => {
          expect(decodePayload(encodePayload(value, type), type).value).toEqual(JSON.parse(JSON.stringify(value)));
        }),
      );
    },
  );

  test('text goes as it is, everything else as JSON', () => {
    expect(text(encodePayload('hello', 'text/plain'))).toBe('hello');
    expect(text(encodePayload({ a: 1 }, 'text/plain'))).toBe('{"a":1}');
    expect(text(encodePayload(undefined))).toBe('null');
    expect(text(encodePayload(undefined, 'text/plain'))).toBe('null');
  });

  test('what JSON can not say becomes what people expect', () => {
    const value = {
      date: new Date(0),
      never: new Date(Number.NaN),
      map: new Map([['a', 1n]]),
      pairs: new Map([[1, 'a']]),
      set: new Set([1]),
      big: 2n ** 70n,
      bytes: new Uint8Array([1, 2]),
      error: Object.assign(new TypeError('no', { cause: 'x' }), { code: 'E' }),
      none: undefined,
      list: [undefined, Number.NaN],
      own: new (class Point {
        x = 1;
      })(),
      json: { toJSON: () => 'custom' },
    };
    expect(JSON.parse(text(encodePayload(value)))).toEqual({
      date: '1970-01-01T00:00:00.000Z',
      never: null,
      map: { a: 1 },
      pairs: [[1, 'a']],
      set: [1],
      big: '1180591620717411303424',
      bytes: [1, 2],
      error: { name: 'TypeError', message: 'no', cause: 'x', code: 'E' },
      list: [null, null],
      own: { x: 1 },
      json: 'custom',
    });
  });

  test('MessagePack keeps dates and bytes', () => {
    const value = { at: new Date(1_700_000_000_123), data: new Uint8Array([1, 2]) };
    expect(decodePayload(encodePayload(value, 'application/msgpack'), 'application/msgpack').value).toStrictEqual(
      value,
    );
    expect(
      decodePayload(encodePayload(Buffer.from('hi'), 'application/msgpack'), 'application/msgpack').value,
    ).toBeDefined();
  });

  test('a value without anything special is not copied', () => {
    const value = { a: [1, { b: 'c' }] };
    expect(toJsonValue(value)).toBe(value);
  });

  test.each([
    ['a function', { a: [() => 1] }, 'a[0]'],
    ['a symbol', { a: Symbol('x') }, 'a'],
    ['a forbidden key', { a: JSON.parse('{"__proto__":1}') }, 'a.__proto__'],
  ])('%s is refused and its path named', (_, value, path) => {
    for (const type of ['application/json', 'application/msgpack'] as const) {
      expect(() => encodePayload(value, type)).toThrow(expect.objectContaining({ code: 'NotStorable', path }));
    }
  });

  test('a cycle and sharing that would blow up are refused', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => encodePayload(cycle)).toThrow(coded('NotStorable'));
    for (const leaf of [1, 1n]) {
      let shared: unknown = [leaf];
      for (let i = 0; i < 50; i++) shared = [shared, shared];
      expect(() => encodePayload(shared)).toThrow(coded('NotStorable'));
    }
  });
});
