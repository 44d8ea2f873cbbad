/** Bytes that nobody meant: whatever they are, decoding ends soon, with a value or a `CodecError`. */

import {
  CodecError,
  decodeEntry,
  decodeInternal,
  decodeOutcome,
  decodePayload,
  decodeState,
  decodeValue,
  encodeInternal,
  encodePayload,
  encodeState,
  encodeValue,
  isTroupeError,
  type JournalVerb,
  type StoredMessage,
} from '@troupe/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bodies } from './bodies.ts';
import { jsonValue, storableValue } from './values.ts';

/** One decode may take this long, ms: inputs here are some KB at most. */
const SLOWEST_MS = 50;

interface Mutation {
  readonly at: number;
  readonly byte: number;
  readonly how: 'set' | 'insert' | 'remove' | 'cut';
}

const mutations = fc.array(
  fc.record({
    at: fc.nat(),
    byte: fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      // The tokens that carry lengths, extensions and records.
      fc.constantFrom(
        0xc1,
        0xc4,
        0xc6,
        0xc7,
        0xc9,
        0xd4,
        0xd5,
        0xd6,
        0xd8,
        0xd9,
        0xdb,
        0xdc,
        0xdd,
        0xde,
        0xdf,
        0x72,
        0x40,
        0x54,
        0xff,
      ),
    ),
    how: fc.constantFrom('set', 'set', 'insert', 'remove', 'cut'),
  }) as fc.Arbitrary<Mutation>,
  { minLength: 1, maxLength: 6 },
);

function mutate(bytes: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  let list = [...bytes];
  for (const { at, byte, how } of changes) {
    const i = list.length === 0 ? 0 : at % list.length;
    if (how === 'set') list[i] = byte;
    else if (how === 'insert') list.splice(i, 0, byte);
    else if (how === 'remove') list.splice(i, 1);
    else list = list.slice(0, Math.max(i, 1));
  }
  return Uint8Array.from(list);
}

function survives(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  const start = performance.now();
  const result = attempt(decode, bytes);
  if (performance.now() - start > SLOWEST_MS) expect(fastestOf(5, decode, bytes)).toBeLessThan(SLOWEST_MS);
  return result;
}

function attempt(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

/** A busy machine stalls now and then, but not every time. */
function fastestOf(times: number, decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    attempt(decode, bytes);
    fastest = Math.min(fastest, performance.now() - start);
  }
  return fastest;
}

function hasOwnProto(value: unknown, seen = new Set<unknown>()): boolean {
  if (typeof value !== 'object' || value === null || seen.has(value)) return false;
  seen.add(value);
  if (Object.hasOwn(value, '__proto__')) return true;
  return Object.values(value).some((item) => hasOwnProto(item, seen));
}

describe.each([
  ['values', storableValue, encodeValue, decodeValue],
  ['states', storableValue, encodeState, decodeState],
  [
    'MessagePack payloads',
    jsonValue,
    (v: unknown) => encodePayload(v, 'application/msgpack'),
    (b: Uint8Array) => decodePayload(b, 'application/msgpack'),
  ],
  [
    'JSON payloads',
    jsonValue,
    (v: unknown) => encodePayload(v),
    (b: Uint8Array) => decodePayload(b, 'application/json'),
  ],
  ['payloads without a content type', jsonValue, (v: unknown) => encodePayload(v), (b: Uint8Array) => decodePayload(b)],
] as const)('%s', (_, values, encode, decode) => {
  test('survive any damage', () => {
    fc.assert(
      fc.property(values, mutations, (value, changes) => {
        const result = survives(decode, mutate(encode(value), changes));
        expect(hasOwnProto(result)).toBe(false);
      }),
      { numRuns: 4_000 },
    );
  });

  test('survive any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        survives(decode, bytes);
      }),
      { numRuns: 4_000 },
    );
  });

  test('leave the codec as it was: the next value is read correctly', () => {
    fc.assert(
      fc.property(values, mutations, (value, changes) => {
        const bytes = encode(value);
        const before = decode(bytes);
        survives(decode, mutate(bytes, changes));
        expect(decode(bytes)).toStrictEqual(before);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('journal records', () => {
  test('survive any damage, as a record or a refusal', () => {
    fc.assert(
      fc.property(fc.constantFrom(...bodies), mutations, (body, changes) => {
        try {
          const back = decodeInternal(mutate(encodeInternal(body).payload, changes));
          expect(typeof back.kind).toBe('string');
          expect(['task', 'signal', 'invalid']).not.toContain(back.kind);
        } catch (error) {
          expect(isTroupeError(error), String(error)).toBe(true);
        }
      }),
      { numRuns: 8_000 },
    );
  });
});

describe('stored messages', () => {
  const header = fc.oneof(
    fc.constant(undefined),
    fc.string(),
    fc.constantFrom('30s', 'raw', 'text/plain', 'application/msgpack', '_INBOX.a.b'),
  );

  test('always give an entry, whatever subject, headers and payload are', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<JournalVerb>('task', 'signal', 'event'),
        fc.oneof(fc.constant('support'), fc.string()),
        fc.oneof(fc.constant('john'), fc.string({ unit: 'binary' })),
        fc.oneof(
          fc.uint8Array(),
          jsonValue.map((v) => encodePayload(v)),
        ),
        fc.array(header, { minLength: 8, maxLength: 8 }),
        (verb, type, keyToken, payload, headers) => {
          const names = [
            'Troupe-Task-Id',
            'Troupe-Reply-To',
            'Troupe-Deadline',
            'Troupe-Created',
            'Troupe-Input',
            'Content-Type',
            'traceparent',
            'tracestate',
          ];
          const message: StoredMessage = {
            ...{ seq: 7, at: 8, verb, type, keyToken, payload },
            header: (name) => headers[names.indexOf(name)],
            headers: () => ({}),
          };
          const entry = decodeEntry(message);
          expect(entry).toMatchObject({ seq: 7, at: 8 });
          if (entry.body.kind === 'invalid') expect(entry.body.error.code).toMatch(/^[A-Z]/);
          // Invariant 3 of record.ts: whatever it is, it can be stored and compared.
          encodeValue(entry.body);
          expect(decodeEntry(message)).toStrictEqual(entry);
        },
      ),
      { numRuns: 4_000 },
    );
  });

  test('outcome messages never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.array(header, { minLength: 8, maxLength: 8 }), (payload, headers) => {
        let i = 0;
        decodeOutcome({ payload, header: () => headers[i++ % headers.length] });
      }),
      { numRuns: 2_000 },
    );
  });
});
