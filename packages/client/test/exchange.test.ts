import { expect, test } from 'vitest';
import { bodyOf, headerOf, ok, rig, track } from './support/fake-wire.ts';
import { settled } from './support/virtual-clock.ts';

test('beyond inFlightMax requests wait in order, beyond queueMax they are refused (invariants 1 and 3)', async () => {
  const { wire, troupe } = rig({ inFlightMax: 2, queueMax: 3 });
  const john = troupe.actor('support', 'john');
  const asked = [1, 2, 3, 4, 5].map((n) => track(john.ask({ n })));
  await expect(john.ask({ n: 6 })).rejects.toMatchObject({ code: 'Busy', retryable: true });
  expect(troupe.status).toMatchObject({ inFlight: 2, waiting: 3 });
  expect(wire.published).toHaveLength(2);
  for (let i = 0; i < 5; i++) {
    wire.outcome(wire.published[i]!, ok(i));
    await settled();
  }
  expect(wire.published.map(bodyOf)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }, { n: 5 }]);
  expect(asked.map(({ result }) => result)).toEqual([0, 1, 2, 3, 4].map((value) => ({ value })));
  expect(troupe.status).toMatchObject({ inFlight: 0, waiting: 0 });
});

test('without a connection nothing is published; what waits is sent when it is there (invariant 2)', async () => {
  const { wire, troupe } = rig({ connected: false });
  const asked = track(troupe.actor('support', 'john').ask('hi'));
  expect(wire.published).toHaveLength(0);
  wire.emit({ kind: 'connected' });
  expect(wire.published).toHaveLength(1);
  wire.outcome(wire.last('task'), ok('yes'));
  await settled();
  expect(asked.result).toEqual({ value: 'yes' });
});

test('a deadline that passes without a connection is NotConnected: nothing was sent', async () => {
  const { wire, clock, troupe } = rig({ connected: false });
  const john = troupe.actor('support', 'john');
  const asked = track(john.ask('hi', { deadlineMs: 1_000 }));
  const read = track(john.snapshot({ timeoutMs: 1_000 }));
  await clock.advance(1_600);
  expect(asked.result).toMatchObject({
    error: { code: 'NotConnected', message: expect.stringContaining('nothing was sent') },
  });
  expect(read.result).toMatchObject({ error: { code: 'NotConnected' } });
  expect(troupe.status.waiting).toBe(0);
  wire.emit({ kind: 'connected' });
  expect(wire.published).toHaveLength(0);
});

test('of thousands that wait, a thousand a second are asked for, and each gets its turn (invariant 5)', async () => {
  const { wire, clock, troupe } = rig({ inFlightMax: 3_000 });
  const john = troupe.actor('support', 'john');
  for (let n = 0; n < 2_500; n++) track(john.ask(n, { taskId: `t-${n}`, deadlineMs: 60_000 }));
  wire.of('task').forEach((task, n) => {
    wire.ack(task, n + 1);
  });
  const asked: number[] = [];
  for (let second = 0; second < 6; second++) {
    const before = wire.of('query').length;
    await clock.advance(1_000);
    asked.push(wire.of('query').length - before);
  }
  expect(Math.max(...asked)).toBeLessThanOrEqual(1_000);
  const ids = wire.of('query').map((query) => (bodyOf(query) as { taskId: string }).taskId);
  expect(new Set(ids).size).toBe(2_500);
});

test('after a reconnect unacknowledged tasks are published again, accepted ones are asked for', async () => {
  const { wire, clock, troupe } = rig();
  const john = troupe.actor('support', 'john');
  track(john.ask('lost', { taskId: 'lost' }));
  track(john.ask('accepted', { taskId: 'accepted' }));
  const read = track(john.snapshot());
  wire.ack(wire.of('task')[1]!, 5);
  wire.emit({ kind: 'disconnected' });
  await clock.advance(3_000);
  expect(wire.published).toHaveLength(3);
  wire.emit({ kind: 'connected' });
  const again = wire.published.slice(3);
  expect(again.map(({ subject }) => subject.split('.')[1])).toEqual(['task', 'query', 'query']);
  expect(headerOf(again[0]!, 'Troupe-Task-Id')).toBe('lost');
  expect(bodyOf(again[1]!)).toEqual({ query: 'outcome', taskId: 'accepted' });
  expect(bodyOf(again[2]!)).toMatchObject({ query: 'state' });
  wire.answer(again[2]!, { value: 'idle' });
  await settled();
  expect(read.result).toMatchObject({ value: { value: 'idle' } });
});

test('late, foreign and nonsensical answers are dropped (invariants 4 and 5)', async () => {
  const { wire, troupe } = rig();
  const asked = track(troupe.actor('support', 'john').ask('hi'));
  const task = wire.last('task');
  const inbox = task.reply.slice(0, task.reply.lastIndexOf('.') + 1);
  for (const token of ['', 'r', 'a', 'r999', 'z1', 'r1x', '1', 'r-1', 'a1.b'])
    wire.deliver(`${inbox}${token}`, 'nonsense');
  await settled();
  expect(asked.result).toBeUndefined();
  wire.outcome(task, ok(1));
  wire.outcome(task, ok(2));
  await settled();
  expect(asked.result).toEqual({ value: 1 });
});

test('an unreadable PubAck or outcome is an error, not a crash', async () => {
  const { wire, troupe } = rig();
  const john = troupe.actor('support', 'john');
  const sent = track(john.send('hi'));
  wire.deliver(wire.last('task').reply, 'not json');
  const asked = track(john.ask('hi'));
  wire.deliver(
    headerOf(wire.last('task'), 'Troupe-Reply-To')!,
    '{',
    'NATS/1.0\r\nContent-Type: application/json\r\n\r\n',
  );
  await settled();
  expect(sent.result).toMatchObject({ error: { code: 'NotAccepted' } });
  expect(asked.result).toMatchObject({ error: { code: 'Internal' } });
});

test('an aborted request is rejected with its reason, and its listener is gone', async () => {
  const { wire, troupe } = rig({ inFlightMax: 1 });
  const john = troupe.actor('support', 'john');
  const stop = new AbortController();
  const flying = track(john.ask('a', { signal: stop.signal }));
  const queued = track(john.ask('b', { signal: stop.signal }));
  const other = track(john.ask('c'));
  stop.abort(new Error('enough'));
  await settled();
  expect(flying.result).toMatchObject({ error: { code: 'Cancelled', cause: { message: 'enough' } } });
  expect(queued.result).toMatchObject({ error: { code: 'Cancelled' } });
  await expect(john.ask('d', { signal: stop.signal })).rejects.toMatchObject({ code: 'Cancelled' });
  expect(wire.published.map(bodyOf)).toEqual(['a', 'c']);
  wire.outcome(wire.last('task'), ok('done'));
  await settled();
  expect(other.result).toEqual({ value: 'done' });
});

test('close rejects what is under way and what comes after it', async () => {
  const { wire, clock, troupe } = rig({ inFlightMax: 1 });
  const john = troupe.actor('support', 'john');
  const flying = track(john.ask('a'));
  const queued = track(john.ask('b'));
  const closing = troupe.close();
  await expect(john.ask('c')).rejects.toMatchObject({ code: 'Closed' });
  await closing;
  await troupe.close();
  expect(flying.result).toMatchObject({ error: { code: 'Closed', message: expect.stringContaining('unknown') } });
  expect(queued.result).toMatchObject({
    error: { code: 'Closed', message: expect.stringContaining('nothing was sent') },
  });
  expect(wire.closed).toBe(true);
  expect(clock.timers).toBe(0);
});

test('close with drainMs lets what is under way end first', async () => {
  const { wire, clock, troupe } = rig();
  const asked = track(troupe.actor('support', 'john').ask('a'));
  const closing = track(troupe.close({ drainMs: 1_000 }));
  await clock.advance(500);
  expect(closing.result).toBeUndefined();
  wire.outcome(wire.last('task'), ok('yes'));
  await settled();
  await settled();
  expect(asked.result).toEqual({ value: 'yes' });
  expect(closing.result).toEqual({ value: undefined });
});

test('a connection that ends for good ends everything with the reason', async () => {
  const { wire, troupe } = rig();
  const john = troupe.actor('support', 'john');
  const asked = track(john.ask('a'));
  wire.emit({ kind: 'closed', error: new Error('user authentication expired') });
  await settled();
  expect(asked.result).toMatchObject({
    error: {
      code: 'Closed',
      message: expect.stringContaining('authentication expired'),
      cause: { code: 'NotConnected' },
    },
  });
  await expect(john.snapshot()).rejects.toMatchObject({ code: 'NotConnected' });
});

test('20,000 asks through a small window all end, and nothing is left behind', async () => {
  const { wire, clock, troupe } = rig({ inFlightMax: 64, queueMax: 20_000 });
  wire.onPublish = (message) => {
    wire.ack(message, 1);
    wire.outcome(message, ok('yes'));
  };
  const john = troupe.actor('support', 'john');
  const answers = await Promise.all(Array.from({ length: 20_000 }, () => john.ask('hi')));
  expect(answers.every((answer) => answer === 'yes')).toBe(true);
  expect(troupe.status).toMatchObject({ inFlight: 0, waiting: 0 });
  await clock.advance(5_000);
  expect(clock.timers).toBe(0);
});
