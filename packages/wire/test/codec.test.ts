import { createContext, runInContext } from 'node:vm';
import {
  CODEC_LIMITS,
  CodecError,
  decodeState,
  decodeValue,
  encodeState,
  encodeValue,
  isTroupeError,
  TroupeError,
} from '@troupe/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { storableValue } from './values.ts';

const codecs = [
  ['value', encodeValue, decodeValue],
  ['state', encodeState, decodeState],
] as const;

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = { a: value };
  return value;
}

describe.each(codecs)('the %s codec', (_, encode, decode) => {
  const roundTrip = (value: unknown) => decode(encode(value));

  test.each([
    ['undefined', undefined],
    ['a property that is undefined', { a: undefined }],
    ['an empty object', {}],
    ['-0', [-0, { z: -0 }]],
    ['NaN and the infinities', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    [
      'integers at every width',
      [63, 64, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32, 2 ** 53, -32, -33, -129, -32_769, -(2 ** 31) - 1],
    ],
    ['bigints', [0n, 1n, -1n, 2n ** 63n, 2n ** 64n, -(2n ** 64n), 2n ** 1_000n]],
    ['a date before 1970 and one with milliseconds', [new Date(-5_500_000_123), new Date(1_700_000_000_123)]],
    ['an invalid date', new Date(Number.NaN)],
    [
      'a map with keys of any kind',
      new Map<unknown, unknown>([
        [1, 'a'],
        [{ b: 1 }, new Map()],
        ['c', undefined],
      ]),
    ],
    ['a set', new Set([1, 'a', { b: 2 }])],
    [
      'typed arrays',
      [new Uint8Array([1, 2]), new Float64Array([1.5, -0]), new BigInt64Array([-1n]), new Uint8ClampedArray(2)],
    ],
    ['array buffers', [new ArrayBuffer(3), new DataView(new ArrayBuffer(2))]],
    ['a regular expression', /a|b/gi],
    ['a lone surrogate', ['a\ud800b', { text: '\udc00' }]],
    ['long text beyond ASCII', 'ü€😀'.repeat(2_000)],
    ['many keys', Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key-${i}`, i]))],
    [
      'more shapes than there are record ids',
      Array.from({ length: 200 }, (_, i) => ({ [`k${i}`]: i, shared: { [`n${i}`]: 1 } })),
    ],
    [
      'keys that look like numbers or methods',
      { 1: 'a', hasOwnProperty: 1, toString: 2, valueOf: 3, length: 4, '': 5 },
    ],
  ])('keeps %s', (_, value) => {
    expect(roundTrip(value)).toStrictEqual(value);
    expect(encode(roundTrip(value))).toEqual(encode(value));
  });

  test('keeps errors with their class, causes and simple properties, and drops the stack', () => {
    const error = Object.assign(new TypeError('no', { cause: new Error('deep', { cause: 'root' }) }), {
      code: 'E_NO',
      socket: { fd: () => 1 },
    });
    const back = roundTrip({ error }) as { error: TypeError & { code: string } };
    expect(back.error).toBeInstanceOf(TypeError);
    expect(back.error).toMatchObject({ name: 'TypeError', message: 'no', code: 'E_NO' });
    expect(back.error.cause).toMatchObject({ message: 'deep', cause: 'root' });
    expect(back.error.stack).toBe('TypeError: no');
    expect(Object.keys(back.error)).toEqual(['code']);
  });

  test('keeps the name of an error class of its own, and the errors of an aggregate', () => {
    class OutOfStock extends Error {
      override name = 'OutOfStock';
    }
    const back = roundTrip([new OutOfStock('none left'), new AggregateError([new Error('a')], 'all')]) as Error[];
    expect(back[0]).toMatchObject({ name: 'OutOfStock', message: 'none left' });
    expect(back[1]).toMatchObject({ name: 'AggregateError', errors: [expect.objectContaining({ message: 'a' })] });
    expect((roundTrip(Object.assign(new Error('x'), { name: 'constructor' })) as Error).name).toBe('constructor');
  });

  test('keeps a TroupeError one, with its details, so that a machine can ask for its code after a restart', () => {
    const error = new TroupeError('EffectFailed', 'declined', {
      ...{ actor: 'order/42', details: { seen: new Map([['a', 1]]) } },
      cause: new TypeError('x'),
    });
    const back = roundTrip({ error }) as { error: TroupeError };
    expect(isTroupeError(back.error, 'EffectFailed')).toBe(true);
    expect(back.error).toMatchObject({
      actor: 'order/42',
      taskId: undefined,
      retryable: false,
      details: error.details,
    });
    expect(back.error.cause).toBeInstanceOf(TypeError);
    expect(encode(back)).toEqual(encode({ error }));
    const bad = new TroupeError('EffectFailed', 'declined', { details: { run: () => 1 } });
    expect(() => encode([bad])).toThrow(expect.objectContaining({ code: 'NotStorable', path: '[0].details.run' }));
  });

  test('gives plain bytes and plain byte arrays also where there are Buffers', () => {
    expect(encode({ a: 1 }).constructor).toBe(Uint8Array);
    const back = decode(Buffer.from(encode(Buffer.from('hi')))) as Uint8Array;
    expect(back).toStrictEqual(new Uint8Array([104, 105]));
    expect(encode(Buffer.from('hi'))).toEqual(encode(new Uint8Array([104, 105])));
  });

  test('does not keep or change the bytes it reads', () => {
    const bytes = encode({ data: new Uint8Array([1, 2, 3]) });
    const before = bytes.slice();
    const back = decode(bytes) as { data: Uint8Array };
    expect(Object.keys(bytes)).toEqual(Object.keys(before));
    bytes.fill(0);
    expect(back.data).toEqual(new Uint8Array([1, 2, 3]));
  });

  test('takes values of another realm', () => {
    const foreign = runInContext(
      '({ list: [1], date: new Date(5), map: new Map([["a", new Set([1])]]), bytes: new Uint8Array([7]), error: new TypeError("x"), re: /a/ })',
      createContext({}),
    ) as unknown;
    expect(roundTrip(foreign)).toMatchObject({
      list: [1],
      date: new Date(5),
      map: new Map([['a', new Set([1])]]),
      bytes: new Uint8Array([7]),
      error: expect.objectContaining({ name: 'TypeError', message: 'x' }),
    });
  });

  test('gives back what it was given, for any storable value (invariant 1)', () => {
    fc.assert(
      fc.property(storableValue, (value) => {
        expect(roundTrip(value)).toStrictEqual(value);
      }),
      { numRuns: 1_500 },
    );
  });

  test('writes the same bytes for the same value, whatever it wrote before (invariant 2)', () => {
    const seen: [unknown, Uint8Array][] = [];
    fc.assert(
      fc.property(storableValue, (value) => {
        const bytes = encode(value);
        expect(encode(decode(bytes))).toEqual(bytes);
        if (seen.length < 50) seen.push([value, bytes.slice()]);
      }),
      { numRuns: 1_000 },
    );
    for (const [value, bytes] of seen) expect(encode(value)).toEqual(bytes);
  });

  test('writes shared references out, so that it does not matter who points to whom', () => {
    const shared = { a: [1, 2] };
    expect(encode([shared, shared])).toEqual(encode([{ a: [1, 2] }, { a: [1, 2] }]));
  });

  test('never rewrites bytes it has handed out', () => {
    const blobs = Array.from({ length: 500 }, (_, i) => encode({ i, text: 'x'.repeat(i) }));
    blobs.forEach((bytes, i) => {
      expect(decode(bytes)).toEqual({ i, text: 'x'.repeat(i) });
    });
  });

  test.each([
    ['a function', { handlers: [{ run() {} }] }, 'handlers[0].run'],
    ['a symbol', { a: Symbol('s') }, 'a'],
    ['a class instance', { order: new (class Order {})() }, 'order'],
    ['an instance inside a map', { m: new Map([['k', new WeakMap()]]) }, 'm[0]'],
    ['a promise', [Promise.resolve()], '[0]'],
    ['shared memory', { s: new SharedArrayBuffer(1) }, 's'],
    ['the key __proto__', JSON.parse('{"a":{"__proto__":1}}'), 'a.__proto__'],
    ['the key constructor', { constructor: 1 }, 'constructor'],
    ['a key with a lone surrogate', { 'a\ud800': 1 }, '["a\\ud800"]'],
    ['a function in the cause of an error', { e: new Error('x', { cause: () => 1 }) }, 'e.cause'],
  ])('refuses %s and names its path', (_, value, path) => {
    expect(() => encode(value)).toThrow(expect.objectContaining({ code: 'NotStorable', path, details: { path } }));
  });

  test('refuses a cycle, also through maps, sets and causes', () => {
    const object: Record<string, unknown> = {};
    object.self = object;
    const map = new Map<string, unknown>();
    map.set('self', map);
    const set = new Set<unknown>();
    set.add([set]);
    const error = new Error('x');
    error.cause = error;
    for (const value of [object, map, set, error]) {
      expect(() => encode(value)).toThrow(expect.objectContaining({ code: 'NotStorable' }));
    }
  });

  test('refuses sharing that would blow up, instead of hanging', () => {
    let value: unknown = [1];
    for (let i = 0; i < 60; i++) value = [value, value];
    expect(() => encode(value)).toThrow(expect.objectContaining({ code: 'NotStorable' }));
  });

  test('refuses what is nested deeper than the limit and takes what is not', () => {
    expect(roundTrip(nested(CODEC_LIMITS.valueDepthMax))).toEqual(nested(CODEC_LIMITS.valueDepthMax));
    expect(() => encode(nested(CODEC_LIMITS.valueDepthMax + 1))).toThrow(
      expect.objectContaining({ code: 'NotStorable' }),
    );
  });

  test('refuses a blob over the limit with both sizes', () => {
    expect(() => encode('x'.repeat(CODEC_LIMITS.bytesMax))).toThrow(
      expect.objectContaining({
        code: 'PayloadTooLarge',
        message: expect.stringContaining(`${CODEC_LIMITS.bytesMax}`),
      }),
    );
  });

  test.each([
    ['nothing', []],
    ['two values', [1, 2]],
    ['a list longer than the bytes', [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['a map longer than the bytes', [0xdf, 0x7f, 0xff, 0xff, 0xff, 0xa1, 0x61]],
    ['text longer than the bytes', [0xdb, 0xff, 0xff, 0xff, 0xff, 0x61]],
    ['bytes longer than the bytes', [0xc6, 0x7f, 0xff, 0xff, 0xff]],
    ['a cut number', [0xcb, 1, 2]],
    ['the unused token', [0xc1]],
    ['a string bundle', [0xd6, 0x62, 0, 0, 0, 1, 0xc0]],
    ['a pointer', [0xd6, 0x70, 0, 0, 0, 1]],
    ['an id', [0xd6, 0x69, 0, 0, 0, 1, 0x90]],
    ["msgpackr's own error", [0xd4, 0x65, 0, 0x93, 0xa1, 0x61, 0xa1, 0x62, 0xc0]],
    ['an unknown extension', [0xd4, 0x01, 0x00]],
    ['a tag that is not known', [0xd4, 0x54, 0, 0x91, 0xa1, 0x78]],
    ['a tag without parts', [0xd4, 0x54, 0, 0xc0]],
    ['a typed array of no known kind', [0xc7, 2, 0x74, 99, 1]],
    ['a typed array cut within an element', [0xc7, 2, 0x74, 8, 1]],
    ['a set of a number', [0xd4, 0x73, 0, 1]],
    ['a pattern that is not one', [0xd4, 0x78, 0, 0x92, 0xa1, 0x28, 0xa0]],
    ['a two-byte record', [0xd5, 0x72, 0x60, 0, 0x90]],
  ])('refuses bytes that are %s', (_, bytes) => {
    expect(() => decode(Uint8Array.from(bytes))).toThrow(CodecError);
  });

  test('refuses nesting that would exhaust the stack', () => {
    expect(() => decode(new Uint8Array(1_000_000).fill(0x91))).toThrow(
      expect.objectContaining({ code: 'InvalidPayload' }),
    );
    expect(() => decode(new Uint8Array(1_000_000).fill(0x81))).toThrow(
      expect.objectContaining({ code: 'InvalidPayload' }),
    );
  });

  test('refuses more values than the limit', () => {
    const bytes = new Uint8Array(CODEC_LIMITS.elementsMax + 6).fill(0xc0);
    bytes.set([0xdd, 0, 0x0f, 0x42, 0x41], 0);
    expect(() => decode(bytes)).toThrow(CodecError);
  });
});

describe('the state codec', () => {
  test('writes the keys of like objects once', () => {
    const messages = Array.from({ length: 50 }, (_, i) => ({ identifier: i, instructions: 'x', attachments: [] }));
    expect(encodeState(messages).length).toBeLessThan(JSON.stringify(messages).length / 4);
  });

  test('refuses a forbidden key in a record', () => {
    const key = [0xa9, ...new TextEncoder().encode('__proto__')];
    expect(() => decodeState(Uint8Array.from([0xd4, 0x72, 0x40, 0x91, ...key, 1]))).toThrow(/__proto__/);
  });

  test('bytes of one blob never change how another one is read', () => {
    const one = encodeState([
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ]);
    decodeState(Uint8Array.from([0xd4, 0x72, 0x40, 0x92, 0xa1, 0x78, 0xa1, 0x79, 1, 2]));
    expect(decodeState(one)).toEqual([
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ]);
    expect(decodeState(Uint8Array.from([0x92, 0x40, 0x41]))).toEqual([0x40, 0x41]);
  });
});
