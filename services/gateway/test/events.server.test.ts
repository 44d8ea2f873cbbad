/** Server-sent events against a real server and worker. */
import { defineAgent, progress, reply, type TaskEvent } from '@troupe/agent';
import type { Gateway } from '@troupe/service-gateway';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fromPromise, setup } from 'xstate';
import { counter } from './support/agents.ts';
import { SseReader } from './support/sse-reader.ts';
import { Stage } from './support/stage.ts';

/** Says the words of its task one by one, when it is told to go on. */
const nobodyWaits = (): void => undefined;
let goOn: () => void = nobodyWaits;
/** Until the effect has begun, which is after the state is there. */
const waits = () => expect.poll(() => goOn === nobodyWaits, { timeout: 20_000 }).toBe(false);
const speaker = defineAgent({
  type: 'speaker',
  version: 1,
  machine: setup({
    types: { context: {} as object, events: {} as TaskEvent<{ words: string[]; wait?: boolean }> },
    actors: {
      speak: fromPromise<string, { words: string[]; wait?: boolean }>(async ({ input }) => {
        if (input.wait === true) await new Promise<void>((resolve) => (goOn = resolve));
        for (const word of input.words) {
          await Promise.resolve();
          progress(word);
        }
        if (input.words.length === 0) throw new Error('nothing to say');
        return input.words.join(' ');
      }),
    },
  }).createMachine({
    context: {},
    initial: 'idle',
    states: {
      idle: { on: { task: 'speaking' } },
      speaking: {
        invoke: {
          src: 'speak',
          input: ({ event }) => event.input,
          onDone: { target: 'idle', actions: reply(({ event }) => event.output) },
        },
      },
    },
  }),
});

let stage: Stage;
let gateway: Gateway;

beforeAll(async () => {
  stage = await Stage.start([counter, speaker]);
  gateway = await stage.gateway();
});
beforeEach(() => {
  goOn = nobodyWaits;
});
afterAll(() => stage.close());

describe('an ask that wants an event stream', () => {
  const ask = (key: string, words: string[]) =>
    SseReader.open(`${gateway.url}/v1/actors/speaker/${key}/ask`, {
      method: 'POST',
      headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json', 'Troupe-Task-Id': 'said' },
      body: JSON.stringify({ words }),
    });

  test('gets every token in order, then the outcome, and ends', async () => {
    const words = Array.from({ length: 500 }, (_, n) => `word${n}`);
    await using events = await ask('a', words);
    const seen = await events.rest();
    expect(seen.slice(0, -1).map(({ name, data }) => [name, data])).toEqual(
      words.map((chunk, at) => ['progress', { chunk, n: at + 1, effectId: expect.stringContaining('speaker/a@') }]),
    );
    expect(seen.at(-1)).toMatchObject({
      name: 'outcome',
      data: { actor: 'speaker/a', taskId: 'said', output: words.join(' ') },
    });
  });

  test('gets the error of a turn that failed as its last event', async () => {
    await using events = await ask('b', []);
    expect(await events.rest()).toMatchObject([{ name: 'error', data: { code: 'UnhandledError', taskId: 'said' } }]);
  });
});

describe('a reader that was cut off', () => {
  test('of an ask goes on at the stream of the task: every token once, then the outcome, then nothing more', async () => {
    const input = { words: ['one', 'two', 'three'], wait: true };
    const first = await SseReader.open(`${gateway.url}/v1/actors/speaker/cut/ask`, {
      method: 'POST',
      headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json' },
      body: JSON.stringify(input),
    });
    const [task] = await first.next(1);
    expect(task).toMatchObject({
      name: 'task',
      id: 'task',
      data: { actor: 'speaker/cut', taskId: expect.any(String) },
    });
    await waits();
    await first[Symbol.asyncDispose]();
    goOn();
    const url = `${gateway.url}/v1/actors/speaker/cut/tasks/${task!.data.taskId}/stream`;
    const from = (id: string) => SseReader.open(url, { headers: { 'Last-Event-ID': id } });
    await using again = await from('task');
    const seen = await again.rest();
    expect(seen.map(({ name, data }) => [name, data.chunk ?? data.output])).toEqual([
      ['progress', 'one'],
      ['progress', 'two'],
      ['progress', 'three'],
      ['outcome', 'one two three'],
    ]);
    await using later = await from(seen[1]!.id!);
    expect((await later.rest()).map(({ data }) => data.chunk ?? data.output)).toEqual(['three', 'one two three']);
    const over = await fetch(url, { headers: { 'Last-Event-ID': seen.at(-1)!.id! } });
    expect(over.status).toBe(204);
  });

  test('of events gets those between; with an id that nobody knows it is told of a gap', async () => {
    const url = `${gateway.url}/v1/actors/counter/${encodeURIComponent('käte')}/events`;
    const actor = stage.troupe.actor('counter', 'käte');
    const first = await SseReader.open(url);
    await first.listening();
    await stage.ports.bus.request('troupe.control.ping', new Uint8Array(), { timeoutMs: 5_000 });
    await actor.ask(1);
    const [one] = await first.next(1);
    await first[Symbol.asyncDispose]();
    await actor.ask(2);
    // As a browser writes it: bytes of UTF-8.
    const asSent = Buffer.from(one!.id!, 'utf8').toString('latin1');
    await using again = await SseReader.open(url, { headers: { 'Last-Event-ID': asSent } });
    await actor.ask(3);
    expect((await again.next(2)).map(({ data }) => data.output)).toEqual([3, 6]);
    await using lost = await SseReader.open(url, { headers: { 'Last-Event-ID': 'something-else' } });
    expect(await lost.until('gap')).toMatchObject({ data: { reason: expect.any(String) } });
  });
});

describe('the stream of a task that somebody else sent', () => {
  test('brings what is said from now on, and ends with the outcome', async () => {
    await stage.troupe.actor('speaker', 'c').send({ words: ['one', 'two'], wait: true }, { taskId: 'waits' });
    await using events = await SseReader.open(`${gateway.url}/v1/actors/speaker/c/tasks/waits/stream`);
    await waits();
    await events.listening();
    // The subscription travels behind this question on the same connection.
    await stage.ports.bus.request('troupe.control.ping', new Uint8Array(), { timeoutMs: 5_000 });
    goOn();
    const seen = await events.rest();
    expect(seen.map(({ name, data }) => [name, data.chunk ?? data.output])).toEqual([
      ['progress', 'one'],
      ['progress', 'two'],
      ['outcome', 'one two'],
    ]);
  });

  test('of one that ended before tells the outcome at once', async () => {
    await stage.troupe.actor('speaker', 'd').ask({ words: ['said'] }, { taskId: 'over' });
    await using events = await SseReader.open(`${gateway.url}/v1/actors/speaker/d/tasks/over/stream`);
    expect(await events.rest()).toMatchObject([{ name: 'outcome', data: { taskId: 'over', output: 'said' } }]);
  });
});

describe('events of actors', () => {
  test('outcomes and emitted events of one actor come with their effect ids', async () => {
    await using events = await SseReader.open(`${gateway.url}/v1/actors/counter/seen/events`);
    await events.listening();
    await stage.ports.bus.request('troupe.control.ping', new Uint8Array(), { timeoutMs: 5_000 });
    const actor = stage.troupe.actor('counter', 'seen');
    await actor.signal({ type: 'add', by: 2 } as never);
    await actor.ask(3, { taskId: 'three' });
    await stage.troupe.actor('counter', 'unseen').ask(1);
    await actor.ask('text').catch(() => undefined);
    expect(await events.next(3)).toMatchObject([
      {
        name: 'event',
        id: expect.stringMatching(/^counter\/seen@/),
        data: { actor: 'counter/seen', event: { type: 'added', by: 2 } },
      },
      { name: 'outcome', id: expect.any(String), data: { taskId: 'three', ok: true, output: 5 } },
      { name: 'outcome', data: { ok: false, error: { code: 'NotANumber' } } },
    ]);
  });

  test('of a type, of all; not of others', async () => {
    await using ofType = await SseReader.open(`${gateway.url}/v1/events?type=speaker`);
    await using ofAll = await SseReader.open(`${gateway.url}/v1/events`);
    await Promise.all([ofType.listening(), ofAll.listening()]);
    await stage.ports.bus.request('troupe.control.ping', new Uint8Array(), { timeoutMs: 5_000 });
    await stage.troupe.actor('counter', 'one').ask(1);
    await stage.troupe.actor('speaker', 'one').ask({ words: ['x'] });
    expect(await ofType.next(1)).toMatchObject([{ data: { actor: 'speaker/one' } }]);
    expect(await ofAll.next(2)).toMatchObject([{ data: { actor: 'counter/one' } }, { data: { actor: 'speaker/one' } }]);
  });

  test('for a reader that does not read are dropped and counted, and nothing piles up', async () => {
    const small = await stage.gateway({ limits: { streamBytesMax: 10_000 } });
    await using events = await SseReader.open(`${small.url}/v1/events?type=counter`);
    await events.listening();
    const big = 'x'.repeat(100_000);
    const payload = new TextEncoder().encode(JSON.stringify({ type: 'big', big }));
    // More than all buffers between the two ends hold.
    for (let i = 0; i < 400; i++) stage.ports.bus.publish('troupe.out.counter.flood', payload, {});
    await expect
      .poll(async () => Number(/troupe_gateway_events_dropped_total (\d+)/.exec(await small.metrics.text())?.[1]), {
        timeout: 15_000,
      })
      .toBeGreaterThan(0);
    const dropped = await events.until('dropped');
    expect(dropped.data.count).toBeGreaterThan(0);
  });

  test('ends when the gateway closes', async () => {
    const closing = await stage.gateway();
    await using events = await SseReader.open(`${closing.url}/v1/events`);
    await events.listening();
    await closing.close();
    expect(await events.rest()).toEqual([]);
  });
});
