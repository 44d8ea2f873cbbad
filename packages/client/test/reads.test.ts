import { describe, expect, test } from 'vitest';
import { queryOf as bodyOf, headerOf, rig, track } from './support/fake-wire.ts';
import { settled } from './support/virtual-clock.ts';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

const NOT_FOUND = { code: 'NotFound', message: 'There is no such actor.', retryable: false };
const NO_OWNER = { code: 'NoOwner', message: 'Nobody owns it.', retryable: true };

describe('query', () => {
  test('asks for an answer that keeps dates, maps and bigints', async () => {
    const { wire, troupe } = rig();
    const read = track(troupe.actor('support', 'john').query('search', { text: 'shoes', k: 3 }, { minSeq: 12 }));
    const query = wire.last('query');
    expect(query.subject).toBe('troupe.query.support.john');
    expect(bodyOf(query)).toEqual({ query: 'search', text: 'shoes', k: 3 });
    expect(headerOf(query, 'Accept')).toBe('application/msgpack');
    expect(headerOf(query, 'Troupe-Min-Seq')).toBe('12');
    const answer = { at: new Date(1), seen: new Map([['a', 1n]]), none: undefined };
    wire.answer(query, answer);
    await settled();
    expect(read.result).toEqual({ value: answer });
  });

  test('takes JSON as well', async () => {
    const { wire, troupe } = rig();
    const read = track(troupe.actor('support', 'john').query('search'));
    wire.deliver(wire.last('query').reply, '{"hits":[]}');
    await settled();
    expect(read.result).toEqual({ value: { hits: [] } });
  });

  test.each([NO_OWNER, { code: 'Busy', message: 'Too many.', retryable: true }])(
    'asks again after $code, ever more slowly, until somebody answers',
    async (refusal) => {
      const { wire, clock, troupe } = rig();
      wire.onPublish = (query) => (wire.published.length < 4 ? wire.refuse(query, refusal) : wire.answer(query, 'yes'));
      const read = track(troupe.actor('support', 'john').query('search'));
      await clock.advance(650);
      expect(wire.published).toHaveLength(3);
      await clock.advance(200);
      expect(read.result).toEqual({ value: 'yes' });
    },
  );

  test('an answer that does not come is asked for again; the late first answer will do', async () => {
    const { wire, clock, troupe } = rig();
    const read = track(troupe.actor('support', 'john').query('search'));
    await clock.advance(2_100);
    expect(wire.published).toHaveLength(2);
    wire.answer(wire.published[0]!, 'first');
    await settled();
    expect(read.result).toEqual({ value: 'first' });
  });

  test('nobody at all is NoOwner at the deadline, silence is Timeout', async () => {
    const { wire, clock, troupe } = rig();
    const silent = track(troupe.actor('support', 'john').query('search', {}, { timeoutMs: 1_000 }));
    wire.onPublish = (query) => wire.nobody(query);
    const nobody = track(troupe.actor('support', 'ann').query('search', {}, { timeoutMs: 1_000 }));
    await clock.advance(1_100);
    expect(silent.result).toMatchObject({ error: { code: 'Timeout', actor: 'support/john' } });
    expect(nobody.result).toMatchObject({
      error: { code: 'NoOwner', actor: 'support/ann', message: expect.stringContaining('worker') },
    });
  });

  test('an error of the actor ends it at once', async () => {
    const { wire, troupe } = rig();
    const read = track(troupe.actor('support', 'john').snapshot());
    wire.refuse(wire.last('query'), NOT_FOUND);
    await settled();
    expect(read.result).toMatchObject({ error: { code: 'NotFound' } });
  });

  test('an error of another NATS service keeps its text', async () => {
    const { wire, troupe } = rig();
    const read = track(troupe.actor('support', 'john').query('x'));
    wire.deliver(
      wire.last('query').reply,
      '',
      'NATS/1.0\r\nNats-Service-Error-Code: 418\r\nNats-Service-Error: I am a teapot\r\n\r\n',
    );
    await settled();
    expect(read.result).toMatchObject({
      error: { code: 'Internal', message: 'I am a teapot', details: { status: '418' } },
    });
  });

  test('minSeq has to be a sequence', async () => {
    const { troupe } = rig();
    await expect(troupe.actor('support', 'john').snapshot({ minSeq: -1 })).rejects.toMatchObject({
      code: 'ConfigInvalid',
    });
  });
});

test('snapshot is a view that answers what XState snapshots answer', async () => {
  const { wire, troupe } = rig();
  const reading = troupe.actor('order', '42').snapshot();
  wire.answer(wire.last('query'), {
    type: 'order',
    key: '42',
    version: 3,
    seq: 9,
    value: { payment: { card: 'open' } },
    context: { total: 5n },
    tags: ['busy'],
    stash: { depth: 1, bytes: 20 },
  });
  const state = await reading;
  expect(state.context).toEqual({ total: 5n });
  expect(state.matches('payment')).toBe(true);
  expect(state.matches('payment.card.open')).toBe(true);
  expect(state.matches({ payment: 'card' })).toBe(true);
  expect(state.matches({ payment: { card: 'closed' } })).toBe(false);
  expect([state.hasTag('busy'), state.hasTag('idle')]).toEqual([true, false]);
  expect(state).toMatchObject({ version: 3, seq: 9, stash: { depth: 1 }, timers: [], effects: [] });
});

test.each([
  [{ status: 'pending' }, { status: 'pending' }],
  [{ status: 'unknown' }, { status: 'unknown' }],
  [
    { status: 'ended', ok: true, value: 5 },
    { status: 'ended', ok: true, value: 5 },
  ],
  ['nonsense', { status: 'unknown' }],
])('outcome %o is %o', async (answer, expected) => {
  const { wire, troupe } = rig();
  const reading = troupe.actor('support', 'john').outcome('t-1');
  expect(bodyOf(wire.last('query'))).toEqual({ query: 'outcome', taskId: 't-1' });
  wire.answer(wire.last('query'), answer);
  expect(await reading).toEqual(expected);
});

test('an outcome that failed carries an error to throw', async () => {
  const { wire, troupe } = rig();
  const reading = troupe.actor('support', 'john').outcome('t-1');
  wire.answer(wire.last('query'), { status: 'ended', ok: false, error: { code: 'MailboxFull', message: 'Full.' } });
  expect(await reading).toMatchObject({ ok: false, error: { code: 'MailboxFull', retryable: true, taskId: 't-1' } });
});

describe('history', () => {
  const entries = (from: number, to: number): { seq: number; at: number }[] =>
    Array.from({ length: to - from + 1 }, (_, i) => ({ seq: from + i, at: 0 }));

  test('is read page by page, as far as the loop goes', async () => {
    const { wire, troupe } = rig();
    wire.onPublish = (query) => {
      const { fromSeq = 1 } = bodyOf(query) as { fromSeq?: number };
      wire.answer(query, { entries: entries(fromSeq, fromSeq + 1), next: fromSeq + 2 });
    };
    const seen: number[] = [];
    for await (const { seq } of troupe.actor('support', 'john').history({ toSeq: 90 })) {
      seen.push(seq);
      if (seq === 5) break;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(wire.published.map(bodyOf)).toEqual([
      { query: 'history', toSeq: 90, limit: 200 },
      { query: 'history', fromSeq: 3, toSeq: 90, limit: 200 },
      { query: 'history', fromSeq: 5, toSeq: 90, limit: 200 },
    ]);
  });

  test('last is asked for once and never exceeded', async () => {
    const { wire, troupe } = rig();
    wire.onPublish = (query) => {
      const { fromSeq = 10 } = bodyOf(query) as { fromSeq?: number };
      wire.answer(query, { entries: entries(fromSeq, fromSeq + 1), next: fromSeq + 2 });
    };
    const seen = await collect(troupe.actor('support', 'john').history({ last: 3 }));
    expect(seen.map(({ seq }) => seq)).toEqual([10, 11, 12]);
    expect(wire.published.map(bodyOf)).toEqual([
      { query: 'history', last: 3, limit: 200 },
      { query: 'history', fromSeq: 12, limit: 200 },
    ]);
  });

  test('a page too large to send is asked for again with fewer entries', async () => {
    const { wire, troupe } = rig();
    wire.onPublish = (query) => {
      const { limit } = bodyOf(query) as { limit: number };
      if (limit > 20) wire.refuse(query, { code: 'PayloadTooLarge', message: 'Too large.', retryable: false });
      else wire.answer(query, { entries: entries(1, 2) });
    };
    expect(await collect(troupe.actor('support', 'john').history())).toHaveLength(2);
    expect(wire.published.map((query) => (bodyOf(query) as { limit: number }).limit)).toEqual([200, 50, 13]);
  });

  test('a page that goes nowhere is an error, not a loop', async () => {
    const { wire, troupe } = rig();
    wire.onPublish = (query) => wire.answer(query, { entries: [], next: 0 });
    await expect(collect(troupe.actor('support', 'john').history())).rejects.toMatchObject({
      code: 'Internal',
    });
    expect(wire.published).toHaveLength(1);
  });
});

describe('actors', () => {
  test('is a page, and iterating over it goes on with the next', async () => {
    const { wire, troupe } = rig();
    const actor = (key: string) => ({ type: 'support', key, value: 'idle', seq: 1, status: 'active' });
    wire.onPublish = (request) => {
      const { after } = bodyOf(request) as { after?: string };
      wire.answer(
        request,
        after === undefined ? { actors: [actor('a'), actor('b')], next: 'b' } : { actors: [actor('c')] },
      );
    };
    const page = await troupe.actors({ type: 'support', limit: 2 });
    expect([page.actors.map(({ key }) => key), page.next]).toEqual([['a', 'b'], 'b']);
    expect((await collect(page)).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    expect(wire.published.map(({ subject }) => subject)).toEqual(['troupe.control.list', 'troupe.control.list']);
    expect(wire.published.map(bodyOf)).toEqual([
      { type: 'support', limit: 2 },
      { type: 'support', after: 'b', limit: 2 },
    ]);
  });

  test('without the role it is PermissionDenied', async () => {
    const { wire, troupe } = rig();
    const listing = track(troupe.actors());
    wire.emit({ kind: 'denied', operation: 'publish', subject: 'troupe.control.list' });
    await settled();
    expect(listing.result).toMatchObject({ error: { code: 'PermissionDenied' } });
  });
});
