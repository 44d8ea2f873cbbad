import { isTroupeError } from '@troupe/wire';
import { describe, expect, test } from 'vitest';
import { bodyOf, failed, headerOf, ok, rig, track } from './support/fake-wire.ts';
import { settled } from './support/virtual-clock.ts';

describe('the way of a task', () => {
  test('an ask is one publish with its own id, its creation time and two addresses of one inbox', async () => {
    const { wire, troupe } = rig();
    const asked = track(troupe.actor('support', 'john.doe').ask({ text: 'hi' }, { deadlineMs: 5_000 }));
    expect(wire.published).toHaveLength(1);
    const task = wire.last('task');
    expect(task.subject).toBe('troupe.task.support.john=2Edoe');
    expect(bodyOf(task)).toEqual({ text: 'hi' });
    expect(headerOf(task, 'Troupe-Task-Id')).toMatch(/^[A-Za-z0-9_-]{22}-1$/);
    expect(headerOf(task, 'Troupe-Created')).toBe('2026-01-01T00:00:00.000Z');
    expect(headerOf(task, 'Troupe-Deadline')).toBe('5000ms');
    const [inbox] = [...wire.subscribed.keys()];
    expect(task.reply.startsWith(inbox!.slice(0, -1))).toBe(true);
    expect(headerOf(task, 'Troupe-Reply-To')).toMatch(/^_INBOX\.[A-Za-z0-9_-]{22}\.r1$/);
    wire.ack(task, 7);
    await settled();
    expect(asked.result).toBeUndefined();
    wire.outcome(task, ok({ answer: 42 }));
    await settled();
    expect(asked.result).toEqual({ value: { answer: 42 } });
    expect(troupe.status.inFlight).toBe(0);
  });

  test('without a deadline none is sent, so that the definition decides', () => {
    const { wire, troupe } = rig();
    track(troupe.actor('support', 'john').ask('hi'));
    expect(headerOf(wire.last('task'), 'Troupe-Deadline')).toBeUndefined();
  });

  test('an outcome proves acceptance, whether or not its PubAck came (invariant 4)', async () => {
    const { wire, troupe } = rig();
    const asked = track(troupe.actor('support', 'john').ask('hi'));
    wire.outcome(wire.last('task'), ok('yes'));
    wire.ack(wire.last('task'), 7);
    await settled();
    expect(asked.result).toEqual({ value: 'yes' });
  });

  test('a failed turn throws its error, with code, actor and task', async () => {
    const { wire, troupe } = rig();
    const asking = troupe.actor('support', 'john').ask('hi', { taskId: 't-1' });
    wire.outcome(wire.last('task'), failed('OutOfStock', 'No shoes are left.'));
    const error = await asking.then(undefined, (thrown: unknown) => thrown);
    expect(isTroupeError(error, 'OutOfStock')).toBe(true);
    expect(error).toMatchObject({ message: 'No shoes are left.', retryable: false });
  });

  test('send resolves with sequence and id as soon as it is stored', async () => {
    const { wire, troupe } = rig();
    const sent = track(troupe.actor('support', 'john').send('hi', { taskId: 't-1' }));
    expect(headerOf(wire.last('task'), 'Troupe-Reply-To')).toBeUndefined();
    wire.ack(wire.last('task'), 12);
    await settled();
    expect(sent.result).toEqual({ value: { seq: 12, taskId: 't-1' } });
  });

  test('a signal goes to the signal subject and has to be an event', async () => {
    const { wire, troupe } = rig();
    const john = troupe.actor('support', 'john');
    const signalled = track(john.signal({ type: 'approve', by: 'ann' }));
    expect(wire.last('signal').subject).toBe('troupe.signal.support.john');
    wire.ack(wire.last('signal'), 3);
    await settled();
    expect(signalled.result).toMatchObject({ value: { seq: 3 } });
    await expect(john.signal({} as { type: string })).rejects.toMatchObject({ code: 'InvalidPayload' });
    await expect(john.signal({ type: 'xstate.stop' })).rejects.toMatchObject({ code: 'ReservedEvent' });
  });

  test('outcomes come back in the content type of the task', async () => {
    const { wire, troupe } = rig();
    const at = new Date(5);
    const asked = track(troupe.actor('support', 'john').ask({ at }, { contentType: 'application/msgpack' }));
    const task = wire.last('task');
    expect(headerOf(task, 'Content-Type')).toBe('application/msgpack');
    wire.outcome(task, ok({ at }));
    await settled();
    expect(asked.result).toEqual({ value: { at } });
  });
});

describe('retries of a named task', () => {
  test('without a PubAck the same bytes are published again until the deadline (invariant 1)', async () => {
    const { wire, clock, troupe } = rig();
    const asked = track(troupe.actor('support', 'john').ask('hi', { deadlineMs: 7_000 }));
    await clock.advance(6_900);
    expect(wire.published).toHaveLength(4);
    expect(new Set(wire.published.map(({ headers }) => headers)).size).toBe(1);
    await clock.advance(700);
    expect(asked.result).toMatchObject({
      error: { code: 'Timeout', message: expect.stringContaining('send it again with taskId') },
    });
    expect(clock.timers).toBe(0);
  });

  test('after the PubAck nothing is published again; the actor is asked for the outcome at 2, 6, 11, 16 s', async () => {
    const { wire, clock, troupe } = rig();
    const asked = track(troupe.actor('support', 'john').ask('hi', { taskId: 't-1' }));
    wire.ack(wire.last('task'), 7);
    const askedAt: number[] = [];
    wire.onPublish = (message) => {
      askedAt.push(Math.round(clock.monotonic() / 1_000));
      wire.answer(message, { status: askedAt.length === 1 ? 'unknown' : 'pending' });
    };
    await clock.advance(17_000);
    expect(wire.of('task')).toHaveLength(1);
    expect(askedAt).toEqual([2, 6, 11, 16]);
    expect(bodyOf(wire.last('query'))).toEqual({ query: 'outcome', taskId: 't-1' });
    expect(asked.result).toBeUndefined();
    wire.onPublish = (message) => wire.answer(message, { status: 'ended', ok: true, value: 'late' });
    await clock.advance(5_000);
    expect(asked.result).toEqual({ value: 'late' });
  });

  test('a polled failure is the outcome; a refused poll is not', async () => {
    const { wire, clock, troupe } = rig();
    const asked = track(troupe.actor('support', 'john').ask('hi'));
    wire.ack(wire.last('task'), 7);
    wire.onPublish = (message) => wire.nobody(message);
    await clock.advance(7_000);
    expect(asked.result).toBeUndefined();
    const error = { code: 'MailboxFull', message: 'Full.', retryable: true };
    wire.onPublish = (message) => wire.answer(message, { status: 'ended', ok: false, error });
    await clock.advance(5_000);
    expect(asked.result).toMatchObject({ error: { code: 'MailboxFull', message: 'Full.', retryable: true } });
  });

  test('an outcome that is no longer remembered ends the waiting', async () => {
    const { wire, clock, troupe } = rig();
    const asked = track(troupe.actor('support', 'john').ask('hi'));
    wire.ack(wire.last('task'), 7);
    wire.onPublish = (message) => wire.refuse(message, { code: 'OutcomeExpired', message: 'Gone.', retryable: false });
    await clock.advance(2_100);
    expect(asked.result).toMatchObject({ error: { code: 'OutcomeExpired' } });
  });

  test('a polled value looks as the outcome message would have', async () => {
    const { wire, clock, troupe } = rig();
    const asked = track(troupe.actor('support', 'john').ask('hi', { contentType: 'text/plain' }));
    wire.ack(wire.last('task'), 7);
    wire.onPublish = (message) => wire.answer(message, { status: 'ended', ok: true, value: { a: 1 } });
    await clock.advance(2_100);
    expect(asked.result).toEqual({ value: '{"a":1}' });
  });

  test('accepted without an outcome ends as a timeout that names the sequence', async () => {
    const { wire, clock, troupe } = rig();
    const asked = track(troupe.actor('support', 'john').ask('hi', { deadlineMs: 1_000, taskId: 't-1' }));
    wire.ack(wire.last('task'), 7);
    await clock.advance(1_400);
    expect(asked.result).toBeUndefined();
    await clock.advance(200);
    expect(asked.result).toMatchObject({
      error: { code: 'Timeout', message: expect.stringContaining('accepted at sequence 7') },
    });
  });
});

describe('named: false', () => {
  test('is published once, without id and creation time', async () => {
    const { wire, clock, troupe } = rig();
    const asked = track(troupe.actor('support', 'john').ask('hi', { named: false, deadlineMs: 9_000 }));
    expect(headerOf(wire.last('task'), 'Troupe-Task-Id')).toBeUndefined();
    expect(headerOf(wire.last('task'), 'Troupe-Created')).toBeUndefined();
    await clock.advance(10_000);
    expect(wire.published).toHaveLength(1);
    expect(asked.result).toMatchObject({ error: { code: 'Timeout', message: expect.stringContaining('unknown') } });
  });

  test('is asked for by its sequence once it is accepted', async () => {
    const { wire, clock, troupe } = rig();
    track(troupe.actor('support', 'john').ask('hi', { named: false }));
    wire.ack(wire.last('task'), 9);
    await clock.advance(2_100);
    expect(bodyOf(wire.last('query'))).toEqual({ query: 'outcome', taskId: '9' });
  });

  test('ends at once when the connection breaks before the PubAck', async () => {
    const { wire, troupe } = rig();
    const asked = track(troupe.actor('support', 'john').ask('hi', { named: false }));
    wire.emit({ kind: 'disconnected' });
    await settled();
    expect(asked.result).toMatchObject({ error: { code: 'Timeout' } });
  });

  test('excludes an id', async () => {
    const { troupe } = rig();
    const asking = troupe.actor('support', 'john').ask('hi', { named: false, taskId: 't-1' });
    await expect(asking).rejects.toMatchObject({ code: 'ConfigInvalid' });
  });
});

describe('refusals', () => {
  test.each([
    [10_077, 'maximum bytes exceeded', 'StreamFull'],
    [10_047, 'insufficient storage resources available', 'StreamFull'],
    [10_054, 'message size exceeds maximum allowed', 'PayloadTooLarge'],
    [10_039, 'jetstream not enabled for account', 'NotAccepted'],
  ])('PubAck error %i (%s) is %s', async (errCode, description, code) => {
    const { wire, troupe } = rig();
    const asked = track(troupe.actor('support', 'john').ask('hi', { taskId: 't-1' }));
    wire.ackError(wire.last('task'), errCode, description);
    await settled();
    expect(asked.result).toMatchObject({
      error: { code, actor: 'support/john', taskId: 't-1', message: expect.stringContaining(description) },
    });
  });

  test('nobody there is tried for 2 s, then NotAccepted with the next step', async () => {
    const { wire, clock, troupe } = rig();
    wire.onPublish = (message) => wire.nobody(message);
    const asked = track(troupe.actor('support', 'john').ask('hi'));
    await clock.advance(1_900);
    expect(asked.result).toBeUndefined();
    await clock.advance(500);
    expect(asked.result).toMatchObject({
      error: { code: 'NotAccepted', message: expect.stringContaining('troupe dev') },
    });
  });

  test('nobody there where a stream was is an election: it is tried for 20 s', async () => {
    const { wire, clock, troupe } = rig();
    const john = troupe.actor('support', 'john');
    track(john.send('first'));
    wire.ack(wire.last('task'), 1);
    wire.onPublish = (message) => wire.nobody(message);
    const asked = track(john.ask('hi'));
    await clock.advance(15_000);
    wire.onPublish = (message) => wire.ack(message, 2);
    await clock.advance(300);
    wire.outcome(wire.last('task'), ok('yes'));
    await settled();
    expect(asked.result).toEqual({ value: 'yes' });
  });

  test('a refused repeat after a lost PubAck is not taken for "not accepted" (invariant 2)', async () => {
    const { wire, clock, troupe } = rig();
    const sent = track(troupe.actor('support', 'john').send('hi'));
    await clock.advance(2_100);
    expect(wire.published).toHaveLength(2);
    wire.ackError(wire.last('task'), 10_077, 'maximum bytes exceeded');
    await settled();
    expect(sent.result).toMatchObject({ error: { code: 'Timeout', cause: { code: 'StreamFull' } } });
  });

  test('too large for the server is refused before sending, with both sizes', async () => {
    const { wire, troupe } = rig();
    wire.payloadBytesMax = 1_000;
    const asking = troupe.actor('support', 'john').ask('x'.repeat(1_000));
    await expect(asking).rejects.toMatchObject({
      code: 'PayloadTooLarge',
      details: { bytes: expect.any(Number), bytesMax: 1_000 },
    });
    expect(wire.published).toHaveLength(0);
    expect(troupe.status.inFlight).toBe(0);
  });

  test('a permission violation ends what was published to that subject, nothing else', async () => {
    const { wire, troupe } = rig();
    const john = track(troupe.actor('support', 'john').ask('hi'));
    const ann = track(troupe.actor('support', 'ann').ask('hi'));
    wire.emit({ kind: 'denied', operation: 'publish', subject: 'troupe.task.support.john' });
    await settled();
    expect(john.result).toMatchObject({
      error: { code: 'PermissionDenied', message: expect.stringContaining('troupe.task.support.john') },
    });
    expect(ann.result).toBeUndefined();
  });

  test('a refused inbox ends everything, now and later', async () => {
    const { wire, troupe } = rig();
    const asked = track(troupe.actor('support', 'john').ask('hi'));
    const [inbox] = [...wire.subscribed.keys()];
    wire.emit({ kind: 'denied', operation: 'subscription', subject: inbox! });
    await settled();
    expect(asked.result).toMatchObject({
      error: { code: 'Closed', message: expect.stringContaining('inboxPrefix') },
    });
    await expect(troupe.actor('support', 'john').ask('hi')).rejects.toMatchObject({ code: 'PermissionDenied' });
    expect(() => troupe.assertOpen()).toThrow(/PermissionDenied|refused/);
  });

  test.each([
    [{ taskId: 'no spaces' }, 'InvalidTaskId'],
    [{ deadlineMs: 0 }, 'ConfigInvalid'],
    [{ deadlineMs: 8 * 86_400_000 }, 'ConfigInvalid'],
    [{ contentType: 'text/html\r\nEvil: 1' as 'text/plain' }, 'InvalidHeader'],
  ])('options %o reject with %s', async (options, code) => {
    const { wire, troupe } = rig();
    await expect(troupe.actor('support', 'john').ask('hi', options)).rejects.toMatchObject({ code });
    expect(wire.published).toHaveLength(0);
  });

  test('what can not be sent rejects and is not counted', async () => {
    const { troupe } = rig();
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    await expect(troupe.actor('support', 'john').ask(cycle)).rejects.toMatchObject({ code: 'NotStorable' });
    expect(troupe.status).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  test('malformed trace context is left out, the rest of the headers stays whole', () => {
    const { wire, troupe } = rig();
    track(troupe.actor('support', 'john').ask('hi', { trace: { traceparent: 'x\r\nEvil: 1' } }));
    expect(wire.last('task').headers).not.toContain('Evil');
  });
});
