import { expect, test } from 'vitest';
import { failed, ok, rig, track } from './support/fake-wire.ts';
import { settled } from './support/virtual-clock.ts';

const OUT = 'troupe.out.support.john';
const EMITTED = 'NATS/1.0\r\nTroupe-Effect-Id: support/john@5.2\r\n\r\n';

test('tells outcomes and emitted events, from the moment it is made', async () => {
  const { wire, troupe } = rig();
  const john = troupe.actor('support', 'john');
  const events = john.watch();
  track(john.send('hi', { taskId: 't-1' }));
  wire.publishOut(wire.last('task'), ok({ answer: 42 }), 4);
  wire.publishOut(wire.last('task'), failed('OutOfStock'), 4);
  wire.deliver(OUT, '{"type":"greeted"}', EMITTED);
  const seen = [];
  for await (const event of events) {
    seen.push(event);
    if (event.kind === 'event') break;
  }
  expect(seen).toEqual([
    { kind: 'outcome', taskId: 't-1', ok: true, value: { answer: 42 }, seq: 4, effectId: 'support/john@4.1' },
    {
      kind: 'outcome',
      taskId: 't-1',
      ok: false,
      error: expect.objectContaining({ code: 'OutOfStock' }),
      seq: 4,
      effectId: 'support/john@4.1',
    },
    { kind: 'event', event: { type: 'greeted' }, seq: 5, effectId: 'support/john@5.2' },
  ]);
  expect(wire.subscribed.has(OUT)).toBe(false);
});

test('a reader that waits gets the next event; leaving is idempotent', async () => {
  const { wire, troupe } = rig();
  const events = troupe.actor('support', 'john').watch();
  const next = track(events.next());
  await settled();
  expect(next.result).toBeUndefined();
  wire.deliver(OUT, '1', EMITTED);
  await settled();
  expect(next.result).toMatchObject({ value: { done: false, value: { event: 1 } } });
  const waiting = track(events.next());
  await events.return();
  events.close();
  await settled();
  expect(waiting.result).toEqual({ value: { done: true, value: undefined } });
  expect(await events.next()).toEqual({ done: true, value: undefined });
});

test('a slow reader loses the oldest, and can tell how many (invariant 1)', async () => {
  const { wire, troupe } = rig();
  const events = troupe.actor('support', 'john').watch({ bufferMax: 3 });
  for (let i = 0; i < 10; i++) wire.deliver(OUT, `${i}`, EMITTED);
  expect(events.dropped).toBe(7);
  expect((await events.next()).value).toMatchObject({ event: 7 });
  events.close();
  expect(await events.next()).toEqual({ done: true, value: undefined });
});

test('a lost connection is a gap (invariant 2)', () => {
  const { wire, troupe } = rig();
  const events = troupe.actor('support', 'john').watch();
  wire.emit({ kind: 'disconnected' });
  wire.emit({ kind: 'connected' });
  expect(events.gaps).toBe(1);
});

test('a refused subscription, an abort and a closed client end it with an error', async () => {
  const { wire, troupe } = rig();
  const john = troupe.actor('support', 'john');
  const denied = track(john.watch().next());
  wire.emit({ kind: 'denied', operation: 'subscription', subject: OUT });
  await settled();
  expect(denied.result).toMatchObject({ error: { code: 'PermissionDenied' } });
  const stop = new AbortController();
  const stopped = track(john.watch({ signal: stop.signal }).next());
  stop.abort();
  const closed = track(john.watch().next());
  await troupe.close();
  await settled();
  expect(stopped.result).toMatchObject({ error: { code: 'Cancelled' } });
  expect(closed.result).toMatchObject({ error: { code: 'Closed' } });
  expect(() => john.watch()).toThrow(/closed/);
});

test('what was received before the end is still read', async () => {
  const { wire, troupe } = rig();
  const events = troupe.actor('support', 'john').watch();
  wire.deliver(OUT, '1', EMITTED);
  await troupe.close();
  expect((await events.next()).value).toMatchObject({ event: 1 });
  await expect(events.next()).rejects.toMatchObject({ code: 'Closed' });
});
