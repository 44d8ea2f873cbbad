import { allHeaders, findHeader, readDelivery, statusOf, statusText } from '@troupe/nats/internal';
import { describe, expect, test } from 'vitest';

const bytes = (text: string) => new TextEncoder().encode(text);
const block =
  'NATS/1.0\r\nContent-Type: application/json\r\nX-A:  padded \r\nX-A: second\r\nX-B:\r\n__proto__: own\r\n\r\n';

function read(reply: string): object | undefined {
  const delivery = { seq: 0, consumerSeq: 0, at: 0, pending: 0 };
  return readDelivery(bytes(reply), delivery) ? delivery : undefined;
}

describe('the reply subject of a delivered message', () => {
  const expected = { seq: 1234567, consumerSeq: 89, at: 1795519361939, pending: 5 };

  test('is read in the old form', () => {
    expect(read('$JS.ACK.TROUPE_JOURNAL.troupe-p1-x.1.1234567.89.1795519361939899751.5')).toEqual(expected);
  });

  test('is read in the newer form, with domain, account and token', () => {
    const tail = 'ACCHASH.TROUPE_JOURNAL.c.1.1234567.89.1795519361939899751.5';
    expect(read(`$JS.ACK.hub.${tail}.token`)).toEqual(expected);
    expect(read(`$JS.ACK._.${tail}`)).toEqual(expected);
  });

  test.each(['', '_INBOX.x.1', '$JS.ACK', '$JS.ACK.a.b.c', '$JS.FC.a.b.c.d.e.f.g'])('%j is none', (reply) => {
    expect(read(reply)).toBeUndefined();
  });
});

describe('a header block', () => {
  test('gives the first value of exactly that name, trimmed', () => {
    expect(findHeader(block, 'Content-Type')).toBe('application/json');
    expect(findHeader(block, 'X-A')).toBe('padded');
    expect(findHeader(block, 'X-B')).toBe('');
    expect(findHeader(block, 'x-a')).toBeUndefined();
    expect(findHeader(block, 'Type')).toBeUndefined();
  });

  test('gives all of them, also what is called like a prototype', () => {
    const all = allHeaders(block);
    expect(Object.entries(all)).toEqual([
      ['Content-Type', 'application/json'],
      ['X-A', 'padded'],
      ['X-B', ''],
      ['__proto__', 'own'],
    ]);
    expect(Object.getPrototypeOf(all)).toBe(Object.prototype);
  });

  test.each([
    ['NATS/1.0\r\n\r\n', 0, ''],
    ['NATS/1.0 503\r\n\r\n', 503, ''],
    ['NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 3\r\n\r\n', 408, 'Request Timeout'],
    ['NATS/1.0 100 Idle Heartbeat\r\n\r\n', 100, 'Idle Heartbeat'],
    ['', 0, ''],
  ])('%j says its status', (text, status, words) => {
    expect(statusOf(text)).toBe(status);
    if (status !== 0) expect(statusText(text)).toBe(words);
  });
});
