/** What the simulation found: hand-overs, snapshots and wake-ups when answers come late or another owner was there. */
import { defineActor, emptyState, step, storeState } from '@troupe/core';
import { decodeEntry, encodeState, hash53 } from '@troupe/wire';
import { expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import type { Checkpoint } from '../src/checkpoint.ts';
import { startWorker, type Worker, type WorkerOptions } from '../src/index.ts';
import { type FaultPlan, MemoryBroker, type MemoryPorts, type Operation, VirtualClock } from '../src/internal.ts';

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

const john = { type: 'lister', key: 'john' };

class Bench {
  readonly clock = new VirtualClock();
  readonly broker = new MemoryBroker({ clock: this.clock, partitions: 1 });
  readonly client = this.broker.connect({ name: 'client' });

  async worker(
    id: string,
    faults?: FaultPlan,
    options: WorkerOptions = {},
  ): Promise<{ worker: Worker; ports: MemoryPorts }> {
    const ports = this.broker.connect({ name: id, ...(faults && { faults }) });
    const starting = startWorker({ ports, id, definitions: [lister, waiter], options });
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
