import { deadLetterInput, deadLetterPayload } from '@troupe/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const letter = (verb: 'task' | 'signal' | 'event', payload: Uint8Array, headers: Record<string, string> = {}) => ({
  seq: 17,
  at: 1_000,
  address: { type: 'support', key: 'john.doe' },
  verb,
  headers,
  payload,
});
const text = (value: string) => new TextEncoder().encode(value);

describe('a dead letter', () => {
  test('gives its input again', () => {
    expect(deadLetterInput(letter('task', text('"hello"'), { 'Troupe-Task-Id': 'one' }))).toMatchObject({
      kind: 'task',
      payload: 'hello',
      taskId: 'one',
    });
  });

  test('of something that an actor sent has no input', () => {
    expect(() => deadLetterInput(letter('event', text('nonsense')))).toThrow();
  });

  test('shows its payload as a value, or as base64 when it is none', () => {
    expect(deadLetterPayload(letter('task', text('{"a":1}')))).toEqual({ payload: { a: 1 } });
    expect(deadLetterPayload(letter('event', text('abc')))).toEqual({ payloadBytes: 3 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const shown = deadLetterPayload(letter('task', bytes, { 'Content-Type': 'application/pdf' }));
        expect(shown).toEqual({ payloadBase64: Buffer.from(bytes).toString('base64') });
      }),
    );
  });
});
