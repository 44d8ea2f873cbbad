/** States as documents. */
import { encodeState, isTroupeError } from '@troupe/wire';
import { describe, expect, test } from 'vitest';
import { fromDocument } from '../src/state-document.ts';

const state = { seq: 7, machine: { value: 'idle' } };
const bytes = Buffer.from(encodeState(state)).toString('base64');
const document = JSON.stringify({ format: 'troupe-state-1', actor: 'helpdesk/john', state: bytes });

describe('a document', () => {
  test('gives its state to an actor of its type, whatever the key', () => {
    expect(fromDocument(document, { type: 'helpdesk', key: 'ann' })).toEqual(state);
  });

  test('of a type that was renamed gives it to one of the new name, and the other way round', () => {
    const renamed = { helpdesk: 'support' };
    expect(fromDocument(document, { type: 'support', key: 'john' }, renamed)).toEqual(state);
    const later = document.replace('helpdesk/john', 'support/john');
    expect(fromDocument(later, { type: 'helpdesk', key: 'john' }, renamed)).toEqual(state);
  });

  test.each([
    ['another type', document, {}],
    ['another type beside a renamed one', document, { order: 'support' }],
    ['another format', document.replace('state-1', 'state-2'), { helpdesk: 'support' }],
  ])('is refused: %s', (_what, text, renamed) => {
    let error: unknown;
    try {
      fromDocument(text, { type: 'support', key: 'john' }, renamed);
    } catch (thrown) {
      error = thrown;
    }
    expect(isTroupeError(error, 'Usage')).toBe(true);
  });
});
