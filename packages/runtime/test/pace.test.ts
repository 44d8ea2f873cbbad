/** Heaps of work: how much of it is done in one turn of the event loop. The virtual clock's callbacks are the turns. */
import { createReplyAction, defineActor } from '@troupe/core';
import { taskMessage } from '@troupe/wire';
import { expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { type Clock, startWorker, type Worker } from '../src/index.ts';
import { type FaultPlan, MemoryBroker, VirtualClock } from '../src/internal.ts';
import { QUERIES_MAX } from '../src/owner-gates.ts';
import { PACE_MAX, Pace } from '../src/pace.ts';

test('no more than the bound is handed out in one turn, and who waits gets it in order', async () => {
  const clock = new VirtualClock();
  const pace = new Pace(clock, 10);
  expect(pace.take(4)).toBe(4);
  expect(pace.take(20)).toBe(6);
  expect(pace.take(1)).toBe(0);
  const served: string[] = [];
  void pace.next(25).then((granted) => served.push(`a ${granted}`));
  void pace.next(0).then((granted) => served.push(`b ${granted}`));
  await clock.runUntilIdle();
  expect(served).toEqual(['a 10', 'b 1']);
});

test('who comes while others wait goes behind them, although there is room', async () => {
  const clock = new VirtualClock();
  const pace = new Pace(clock, 10);
  expect(pace.take(10)).toBe(10);
  const first = pace.next(1);
  expect(pace.take(1)).toBe(0);
  await clock.runUntilIdle();
  expect(await first).toBe(1);
  expect(pace.take(1)).toBe(1);
});

/** A clock that counts what happens within each of its callbacks. */
class CountingClock implements Clock {
  readonly inner = new VirtualClock();
  readonly counts = new Map<string, number>();
  readonly highest = new Map<string, number>();

  count(what: string): void {
    const count = (this.counts.get(what) ?? 0) + 1;
    this.counts.set(what, count);
    this.highest.set(what, Math.max(count, this.highest.get(what) ?? 0));
  }
  now(): number {
    return this.inner.now();
  }
  monotonic(): number {
    return this.inner.monotonic();
  }
  setTimer(callback: () => void, delayMs: number): ReturnType<Clock['setTimer']> {
    return this.inner.setTimer(() => this.#turn(callback), delayMs);
  }
  defer(callback: () => void): void {
    this.inner.defer(() => this.#turn(callback));
  }
  #turn(callback: () => void): void {
    this.counts.clear();
    callback();
  }
}

let clock = new CountingClock();

const counter = defineActor({
  type: 'counter',
  version: 1,
  machine: setup({ types: { context: {} as { n: number }, events: {} as { type: 'task' } } }).createMachine({
    context: { n: 0 },
    on: {
      task: {
        actions: [
          assign({
            n: ({ context }) => {
              clock.count('fold');
              return context.n + 1;
            },
          }),
          createReplyAction('reply', ({ context }: { context: { n: number } }) => context.n) as never,
        ],
      },
    },
  }) as never,
});

class Bench {
  readonly clock = new CountingClock();
  readonly broker = new MemoryBroker({ clock: this.clock.inner, partitions: 1 });
  readonly client = this.broker.connect({ name: 'client' });
  readonly answers: unknown[] = [];

  constructor() {
    clock = this.clock;
    this.client.bus.subscribe('_INBOX.c.*', {}, ({ payload }) =>
      this.answers.push(JSON.parse(new TextDecoder().decode(payload))),
    );
  }

  tasks(key: string, count: number, type = 'counter'): void {
    for (let n = 0; n < count; n++) {
      const { payload, headers } = taskMessage(n, { replyTo: `_INBOX.c.${n}` });
      void this.client.journal.publish('task', { type, key }, payload, headers);
    }
  }

  ask(key: string, query: object, times = 1): void {
    const payload = new TextEncoder().encode(JSON.stringify(query));
    for (let n = 0; n < times; n++)
      this.broker.router.publish({
        subject: `troupe.query.counter.${key}`,
        reply: '_INBOX.c.q',
        payload,
        headers: undefined,
      });
  }

  /** How far the worker has read. */
  async position(): Promise<number> {
    const asking = this.client.bus.request('troupe.control.partitions.w', new Uint8Array(0), { timeoutMs: 1_000 });
    await this.clock.inner.advance(10);
    const [partition] = JSON.parse(new TextDecoder().decode((await asking).payload)) as { position: number }[];
    return partition!.position;
  }

  /** Starts one whose messages are counted. */
  async worker(faults?: FaultPlan): Promise<Worker> {
    const ports = this.broker.connect({ name: 'w', clock: this.clock, ...(faults && { faults }) });
    const publish = ports.bus.publish.bind(ports.bus);
    Object.assign(ports.bus, {
      publish: (...args: Parameters<typeof publish>) => {
        if (args[0].startsWith('_INBOX.c.')) this.clock.count('answer');
        publish(...args);
      },
    });
    const starting = startWorker({ ports, definitions: [counter], id: 'w' });
    await this.clock.inner.advance(100);
    return starting;
  }
}

const slowSnapshots: FaultPlan = {
  decide: ({ kind }) => (kind === 'snapshot.load' ? { answerDelayMs: 3_000 } : undefined),
};

test('an actor with a thousand entries waiting is folded, and its outcomes told, in parts', async () => {
  const bench = new Bench();
  bench.tasks('a', 1_000);
  await bench.clock.inner.advance(100);
  const worker = await bench.worker(slowSnapshots);
  await bench.clock.inner.advance(10_000);
  expect(bench.answers).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 1));
  expect(bench.clock.highest.get('fold')).toBeLessThanOrEqual(PACE_MAX);
  expect(bench.clock.highest.get('answer')).toBeLessThanOrEqual(PACE_MAX);
  worker.kill();
});

test('what waits for the state of its actor is bounded: reading pauses, and goes on once it is folded', async () => {
  const bench = new Bench();
  bench.tasks('a', 8_000);
  await bench.clock.inner.advance(100);
  const worker = await bench.worker(slowSnapshots);
  await bench.clock.inner.advance(2_000);
  const position = await bench.position();
  expect(position).toBeGreaterThan(4_000);
  expect(position).toBeLessThan(4_100);
  await bench.clock.inner.advance(10_000);
  expect(bench.answers).toEqual(Array.from({ length: 8_000 }, (_, n) => n + 1));
  worker.kill();
});

test('what is being refused is bounded too: reading pauses until its dead letters are stored', async () => {
  const bench = new Bench();
  const worker = await bench.worker({
    decide: ({ kind }) => (kind === 'dead.put' ? { answerDelayMs: 2_000 } : undefined),
  });
  await bench.clock.inner.advance(5_000);
  bench.tasks('a', 8_000, 'nobody');
  await bench.clock.inner.advance(1_500);
  const position = await bench.position();
  expect(position).toBeGreaterThan(4_000);
  expect(position).toBeLessThan(4_200);
  await bench.clock.inner.advance(60_000);
  expect(bench.answers).toHaveLength(8_000);
  expect(worker.stats().counters.deadLetters).toBe(8_000);
  worker.kill();
});

test('of too many queries at once the last are told that it is busy; the others are answered in parts', async () => {
  const bench = new Bench();
  bench.tasks('a', 1);
  await bench.clock.inner.advance(100);
  const worker = await bench.worker(slowSnapshots);
  await bench.clock.inner.advance(1_000);
  bench.ask('a', { query: 'state', timeoutMs: 20_000 }, QUERIES_MAX + 10);
  await bench.clock.inner.advance(100);
  expect(bench.answers).toHaveLength(10);
  for (const answer of bench.answers) expect(answer).toMatchObject({ code: 'Busy', retryable: true });
  bench.clock.highest.clear();
  await bench.clock.inner.advance(10_000);
  expect(bench.answers).toHaveLength(QUERIES_MAX + 11);
  expect(bench.answers.at(-1)).toMatchObject({ seq: 1 });
  expect(bench.clock.highest.get('answer')).toBeLessThanOrEqual(PACE_MAX);
  bench.ask('a', { query: 'state' });
  await bench.clock.inner.advance(100);
  expect(bench.answers.at(-1)).toMatchObject({ seq: 1 });
  worker.kill();
});

test('queries that wait for an entry are answered in parts once it was read, or at their deadline', async () => {
  const bench = new Bench();
  bench.tasks('a', 1);
  const worker = await bench.worker();
  await bench.clock.inner.advance(5_000);
  bench.answers.length = 0;
  bench.clock.highest.clear();
  const payload = new TextEncoder().encode('{"query":"outcome","taskId":"2","timeoutMs":4000}');
  for (let n = 0; n < 1_000; n++)
    bench.broker.router.publish({
      subject: 'troupe.query.counter.a',
      reply: '_INBOX.c.q',
      payload,
      headers: { 'Troupe-Min-Seq': n % 2 === 0 ? '2' : '99' },
    });
  await bench.clock.inner.advance(1_000);
  expect(bench.answers).toEqual([]);
  bench.tasks('a', 1);
  await bench.clock.inner.advance(1_000);
  expect(bench.answers).toHaveLength(501);
  await bench.clock.inner.advance(4_000);
  expect(bench.answers).toHaveLength(1_001);
  expect(bench.answers.slice(501).every((one) => (one as { code?: string }).code === 'NoOwner')).toBe(true);
  expect(bench.clock.highest.get('answer')).toBeLessThanOrEqual(PACE_MAX);
  worker.kill();
});
