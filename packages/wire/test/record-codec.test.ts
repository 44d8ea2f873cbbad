import { decodeInternal, encodeInternal, encodeValue, RECORD_FORMAT } from '@troupe/wire';
import { describe, expect, test } from 'vitest';
import { bodies } from './bodies.ts';

const read = (...record: unknown[]) => decodeInternal(encodeValue(record));

describe('journal records', () => {
  test.each(bodies.map((body, i) => [i, body.kind, body] as const))(
    'record %i, a %s, comes back equal (invariant 1)',
    (_, __, body) => {
      expect(decodeInternal(encodeInternal(body).payload)).toStrictEqual(body);
    },
  );

  test('every kind is among them', () => {
    expect([...new Set(bodies.map((body) => body.kind))].sort()).toEqual([
      'ask',
      'cancel-timer',
      'claim',
      'import',
      'message',
      'outcome',
      'redrive',
      'reset',
      'self',
      'stream',
      'tick',
      'version',
    ]);
  });

  test('what a client publishes is never a record, whatever it looks like', () => {
    for (const kind of ['task', 'signal', 'invalid', 'toString', '__proto__']) {
      expect(() => read(1, kind, null, 0, null, {}, false, 'application/json')).toThrow(
        expect.objectContaining({ code: 'InvalidPayload' }),
      );
    }
  });

  test('a record of a later release is told from a damaged one', () => {
    expect(() => read(RECORD_FORMAT + 1, 'tick')).toThrow(expect.objectContaining({ code: 'RecordTooNew' }));
    for (const format of [0, -1, 1.5, '1', null]) {
      expect(() => read(format, 'tick')).toThrow(expect.objectContaining({ code: 'InvalidPayload' }));
    }
    expect(() => decodeInternal(encodeValue({ kind: 'tick' }))).toThrow(
      expect.objectContaining({ code: 'InvalidPayload' }),
    );
  });

  test('fields added by a later release are ignored, and missing optional ones are absent', () => {
    expect(read(1, 'reset', 'ann', 'later')).toEqual({ kind: 'reset', by: 'ann' });
    expect(read(1, 'message', 'a/b@1.0', 'a/b', 1, { type: 'x' })).not.toHaveProperty('trace');
  });

  test.each([
    ['outcome', ['a/b@1.0', 'yes', 1]],
    ['outcome', ['a/b@1.0', false, { code: 1 }]],
    ['claim', ['a/b@1.0', '4', 'w']],
    ['stream', ['a/b@1.0', 1, 1, 'unheard-of']],
    ['ask', ['a/b@1.0', 'no-slash', 1, null, 2, []]],
    ['ask', ['a/b@1.0', 'a/b', 1, null, 2, [7]]],
    ['message', ['a/b@1.0', 'a/b', 1, { kind: 'no type' }]],
    ['message', ['a/b@1.0', 'a/b', 1, { type: 'x' }, 7]],
    ['redrive', [1, ['tick']]],
    ['redrive', [1, 'task']],
    ['version', []],
  ])('a %s with the fields %j is refused (invariant 2)', (kind, fields) => {
    expect(() => read(1, kind, ...fields)).toThrow(expect.objectContaining({ name: 'TroupeError' }));
  });

  test('what can not be stored names its path', () => {
    const body = { kind: 'outcome', effectId: 'a/b@1.0', result: { ok: true, value: { run: () => 1 } } } as const;
    expect(() => encodeInternal(body)).toThrow(expect.objectContaining({ code: 'NotStorable', path: '[4].run' }));
  });

  test('an unknown kind can not be written', () => {
    expect(() => encodeInternal({ kind: 'bogus' } as never)).toThrow(
      expect.objectContaining({ code: 'InvalidPayload' }),
    );
  });
});
