/** Large answers, page by page, from the owner and through another worker. */
import { defineActor } from '@troupe/core';
import { decodeValue, encodePayload, HEADERS } from '@troupe/wire';
import { expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { type BusMessage, startWorker } from '../src/index.ts';
import { MemoryBroker, VirtualClock } from '../src/internal.ts';

const PAGE_BYTES = 524_288;

const hoarder = defineActor({
  type: 'hoarder',
  version: 1,
  stateBytesMax: 8 * 1_048_576,
  machine: setup({
    types: { context: {} as { blobs: string[] }, events: {} as { type: string; input: number } },
  }).createMachine({
    context: { blobs: [] },
    on: {
      task: {
        actions: assign({ blobs: ({ event }) => Array.from({ length: event.input }, (_, n) => `${n}`.padEnd(1_000)) }),
      },
    },
  }),
});

async function stage(): Promise<{
  readonly clock: VirtualClock;
  query(headers: Record<string, string>): Promise<BusMessage>;
  send(count: number): Promise<void>;
}> {
  const clock = new VirtualClock();
  const broker = new MemoryBroker({ clock, partitions: 1 });
  const client = broker.connect();
  // Two workers and one partition: one of them has to ask the other.
  const starting = ['w1', 'w2'].map((id) => startWorker({ id, ports: broker.connect(), definitions: [hoarder] }));
  await clock.advance(10_000);
  await Promise.all(starting);
  const settle = async <T>(work: Promise<T>): Promise<T> => {
    await clock.advance(2_000);
    return work;
  };
  return {
    clock,
    query: (headers) =>
      settle(
        client.bus.request('troupe.query.hoarder.a', encodePayload({ query: 'state' }), {
          timeoutMs: 5_000,
          headers: { Accept: 'application/msgpack', ...headers },
        }),
      ),
    send: async (count) => {
      await settle(client.journal.publish('task', { type: 'hoarder', key: 'a' }, encodePayload(count), {}));
    },
  };
}

const codeOf = (message: BusMessage): string =>
  (JSON.parse(new TextDecoder().decode(message.payload)) as { code: string }).code;

test('an answer within one message has no pages', async () => {
  const { query, send } = await stage();
  await send(10);
  const whole = await query({ [HEADERS.page]: '1' });
  expect(whole.header(HEADERS.page)).toBeUndefined();
  expect(decodeValue(whole.payload)).toMatchObject({ context: { blobs: { length: 10 } } });
});

test('a large answer comes in pages of one state, whichever worker is asked and whatever happens meanwhile', async () => {
  const { query, send } = await stage();
  await send(1_200);
  // Which of the two workers takes a question changes from one to the next.
  for (let round = 0; round < 4; round++) {
    const first = await query({ [HEADERS.page]: '1' });
    const [, pages, token] = /^1\/(\d+);(.+)$/.exec(first.header(HEADERS.page) ?? '')!;
    expect(first.payload.length).toBe(PAGE_BYTES);
    await send(1_300 + round);
    const parts = [first.payload];
    for (let n = 2; n <= Number(pages); n++) {
      const next = await query({ [HEADERS.page]: `${n};${token}` });
      expect(next.header(HEADERS.page)).toBe(`${n}/${pages};${token}`);
      parts.push(next.payload);
    }
    const { context } = decodeValue(Buffer.concat(parts)) as { context: { blobs: string[] } };
    expect(context.blobs).toHaveLength(round === 0 ? 1_200 : 1_299 + round);
  }
});

test('who takes no pages is told how large it is and how to ask', async () => {
  const { query, send } = await stage();
  await send(1_200);
  const refused = await query({});
  expect(codeOf(refused)).toBe('PayloadTooLarge');
  expect(new TextDecoder().decode(refused.payload)).toContain('Troupe-Page: 1');
});

test('pages are forgotten after 15 s; unknown tokens and pages are refused', async () => {
  const { clock, query, send } = await stage();
  await send(1_200);
  const [, token] = /;(.+)$/.exec((await query({ [HEADERS.page]: '1' })).header(HEADERS.page)!)!;
  expect(codeOf(await query({ [HEADERS.page]: '2;unknown' }))).toBe('PageExpired');
  expect(codeOf(await query({ [HEADERS.page]: `99;${token}` }))).toBe('PageExpired');
  expect((await query({ [HEADERS.page]: `2;${token}` })).header(HEADERS.page)).toContain('2/');
  await clock.advance(15_000);
  expect(codeOf(await query({ [HEADERS.page]: `2;${token}` }))).toBe('PageExpired');
});
