import type { Msg } from 'nats';
import { expect, test } from 'vitest';
import { subjectText } from '../src/message-bytes.ts';

const received = (bytes: Buffer): Msg => ({ _msg: { subject: bytes, hdr: -1 } }) as unknown as Msg;

test.each(['troupe.task.a.b', 'troupe.task.a.ü🦊', 'troupe.task.a.\ufffd'])('%j is read as it is', (subject) => {
  expect(subjectText(received(Buffer.from(subject)))).toBe(subject);
});

test.each([['a\xff'], ['\xed\xa0\x80'], ['\xc3('], ['\xef\xbf\xbd\xff']])(
  'bytes that are no UTF-8 (%o) become no other subject',
  (latin1) => {
    const text = subjectText(received(Buffer.from(latin1, 'latin1')));
    expect(text).not.toContain('\ufffd');
    expect(text.isWellFormed()).toBe(false);
  },
);
