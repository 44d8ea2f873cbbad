import { decodeEntry, signalMessage, taskMessage } from '@troupe/wire';
import { expect, test } from 'vitest';
import { findHeader } from '../src/header-block.ts';
import { newId, TaskIds } from '../src/task-ids.ts';
import { headerOf, type Published, rig, track } from './support/fake-wire.ts';

const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=1' };

const headersOf = ({ headers }: Published): Record<string, string> =>
  Object.fromEntries(
    headers
      .split('\r\n')
      .slice(1)
      .filter((line) => line !== '')
      .map((line) => line.split(': ') as [string, string]),
  );

test.each([
  ['plain', { text: 'hi' }, {}],
  [
    'everything',
    { text: 'hi' },
    { taskId: 't-1', contentType: 'application/msgpack', deadlineMs: 1_500, raw: true, trace },
  ],
  ['text', 'hi', { contentType: 'text/plain' }],
] as const)('a task says what taskMessage() of wire says: %s', (_name, input, options) => {
  const { wire, clock, troupe } = rig();
  track(troupe.actor('support', 'john').ask(input, options));
  const sent = wire.last('task');
  const { contentType, raw, trace: context, deadlineMs: deadline } = options as Record<string, never>;
  const expected = taskMessage(input, {
    taskId: headerOf(sent, 'Troupe-Task-Id'),
    createdAt: clock.now(),
    // An id of the client's own making is repeated for as long as the caller waits; five minutes are grace.
    ...('taskId' in options ? {} : { rememberMs: 60_500 + 300_000 }),
    replyTo: headerOf(sent, 'Troupe-Reply-To'),
    contentType,
    raw,
    deadline,
    trace: context,
  });
  expect(headersOf(sent)).toEqual(expected.headers);
  expect(sent.payload).toEqual(expected.payload);
});

test('a signal says what signalMessage() of wire says', () => {
  const { wire, clock, troupe } = rig();
  track(troupe.actor('support', 'john').signal({ type: 'approve', by: 'ann' }, { taskId: 's-1', trace }));
  const sent = wire.last('signal');
  const expected = signalMessage({ type: 'approve', by: 'ann' } as { type: string }, {
    taskId: 's-1',
    createdAt: clock.now(),
    trace,
  });
  expect(headersOf(sent)).toEqual(expected.headers);
  expect(sent.payload).toEqual(expected.payload);
});

test('a worker reads from it what was meant', () => {
  const { wire, clock, troupe } = rig();
  track(
    troupe
      .actor('support', 'john')
      .ask({ type: 'looks-like-an-event' }, { raw: true, deadlineMs: 5_000, taskId: 't-1' }),
  );
  const { payload, headers } = wire.last('task');
  const stored = {
    seq: 1,
    at: 5,
    verb: 'task',
    type: 'support',
    keyToken: 'john',
    payload,
    header: (name: string) => findHeader(headers, name),
    headers: () => ({}),
  } as const;
  expect(decodeEntry(stored).body).toMatchObject({
    kind: 'task',
    taskId: 't-1',
    createdAt: clock.now(),
    raw: true,
    payload: { type: 'looks-like-an-event' },
    deadline: { afterMs: 5_000 },
    replyTo: expect.stringMatching(/^_INBOX\..+\.r1$/),
  });
});

test('an unnamed send of JSON goes without any header', () => {
  const { wire, troupe } = rig();
  track(troupe.actor('support', 'john').send('hi', { named: false }));
  expect(wire.last('task').headers).toBe('');
});

test('ids are unique, numbered by subject, and begin anew for a subject not used for long', () => {
  const ids = new TaskIds(2);
  const made = ['s.a', 's.a', 's.b', 's.c', 's.a'].map((subject) => ids.next(subject));
  expect(new Set(made).size).toBe(5);
  expect(made.every((id) => /^[A-Za-z0-9_-]{22}-[0-9]+$/.test(id))).toBe(true);
  expect(made.map((id) => id.slice(23))).toEqual(['1', '2', '1', '1', '1']);
  expect(made[1]!.slice(0, 22)).toBe(made[0]!.slice(0, 22));
  expect(made[4]!.slice(0, 22)).not.toBe(made[0]!.slice(0, 22));
});

test('random parts of ids are unique, short and fit for subjects', () => {
  const parts = Array.from({ length: 5_000 }, newId);
  expect(new Set(parts).size).toBe(5_000);
  expect(parts.every((part) => /^[A-Za-z0-9_-]{22}$/.test(part))).toBe(true);
});
