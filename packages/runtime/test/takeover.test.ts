/** What the simulation found: hand-overs, snapshots and wake-ups when answers come late or another owner was there. */
import { type ActorDefinition, createReplyAction, defineActor, emptyState, step, storeState } from '@troupe/core';
import { decodeEntry, decodeOutcome, encodeState, hash53, taskMessage } from '@troupe/wire';
import { afterEach, describe, expect, test } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import type { Checkpoint } from '../src/checkpoint.ts';
import { startWorker, type Worker, type WorkerOptions } from '../src/index.ts';
import {
  type FaultPlan,
  MemoryBroker,
  type MemoryPorts,
  type Operation,
  rules,
  sizes,
  VirtualClock,
} from '../src/internal.ts';

const lister = defineActor({
  type: 'lister',
  version: 1,
  machine: setup({
    types: { context: {} as { seen: string[] }, events: {} as { type: 'note'; id: string } },
  }).createMachine({
    context: { seen: [] },
    on: { note: { actions: assign({ seen: ({ context, event }) => [...context.seen, event.id] }) } },
  }) as never,
});

/** Waits a second and a half, then seven seconds. */
const waiter = defineActor({
  type: 'waiter',
  version: 1,
  machine: setup({ types: { events: {} as { type: 'go' } } }).createMachine({
    initial: 'idle',
    states: {
      idle: { on: { go: 'first' } },
      first: { after: { 1500: 'second' } },
      second: { after: { 7000: 'over' } },
      over: {},
    },
  }) as never,
});

/** Answers each task with how many it has had. */
const counter = defineActor({
  type: 'counter',
  version: 1,
  snapshot: { everyEntries: 1 },
  history: { keepForMs: 0 },
  machine: setup({ types: { context: {} as { n: number }, events: {} as { type: 'task' } } }).createMachine({
    context: { n: 0 },
    on: {
      task: {
        actions: [
          assign({ n: ({ context }) => context.n + 1 }),
          createReplyAction('reply', ({ context }: { context: { n: number } }) => context.n) as never,
        ],
      },
    },
  }) as never,
});

/** Runs something that never ends. */
const runner = defineActor({
  type: 'runner',
  version: 1,
  snapshot: { everyEntries: 1 },
  machine: setup({
    types: { events: {} as { type: 'go' } },
    actors: { work: fromPromise(() => new Promise<never>(() => undefined)) },
  }).createMachine({
    initial: 'idle',
    states: { idle: { on: { go: 'working' } }, working: { invoke: { src: 'work' } } },
  }) as never,
});

const john = { type: 'lister', key: 'john' };

class Bench {
  readonly clock = new VirtualClock();
  readonly broker = new MemoryBroker({ clock: this.clock, partitions: 1, overtaken: 'skip' });
  readonly client = this.broker.connect({ name: 'client' });

  async worker(
    id: string,
    faults?: FaultPlan,
    options: WorkerOptions = {},
    definitions: readonly ActorDefinition[] = [lister, waiter, counter, runner],
  ): Promise<{ worker: Worker; ports: MemoryPorts }> {
    const ports = this.broker.connect({ name: id, ...(faults && { faults }) });
    const starting = startWorker({ ports, id, definitions, options });
    let worker: Worker | undefined;
    void starting.then((started) => {
      worker = started;
    });
    await this.clock.advanceUntil(() => worker !== undefined, 10_000);
    return { worker: worker!, ports };
  }

  async signal(address: { type: string; key: string }, event: object): Promise<void> {
    await this.done(
      this.client.journal.publish('signal', address, new TextEncoder().encode(JSON.stringify(event)), {}),
    );
  }

  async done<T>(call: Promise<T>, ms = 60_000): Promise<T> {
    let over = false;
    void call.finally(() => {
      over = true;
    });
    await this.clock.advanceUntil(() => over, ms);
    return call;
  }

  async checkpoint(): Promise<Checkpoint | undefined> {
    const stored = await this.done(this.client.records.get('checkpoint.0'));
    return stored?.value as Checkpoint | undefined;
  }
}

/** The first fault of each kind. */
function plan(faults: Partial<Record<Operation['kind'], ReturnType<FaultPlan['decide']>>>): FaultPlan {
  return { decide: ({ kind }) => faults[kind] };
}

test('a partition given back before its owner had reached the head is not said to be unfolded', async () => {
  const bench = new Bench();
  const first = await bench.worker('a');
  await bench.clock.advance(2_000);
  for (const id of ['1', '2', '3']) await bench.signal(john, { type: 'note', id });
  await bench.clock.advance(2_000);
  first.worker.kill();
  first.ports.connection.vanish();
  await bench.done(bench.client.records.remove('worker.a'));
  const second = await bench.worker('b', plan({ 'journal.deliver': { delayMs: 60_000 } }));
  await bench.clock.advance(3_000);
  expect(await bench.checkpoint()).toMatchObject({ worker: 'b', released: false });
  await bench.done(second.worker.drain({ deadlineMs: 1_000 }));
  expect(await bench.checkpoint()).toMatchObject({ worker: 'b', released: false });
});

test('a snapshot that another owner stored meanwhile does not keep the next one from being stored', async () => {
  const bench = new Bench();
  const { worker } = await bench.worker('a', undefined, { markAgeMsMax: 600_000, idleUnloadMs: 600_000 });
  await bench.clock.advance(2_000);
  for (const id of ['1', '2', '3']) await bench.signal(john, { type: 'note', id });
  await bench.clock.advance(1_000);
  let state = emptyState(john, lister.version, lister.hash);
  const entries = await bench.done(Array.fromAsync(bench.client.journal.readActor(john, {})));
  for (const message of entries.slice(0, 2))
    state = step(lister, state, decodeEntry(message), message.payload.length).state;
  const bytes = encodeState(storeState(lister, state));
  const { seq, count } = state;
  const other = { seq, count, hash: String(hash53(bytes)), bytes };
  await bench.done(bench.client.snapshots.save(0, john, other, 0));
  const startedMs = bench.clock.monotonic();
  await bench.done(worker.drain({ deadlineMs: 20_000 }));
  expect(bench.clock.monotonic() - startedMs).toBeLessThan(5_000);
  expect((await bench.done(bench.client.snapshots.load(0, john)))?.seq).toBe(entries.at(-1)!.seq);
});

test('a wake-up that fires before it is acknowledged does not hide the next one', async () => {
  const bench = new Bench();
  const faults = plan({ 'tick.schedule': { delayMs: 1_000, answerDelayMs: 1 }, 'journal.append': { delayMs: 50 } });
  await bench.worker('a', faults, { idleUnloadMs: 2_000 });
  await bench.clock.advance(2_000);
  const george = { type: 'waiter', key: 'george' };
  await bench.signal(george, { type: 'go' });
  await bench.clock.advance(60_000);
  const asked = bench.client.bus.request(
    'troupe.query.waiter.george',
    new TextEncoder().encode(JSON.stringify({ query: 'state' })),
    { timeoutMs: 5_000 },
  );
  const answer = JSON.parse(new TextDecoder().decode((await bench.done(asked)).payload)) as { value: unknown };
  expect(answer.value).toBe('over');
});

describe('an actor that is still being woken', () => {
  afterEach(() => {
    rules.wakingListed = true;
  });

  /** Whom the checkpoint lists while the new owner's reads of snapshots take four seconds. */
  async function listedWhileWaking(): Promise<readonly string[] | undefined> {
    const bench = new Bench();
    const options = { markAgeMsMax: 500, markLagMax: 1 };
    const first = await bench.worker('a', undefined, options);
    await bench.clock.advance(2_000);
    await bench.signal({ type: 'runner', key: 'r' }, { type: 'go' });
    await bench.clock.advance(5_000);
    expect((await bench.checkpoint())?.woken).toEqual(['runner/r']);
    first.worker.kill();
    first.ports.connection.vanish();
    await bench.done(bench.client.records.remove('worker.a'));
    await bench.worker('b', plan({ 'snapshot.load': { delayMs: 4_000 } }), options);
    await bench.clock.advance(3_000);
    const checkpoint = await bench.checkpoint();
    expect(checkpoint?.worker).toBe('b');
    return checkpoint?.woken;
  }

  test('stays on the list (R3)', async () => {
    expect(await listedWhileWaking()).toEqual(['runner/r']);
  });

  /** Whom the checkpoint lists after an owner that gave the partition back while it was still claiming it. */
  async function listedAfterEarlyRelease(): Promise<readonly string[] | undefined> {
    const bench = new Bench();
    const options = { markAgeMsMax: 500, markLagMax: 1 };
    const first = await bench.worker('a', undefined, options);
    await bench.clock.advance(2_000);
    await bench.signal({ type: 'runner', key: 'r' }, { type: 'go' });
    await bench.clock.advance(5_000);
    first.worker.kill();
    first.ports.connection.vanish();
    await bench.done(bench.client.records.remove('worker.a'));
    const { worker } = await bench.worker('b', plan({ 'journal.head': { delayMs: 4_000 } }), options);
    await bench.clock.advance(2_000);
    await bench.done(worker.drain({ deadlineMs: 1_000 }));
    expect((await bench.checkpoint())?.worker).toBe('a');
    const listed = (await bench.checkpoint())?.woken;
    const third = await bench.worker('c', undefined, options);
    await bench.clock.advance(5_000);
    expect(third.worker.stats().effectsRunning).toBe(listed?.length);
    return listed;
  }

  test('stays on the list of a partition that is given back before anybody was woken', async () => {
    expect(await listedAfterEarlyRelease()).toEqual(['runner/r']);
  });

  test('would be lost with such a partition otherwise', async () => {
    rules.wakingListed = false;
    expect(await listedAfterEarlyRelease()).toEqual([]);
  });

  test('stays on the list while its code is elsewhere', async () => {
    const bench = new Bench();
    const options = { markAgeMsMax: 500, markLagMax: 1 };
    const first = await bench.worker('a', undefined, options);
    await bench.clock.advance(2_000);
    await bench.signal({ type: 'runner', key: 'r' }, { type: 'go' });
    await bench.clock.advance(5_000);
    await bench.done(first.worker.drain());
    const others = await bench.worker('b', undefined, options, [counter]);
    await bench.clock.advance(2_000);
    const { payload, headers } = taskMessage('one', { taskId: 't' });
    await bench.done(bench.client.journal.publish('task', { type: 'counter', key: 'k' }, payload, headers));
    await bench.clock.advance(5_000);
    expect(await bench.checkpoint()).toMatchObject({ worker: 'b', woken: ['runner/r'] });
    await bench.done(others.worker.drain());
    const last = await bench.worker('c', undefined, options);
    await bench.clock.advance(5_000);
    expect(last.worker.stats().effectsRunning).toBe(1);
  });

  test('would be forgotten if only those awake were listed', async () => {
    rules.wakingListed = false;
    expect(await listedWhileWaking()).toEqual([]);
  });
});

describe('an owner whose consumer stalls while a successor purges', () => {
  const before = { rules: { ...rules }, sizes: { ...sizes } };
  afterEach(() => {
    Object.assign(rules, before.rules);
    Object.assign(sizes, before.sizes);
  });

  /** @returns what callers were told, when nothing is handed over to the first owner from `stallAtMs` until second 38.5. */
  async function told(stallAtMs: number): Promise<unknown[]> {
    sizes.purgeAgeMsMin = 20_000;
    const bench = new Bench();
    const { clock, client } = bench;
    const answers: unknown[] = [];
    client.bus.subscribe('_INBOX.c.>', {}, (message) => {
      const { outcome } = decodeOutcome(message);
      answers.push(outcome.ok ? outcome.value : outcome.error.code);
    });
    const until = async (ms: number): Promise<void> => clock.advance(Math.max(0, ms - clock.monotonic()));
    const task = async (id: string): Promise<void> => {
      const { payload, headers } = taskMessage('one', { taskId: id, replyTo: `_INBOX.c.${id}` });
      await bench.done(client.journal.publish('task', { type: 'counter', key: 'k' }, payload, headers));
    };
    const stall: FaultPlan = {
      decide: ({ kind }) => {
        const nowMs = clock.monotonic();
        return kind === 'journal.deliver' && nowMs >= stallAtMs && nowMs < 38_500
          ? { delayMs: 38_500 - nowMs }
          : undefined;
      },
    };
    const options = { renewEveryMs: 5_000, checkpointEveryMs: 100, purgeEveryMs: 100 };
    await bench.worker('a', stall, options);
    await until(2_000);
    for (const id of ['t1', 't2', 't3']) await task(id);
    await until(6_000);
    for (const id of ['t4', 't5', 't6']) await task(id);
    // The first owner renews and reads its records at 35 s, and again at 40 s.
    await until(35_500);
    await bench.done(client.records.remove('worker.a'));
    await bench.worker('b', undefined, options);
    await until(37_500);
    await task('t7');
    await until(39_500);
    return answers.sort();
  }

  const TRUE = [1, 2, 3, 4, 5, 6, 7];

  test('acts on nothing that it has not read (R6)', async () => {
    expect(await told(4_000)).toEqual(TRUE);
  });

  test('would tell what never was, if being at the head did not expire', async () => {
    rules.headExpires = false;
    expect(await told(4_000)).not.toEqual(TRUE);
  });

  test('acts on nothing when it reaches the head for the first time after its successor has purged', async () => {
    expect(await told(0)).toEqual(TRUE);
  });
});
