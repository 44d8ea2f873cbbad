/**
 * What is kept as bytes for ever: every kind of journal record, a state, payloads of every content type, outcomes.
 * `fixtures/format-1.json` holds them as this release first wrote them. `node packages/wire/test/golden.ts` adds what is
 * missing there and never changes what is there: when a fixture fails, old journals can no longer be read.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import {
  type ContentType,
  decodeInternal,
  decodePayload,
  decodeState,
  decodeValue,
  encodeInternal,
  encodePayload,
  encodeState,
  encodeValue,
  type InternalBody,
  TroupeError,
} from '@troupe/wire';
import { bodies } from './bodies.ts';

/** One case: how it is written and read. */
export interface Golden {
  readonly name: string;
  readonly value: unknown;
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/** One stored case. */
export interface Fixture {
  readonly hex: string;
  /** The decoded value, for people and for comparing. */
  readonly shown: string;
}

const everything = {
  none: undefined,
  nothing: null,
  flags: [true, false],
  numbers: [
    0,
    -0,
    63,
    64,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    -1,
    -32,
    -33,
    -128,
    -129,
    1.5,
    2 ** 32,
    2 ** 53,
    Number.NaN,
  ],
  bigints: [0n, -1n, 2n ** 63n, 2n ** 64n, -(2n ** 100n)],
  texts: ['', 'x'.repeat(40), 'ü€😀', 'lone \ud800'],
  dates: [new Date(0), new Date(1_700_000_000_123), new Date(-1), new Date(Number.NaN)],
  map: new Map<unknown, unknown>([
    ['a', 1],
    [2, new Map()],
  ]),
  set: new Set([1, 'b']),
  bytes: [new Uint8Array([1, 2, 3]), new Float64Array([0.5]), new BigInt64Array([-1n]), new ArrayBuffer(2)],
  pattern: /a+b/gi,
  error: Object.assign(new TypeError('no', { cause: new Error('deep') }), { code: 'E_NO' }),
};

const trouble = new TroupeError('EffectFailed', 'declined', {
  actor: 'order/42',
  taskId: 't-1',
  details: { status: 402 },
  cause: new Error('HTTP 402'),
});

const state = {
  value: { open: 'waiting' },
  status: 'active',
  context: {
    name: 'John',
    messages: Array.from({ length: 3 }, (_, i) => ({ id: `m${i}`, role: 'user', text: `text ${i}` })),
  },
  children: { charge: { src: 'charge', syncSnapshot: false, snapshot: { status: 'active', input: { amount: 12.5 } } } },
  historyValue: {},
};

const plain = { type: 'placed', order: 42, lines: [{ sku: 'A-1', n: 2 }], note: 'ü€😀', none: null, big: 2 ** 40 };

export const goldens: readonly Golden[] = [
  ...bodies.map((body, i) => ({
    name: `record ${i} ${body.kind}`,
    value: body,
    encode: (value: unknown) => encodeInternal(value as InternalBody).payload,
    decode: decodeInternal,
  })),
  { name: 'value everything', value: everything, encode: encodeValue, decode: decodeValue },
  { name: 'state everything', value: everything, encode: encodeState, decode: decodeState },
  { name: 'value failure', value: [trouble], encode: encodeValue, decode: decodeValue },
  { name: 'state machine', value: state, encode: encodeState, decode: decodeState },
  ...(['application/json', 'application/msgpack'] as const).map((type) => payload(type, plain)),
  payload('text/plain', 'hello ü€😀'),
];

function payload(type: ContentType, value: unknown): Golden {
  return {
    name: `payload ${type}`,
    value,
    encode: (v) => encodePayload(v, type),
    decode: (bytes) => decodePayload(bytes, type).value,
  };
}

const file = new URL('./fixtures/format-1.json', import.meta.url);

export function readFixtures(): Record<string, Fixture> {
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, Fixture>;
}

export function show(value: unknown): string {
  return inspect(value, {
    depth: 20,
    maxArrayLength: null,
    maxStringLength: null,
    breakLength: Number.POSITIVE_INFINITY,
  });
}

function writeMissing(): void {
  const fixtures = readFixtures();
  for (const { name, value, encode, decode } of goldens) {
    if (fixtures[name] !== undefined) continue;
    const bytes = encode(value);
    fixtures[name] = { hex: Buffer.from(bytes).toString('hex'), shown: show(decode(bytes)) };
  }
  writeFileSync(file, `${JSON.stringify(fixtures, null, 2)}\n`);
}

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1]) writeMissing();
