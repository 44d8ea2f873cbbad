/** What a worker answers, and where it does not answer. */
import { defineActor } from '@troupe/core';
import { encodePayload } from '@troupe/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { setup } from 'xstate';
import { startWorker, type Worker } from '../src/index.ts';
import { MemoryBroker, type MemoryPorts, VirtualClock } from '../src/internal.ts';

const counter = defineActor({
  type: 'counter',
  version: 1,
  machine: setup({}).createMachine({ on: { task: { actions: [] } } }),
});

let clock: VirtualClock;
let broker: MemoryBroker;
let client: MemoryPorts;
let worker: Worker;

beforeEach(async () => {
  clock = new VirtualClock();
  broker = new MemoryBroker({ clock, partitions: 2 });
  client = broker.connect();
  const started = startWorker({ ports: broker.connect(), definitions: [counter], id: 'w' });
  await clock.advance(5_000);
  worker = await started;
});
afterEach(() => worker.kill());

async function heardAt(subject: string, ask: () => void): Promise<string[]> {
  const heard: string[] = [];
  const subscription = client.bus.subscribe(subject, {}, ({ payload }) =>
    heard.push(new TextDecoder().decode(payload)),
  );
  ask();
  await clock.advance(6_000);
  subscription.close();
  return heard;
}

function publish(subject: string, text: string, reply: string | undefined): void {
  broker.router.publish({ subject, reply, payload: new TextEncoder().encode(text), headers: undefined });
}

test.each(['troupe.event.counter.a', 'troupe.control.drain.w', '_INBOX.*', '_INBOX..a', '$JS.API.STREAM.PURGE.X'])(
  'a request that wants its answer at %s gets none, and nothing breaks',
  async (reply) => {
    for (const payload of ['state', '{broken', 'constructor']) publish('troupe.query.counter.a', payload, reply);
    publish('troupe.ask.counter.two.tokens', '"x"', reply);
    const heard = reply.includes('*') || reply.includes('..') ? [] : await heardAt(reply, () => undefined);
    await clock.advance(6_000);
    expect(heard).toEqual([]);
    expect(worker.stats().live).toBe(2);
  },
);

test('an inbox is answered', async () => {
  const heard = await heardAt('_INBOX.c.1', () => publish('troupe.query.counter.a', 'state', '_INBOX.c.1'));
  expect(heard.join()).toContain('NotFound');
});

test('of many who ask at once for an actor that never was, each is told so', async () => {
  const heard = await heardAt('_INBOX.c.2', () => {
    for (let i = 0; i < 5; i++) publish('troupe.query.counter.nobody', 'state', '_INBOX.c.2');
  });
  expect(heard).toHaveLength(5);
  for (const answer of heard) expect(answer).toContain('NotFound');
});

test.each(['constructor', 'toString', '__proto__', '{"query":"valueOf"}'])('%s is no query', async (query) => {
  void client.journal.publish('task', { type: 'counter', key: 'a' }, encodePayload(1), {});
  await clock.advance(1_000);
  const heard = await heardAt('_INBOX.c.3', () => publish('troupe.query.counter.a', query, '_INBOX.c.3'));
  expect(heard.join()).toContain('There is no query');
});

test('several tokens as a key are refused, naming the right spelling', async () => {
  const heard = await heardAt('_INBOX.c.4', () => publish('troupe.ask.counter.john.doe', '1', '_INBOX.c.4'));
  expect(heard.join()).toContain('john=2Edoe');
});

test('an acknowledgement that lands on the control subject drains nobody', async () => {
  publish('troupe.control.drain.w', '{"stream":"TROUPE_JOURNAL","seq":1}', undefined);
  await clock.advance(1_000);
  expect(worker.stats().live).toBe(2);
});

test('the last entries of a history are the newest ones, and have a bound that is named', async () => {
  for (let i = 0; i < 5; i++) {
    void client.journal.publish('task', { type: 'counter', key: 'a' }, encodePayload(i), {});
    await clock.advance(100);
  }
  const ask = (last: number): Promise<string[]> =>
    heardAt('_INBOX.c.4', () => publish('troupe.query.counter.a', `{"query":"history","last":${last}}`, '_INBOX.c.4'));
  const { entries } = JSON.parse((await ask(2)).join()) as { entries: { body: { payload: unknown } }[] };
  expect(entries.map((entry) => entry.body.payload)).toEqual([3, 4]);
  expect((await ask(1_001)).join()).toContain('at most 1000 are given at once');
});
