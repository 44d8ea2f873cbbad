import { expect, test } from 'vitest';
import { ok, rig, track } from './support/fake-wire.ts';
import { settled } from './support/virtual-clock.ts';

test('looks at once, then ever more rarely, until the state is as wished', async () => {
  const { wire, clock, troupe } = rig();
  let value = 'open';
  wire.onPublish = (query) => wire.answer(query, { value, seq: 1 });
  const waited = track(troupe.actor('order', '42').waitFor((state) => state.matches('settled')));
  await clock.advance(10_000);
  expect(waited.result).toBeUndefined();
  expect(wire.published.length).toBeGreaterThan(5);
  expect(wire.published.length).toBeLessThan(15);
  value = 'settled';
  await clock.advance(2_100);
  expect(waited.result).toMatchObject({ value: { value: 'settled' } });
  expect(wire.subscribed.has('troupe.out.order.42')).toBe(false);
  const looks = wire.published.length;
  await clock.advance(10_000);
  expect(wire.published).toHaveLength(looks);
});

test('what the actor publishes is an occasion to look, as of that sequence', async () => {
  const { wire, clock, troupe } = rig();
  let value = 'open';
  wire.onPublish = (message) => {
    if (message.subject.includes('.query.')) wire.answer(message, { value, seq: 1 });
  };
  const order = troupe.actor('order', '42');
  const waited = track(order.waitFor((state) => state.matches('settled')));
  await clock.advance(5_000);
  track(order.send('pay'));
  value = 'settled';
  wire.publishOut(wire.last('task'), ok(null), 17);
  await clock.advance(50);
  expect(waited.result).toMatchObject({ value: { value: 'settled' } });
  expect(wire.last('query').headers).toContain('Troupe-Min-Seq: 17');
});

test('a chatty actor is not asked more often than every 20 ms (invariant 1)', async () => {
  const { wire, clock, troupe } = rig();
  wire.onPublish = (message) => {
    if (message.subject.includes('.query.')) wire.answer(message, { value: 'open', seq: 1 });
  };
  const order = troupe.actor('order', '42');
  track(order.waitFor((state) => state.matches('settled')));
  track(order.send('go'));
  for (let i = 0; i < 1_000; i++) {
    wire.publishOut(wire.last('task'), ok(null), i + 1);
    await clock.advance(1);
  }
  expect(wire.of('query').length).toBeLessThanOrEqual(52);
});

test('an actor that is not there yet is waited for; other refusals end it (invariant 2)', async () => {
  const { wire, clock, troupe } = rig();
  wire.onPublish = (query) => wire.refuse(query, { code: 'NotFound', message: 'No such actor.', retryable: false });
  const waited = track(troupe.actor('order', '42').waitFor(() => true));
  await clock.advance(1_000);
  expect(waited.result).toBeUndefined();
  wire.onPublish = (query) => wire.refuse(query, { code: 'ActorSuspended', message: 'Suspended.', retryable: true });
  await clock.advance(1_000);
  expect(waited.result).toMatchObject({ error: { code: 'ActorSuspended' } });
});

test('the end of the time says what was seen last', async () => {
  const { wire, clock, troupe } = rig();
  wire.onPublish = (query) => wire.answer(query, { value: 'open', seq: 4 });
  const waited = track(troupe.actor('order', '42').waitFor(() => false, { timeoutMs: 1_000 }));
  await clock.advance(1_100);
  expect(waited.result).toMatchObject({
    error: {
      code: 'Timeout',
      actor: 'order/42',
      message: expect.stringContaining('"open"'),
      details: { seq: 4, value: 'open' },
    },
  });
  expect(clock.timers).toBe(0);
});

test('what the predicate throws is thrown; an abort ends the waiting', async () => {
  const { wire, clock, troupe } = rig();
  wire.onPublish = (query) => wire.answer(query, { value: 'open', seq: 4 });
  const order = troupe.actor('order', '42');
  const thrown = order.waitFor(() => {
    throw new RangeError('mine');
  });
  await expect(thrown).rejects.toThrow(RangeError);
  const stop = new AbortController();
  const waited = track(order.waitFor(() => false, { signal: stop.signal }));
  await clock.advance(500);
  stop.abort();
  await settled();
  expect(waited.result).toMatchObject({ error: { code: 'Cancelled' } });
  expect(wire.subscribed.size).toBe(1);
});
