import { createReplyAction, defineActor } from '@troupe/core';
import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { startWorker } from '../src/index.ts';
import { MemoryBroker, VirtualClock } from '../src/internal.ts';

const machine = setup({}).createMachine({ on: { task: { actions: createReplyAction('reply', 'hi') as never } } });
const definitions = [defineActor({ type: 'greeter', version: 1, machine: machine as never })];
const PARTITIONS = 16;

test('a lease that never ends, of a worker that holds nothing and answers nobody, does not keep its share from others', async () => {
  const clock = new VirtualClock();
  const broker = new MemoryBroker({ clock, partitions: PARTITIONS });
  // What a nats-server that was killed brings back: removed once, and without an end now.
  void broker.connect().records.put('worker.ghost', { id: 'ghost', startedAt: 0, types: { greeter: 1 } });
  await clock.advance(10);
  const starting = startWorker({ ports: broker.connect(), id: 'w1', definitions });
  await clock.advance(1_000);
  const worker = await starting;
  expect(worker.stats().partitions.length).toBeLessThan(PARTITIONS);
  await clock.advance(4_000);
  expect(worker.stats().partitions.length).toBe(PARTITIONS);
});

test('two live workers leave each other their shares', async () => {
  const clock = new VirtualClock();
  const broker = new MemoryBroker({ clock, partitions: PARTITIONS });
  const starting = ['w1', 'w2'].map((id) => startWorker({ ports: broker.connect(), id, definitions }));
  await clock.advance(20_000);
  const held = (await Promise.all(starting)).map((worker) => worker.stats().partitions.length);
  expect(held[0]! + held[1]!).toBe(PARTITIONS);
  expect(Math.min(...held)).toBeGreaterThan(0);
});
