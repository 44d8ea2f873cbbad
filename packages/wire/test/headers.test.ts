import {
  assertReplyTo,
  assertTaskId,
  formatInstant,
  headerText,
  parseContentType,
  parseCreated,
  parseDeadline,
  parseDuration,
  parseInstant,
  parseSeq,
  parseTrace,
} from '@troupe/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const coded = (code: string) => expect.objectContaining({ code });

describe('task ids', () => {
  test.each(['a', '17', 'order_17-x', 'x'.repeat(128)])('%s is one', (id) => {
    expect(assertTaskId(id)).toBe(id);
  });
  test.each(['', 'x'.repeat(129), 'a.b', 'a b', 'ä', 'a\n', '*'])('%j is not', (id) => {
    expect(() => assertTaskId(id)).toThrow(coded('InvalidTaskId'));
  });
});

describe('reply addresses', () => {
  test.each(['_INBOX.a', '_INBOX.client.abc.17', `_INBOX.${'x'.repeat(200)}`])('%s is an inbox', (reply) => {
    expect(assertReplyTo(reply)).toBe(reply);
  });
  test.each([
    '',
    '_INBOX.',
    '_INBOX',
    '_INBOX.a..b',
    '_INBOX.a.',
    '_INBOX.a.*',
    '_INBOX.>',
    '_INBOX.a b',
    'troupe.task.a.b',
    '$JS.API.STREAM.DELETE.X',
    `_INBOX.${'x'.repeat(201)}`,
    '_INBOX.a\r\nPUB x 0',
  ])('%j is not', (reply) => {
    expect(() => assertReplyTo(reply)).toThrow(coded('InvalidReplyTo'));
  });
  test('an allowed prefix allows what is below it, and nothing beside it', () => {
    expect(assertReplyTo('replies.web.1', ['replies'])).toBe('replies.web.1');
    expect(assertReplyTo('replies.web.1', ['other', 'replies.'])).toBe('replies.web.1');
    for (const reply of ['replies', 'repliesx.a', 'replies.', 'replies..a', 'replies.*', 'replies.a b']) {
      expect(() => assertReplyTo(reply, ['replies'])).toThrow(coded('InvalidReplyTo'));
    }
  });
});

describe('durations', () => {
  test.each([
    ['0s', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });
  test.each([
    '',
    '30',
    's',
    '-1s',
    '+1s',
    '1 s',
    '1S',
    '1e3s',
    '1w',
    '.5s',
    '1.s',
    ' 1s',
    '1s ',
    '999999999999999d',
    'Infinitys',
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('instants', () => {
  test.each([
    ['2026-01-31T12:00:00Z', Date.UTC(2026, 0, 31, 12)],
    ['2026-01-31t12:00:00z', Date.UTC(2026, 0, 31, 12)],
    ['2026-01-31T12:00:00.5Z', Date.UTC(2026, 0, 31, 12, 0, 0, 500)],
    ['2026-01-31T12:00:00.123456789Z', Date.UTC(2026, 0, 31, 12, 0, 0, 123)],
    ['2026-01-31T12:00:00+02:00', Date.UTC(2026, 0, 31, 10)],
    ['2026-01-31T12:00:00-00:30', Date.UTC(2026, 0, 31, 12, 30)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
    ['0001-01-01T00:00:00Z', -62_135_596_800_000],
  ])('%s is %d', (text, ms) => {
    expect(parseInstant(text)).toBe(ms);
  });
  test.each([
    '',
    '2026-01-31',
    '2026-01-31T12:00Z',
    '2026-01-31T12:00:00',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T12:60:00Z',
    '2026-01-31T12:00:00+24:00',
    '1700000000000',
    'tomorrow',
  ])('%j is none', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });
  test('what we write we read', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (ms) => {
        expect(parseInstant(formatInstant(ms))).toBe(ms);
      }),
    );
  });
});

describe('what steers a task', () => {
  test('a deadline is a duration from acceptance or an instant', () => {
    expect(parseDeadline('30s')).toEqual({ afterMs: 30_000 });
    expect(parseDeadline('2026-01-31T12:00:00Z')).toEqual({ atMs: Date.UTC(2026, 0, 31, 12) });
  });
  test('anything else is refused, naming header, value and form', () => {
    expect(() => parseDeadline('soon')).toThrow(
      expect.objectContaining({
        code: 'InvalidHeader',
        message: expect.stringMatching(/Troupe-Deadline.*"soon".*30s/),
      }),
    );
    expect(() => parseCreated('30s')).toThrow(coded('InvalidHeader'));
    expect(() => parseSeq('Troupe-Min-Seq', '1.5')).toThrow(coded('InvalidHeader'));
    expect(parseSeq('Troupe-Min-Seq', '17')).toBe(17);
  });
});

describe('content types', () => {
  test.each([
    ['application/json', 'application/json'],
    ['Application/JSON; charset=UTF-8', 'application/json'],
    ['text/plain;charset="utf-8"', 'text/plain'],
    ['text/plain; format=flowed', 'text/plain'],
    ['application/x-msgpack', 'application/msgpack'],
    ['application/vnd.msgpack', 'application/msgpack'],
  ])('%s is %s', (text, type) => {
    expect(parseContentType(text)).toBe(type);
  });
  test.each(['', 'json', 'text/html', 'application/octet-stream', 'text/plain; charset=latin1'])(
    '%j is refused',
    (text) => {
      expect(() => parseContentType(text)).toThrow(coded('InvalidHeader'));
    },
  );
});

describe('trace context', () => {
  const good = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  test('is carried untouched', () => {
    expect(parseTrace(good)).toEqual({ traceparent: good });
    expect(parseTrace(good, 'vendor=1')).toEqual({ traceparent: good, tracestate: 'vendor=1' });
    expect(parseTrace(`cc${good.slice(2)}-later`)).toEqual({ traceparent: `cc${good.slice(2)}-later` });
  });
  test.each([
    undefined,
    '',
    good.toUpperCase(),
    `ff${good.slice(2)}`,
    `${good}-x`,
    good.slice(0, -1),
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`,
  ])('%j is ignored', (text) => {
    expect(parseTrace(text, 'vendor=1')).toBeUndefined();
  });
  test('a tracestate that is too long or not printable is dropped', () => {
    expect(parseTrace(good, 'x'.repeat(513))).toEqual({ traceparent: good });
    expect(parseTrace(good, 'a=\u0001')).toEqual({ traceparent: good });
  });
});

describe('text in headers', () => {
  test('has no line breaks, no control characters and a bound', () => {
    expect(headerText(' a\r\nX-Evil: 1\t\u0000b ')).toBe('a  X-Evil: 1  b');
    expect(headerText('x'.repeat(600))).toHaveLength(512);
    expect(headerText('😀'.repeat(3), 5)).toBe('😀😀');
    expect(headerText('a\ud800b')).toBe('a b');
  });
});
