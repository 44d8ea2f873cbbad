import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readPubAck } from '../src/pub-ack.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each([
  ['{"stream":"JOURNAL", "seq":22}', 22],
  ['{"stream":"JOURNAL","seq":9007199254740991}', 9_007_199_254_740_991],
  ['{"stream":"JOURNAL","domain":"hub","seq":5,"duplicate":true}', 5],
  ['{"stream":"JOURNAL", "seq":22,"duplicate": true}', 22],
  ['{"type":"x","stream":"JOURNAL","seq":7}', 7],
])('%s is stored at %i', (text, seq) => {
  expect(readPubAck('', bytes(text))).toEqual({ kind: 'stored', seq });
});

test.each([
  ['', 'NATS/1.0 503\r\n\r\n', 'nobody', undefined],
  ['', '', 'refused', 'NotAccepted'],
  ['', 'NATS/1.0 408 Timeout\r\n\r\n', 'refused', 'NotAccepted'],
  [
    '{"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"},"stream":"J","seq":0}',
    '',
    'refused',
    'StreamFull',
  ],
  [
    '{"error":{"code":503,"err_code":10008,"description":"JetStream system temporarily unavailable"}}',
    '',
    'unavailable',
    'NotAccepted',
  ],
  ['{"stream":"J","seq":0}', '', 'refused', 'NotAccepted'],
  ['null', '', 'refused', 'NotAccepted'],
  ['{"error":{}}', '', 'refused', 'NotAccepted'],
])('%s%s is %s %s', (text, headers, kind, code) => {
  const ack = readPubAck(headers, bytes(text));
  expect(ack.kind).toBe(kind);
  if ('error' in ack) expect(ack.error.code).toBe(code);
});

test('never throws', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (payload) => void readPubAck('', payload)));
});
