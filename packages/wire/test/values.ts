/** Arbitrary storable values, for property tests. */
import fc from 'fast-check';

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

export const keyText = fc.string({ unit: 'binary', maxLength: 12 }).filter((key) => !FORBIDDEN.has(key));

/** What JSON can say, without forbidden keys. */
export const jsonValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.string({ unit: 'binary' }),
    fc.array(tie('node'), { maxLength: 6 }),
    fc.dictionary(keyText, tie('node'), { maxKeys: 6, noNullPrototype: true }),
  ),
})).node;

const leaves: fc.Arbitrary<unknown>[] = [
  fc.constantFrom(null, undefined, true, false, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  fc.integer(),
  fc.double(),
  fc.maxSafeInteger(),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  // Any UTF-16, lone surrogates included.
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 }).map((units) => String.fromCharCode(...units)),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array({ maxLength: 300 }),
  fc.float64Array({ maxLength: 5 }),
  fc.bigInt64Array({ maxLength: 5 }),
  fc.uint16Array({ maxLength: 5 }).map((array) => new Uint16Array(array)),
  fc.constantFrom(/a+/giu, new ArrayBuffer(3), new DataView(new ArrayBuffer(2))),
];

/** Everything that can be stored. */
export const storableValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    ...leaves,
    fc.array(tie('node'), { maxLength: 6 }),
    fc.dictionary(keyText, tie('node'), { maxKeys: 6, noNullPrototype: true }),
    fc.array(fc.tuple(tie('node'), tie('node')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
    fc.array(tie('node'), { maxLength: 4 }).map((items) => new Set(items)),
    fc
      .record({ name: fc.constantFrom(Error, TypeError, RangeError), message: fc.string(), cause: tie('node') })
      .map(({ name: Class, message, cause }) => new Class(message, cause === undefined ? undefined : { cause })),
  ),
})).node;
