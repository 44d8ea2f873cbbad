import type { Ports } from '@troupe/runtime';
import {
  type Fault,
  MemoryBroker,
  type MemoryBrokerOptions,
  type OperationKind,
  VirtualClock,
} from '@troupe/runtime/internal';
import { describe, expect, test } from 'vitest';

const john = { type: 'support', key: 'john' };
const state = { seq: 1, count: 1, hash: 'h', bytes: new Uint8Array([1]) };

/** A broker, and one worker of which the next operations of a kind fail as told. */
function world(options: Partial<MemoryBrokerOptions> = {}) {
  const clock = new VirtualClock();
  const broker = new MemoryBroker({ clock, ...options });
  const planned = new Map<OperationKind, Fault[]>();
  const ports = broker.connect({ faults: { decide: ({ kind }) => planned.get(kind)?.shift() } });
  const plan = (kind: OperationKind, ...faults: Fault[]) => planned.set(kind, faults);
  const run = async <T>(call: Promise<T>): Promise<T> => {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    call.then(done, done);
    await clock.advanceUntil(() => settled, 60_000);
    return call;
  };
  return { clock, broker, ports, plan, run };
}

async function seqsOf(ports: Ports, run: <T>(call: Promise<T>) => Promise<T>): Promise<number[]> {
  const seqs: number[] = [];
  const read = async (): Promise<void> => {
    for await (const { seq } of ports.journal.readActor(john, {})) seqs.push(seq);
  };
  await run(read());
  return seqs;
}

describe('a fault plan', () => {
  test('a lost request times out, and nothing was stored', async () => {
    const { ports, plan, run, clock } = world();
    plan('journal.append', { lose: 'request' });
    await expect(run(ports.journal.append(john, { kind: 'tick' }))).rejects.toMatchObject({ kind: 'timeout' });
    expect(clock.monotonic()).toBe(5_000);
    expect(await seqsOf(ports, run)).toEqual([]);
  });

  test('a lost answer times out, and the entry was stored', async () => {
    const { ports, plan, run } = world();
    plan('journal.append', { lose: 'answer' });
    await expect(run(ports.journal.append(john, { kind: 'tick' }))).rejects.toMatchObject({ kind: 'timeout' });
    expect(await seqsOf(ports, run)).toEqual([1]);
  });

  test('a duplicate is stored later, a second time', async () => {
    const { ports, plan, run, clock } = world();
    plan('journal.append', { duplicateAfterMs: 40_000 });
    expect(await run(ports.journal.append(john, { kind: 'tick' }))).toEqual({ seq: 1 });
    expect(await seqsOf(ports, run)).toEqual([1]);
    await clock.advance(40_000);
    expect(await seqsOf(ports, run)).toEqual([1, 2]);
  });

  test('a delayed request is carried out although its sender gave up and went away', async () => {
    const { broker, ports, plan, run, clock } = world();
    plan('journal.append', { delayMs: 20_000 });
    const call = ports.journal.append(john, { kind: 'tick' });
    call.catch(() => undefined);
    await clock.advance(100);
    ports.connection.disconnect();
    await expect(run(call)).rejects.toMatchObject({ kind: 'disconnected' });
    await clock.advance(30_000);
    expect(await seqsOf(broker.connect(), run)).toEqual([1]);
  });

  test('a snapshot whose first answer is lost and whose copy comes late is saved once', async () => {
    const { ports, plan, run, clock } = world();
    plan('snapshot.save', { lose: 'answer', duplicateAfterMs: 30_000 });
    expect(await run(ports.snapshots.save(1, john, state, 0))).toEqual({ kind: 'saved', revision: 1 });
    await clock.advance(60_000);
    expect((await run(ports.snapshots.history(1, john))).length).toBe(1);
  });

  test('a lost request of a compare-and-set is sent again', async () => {
    const { ports, plan, run } = world();
    plan('snapshot.save', { lose: 'request' });
    expect(await run(ports.snapshots.save(1, john, state, 0))).toMatchObject({ kind: 'saved' });
  });

  test('what another wrote meanwhile is a conflict, although our answer was lost', async () => {
    const { broker, ports, plan, run, clock } = world();
    plan('record.put', { lose: 'request' });
    const other = broker.connect();
    const mine = ports.records.put('partition.1', 'mine', { expectedRevision: 0 });
    await clock.advance(100);
    await run(other.records.put('partition.1', 'theirs', { expectedRevision: 0 }));
    expect(await run(mine)).toEqual({ kind: 'conflict' });
  });

  test('a collision is tried again until it is over, and fails at the deadline if it never is', async () => {
    const { ports, plan, run } = world();
    plan('record.put', ...Array.from({ length: 5 }, (): Fault => ({ busy: true })));
    expect(await run(ports.records.put('a', 1, { expectedRevision: 0 }))).toMatchObject({ kind: 'saved' });
    plan('record.put', ...Array.from({ length: 10_000 }, (): Fault => ({ busy: true })));
    await expect(run(ports.records.put('b', 1, { expectedRevision: 0 }))).rejects.toMatchObject({ kind: 'timeout' });
  });

  test('delayed and lost deliveries change neither order nor completeness of what a reader gets', async () => {
    const { ports, plan, run, clock } = world();
    plan('journal.deliver', { delayMs: 500 }, { lose: 'answer' }, { duplicateAfterMs: 10 }, { delayMs: 5 });
    const seqs: number[] = [];
    const partition = ports.journal.partitionOf(john);
    const none = { onHead: () => undefined, onLost: () => undefined };
    await run(ports.journal.read({ partition, fromSeq: 1, onMessage: ({ seq }) => seqs.push(seq), ...none }));
    for (let i = 0; i < 10; i++) {
      await run(ports.journal.append(john, { kind: 'tick' }));
      await clock.advance(60);
    }
    await clock.advance(5_000);
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('a purge that overtakes a reader is told, or skipped where the broker is set so', async () => {
    for (const overtaken of ['lost', 'skip'] as const) {
      const { ports, run, clock } = world({ overtaken });
      const partition = ports.journal.partitionOf(john);
      const seqs: number[] = [];
      const lost: string[] = [];
      const reader = await run(
        ports.journal.read({
          partition,
          fromSeq: 1,
          onMessage: ({ seq }) => seqs.push(seq),
          onHead: () => undefined,
          onLost: (reason) => lost.push(reason),
        }),
      );
      reader.pause();
      for (let i = 0; i < 5; i++) await run(ports.journal.append(john, { kind: 'tick' }));
      await run(ports.journal.purge(partition, 4));
      reader.resume();
      await clock.advance(100);
      expect([overtaken, seqs, lost.length]).toEqual(overtaken === 'lost' ? ['lost', [], 1] : ['skip', [4, 5], 0]);
    }
  });

  test('messages on the bus can be lost, delayed and doubled', async () => {
    const { ports, plan, clock } = world();
    const got: number[] = [];
    ports.bus.subscribe('a', {}, ({ payload }) => got.push(payload[0]!));
    plan('bus.deliver', { lose: 'request' }, { delayMs: 50 }, { duplicateAfterMs: 100 });
    for (const i of [1, 2, 3]) ports.bus.publish('a', Uint8Array.of(i));
    await clock.advance(200);
    expect(got).toEqual([3, 2, 3]);
  });

  test('the same plan gives the same run', async () => {
    const once = async (): Promise<string> => {
      const { ports, plan, run, clock, broker } = world();
      plan('journal.append', {}, { delayMs: 7 }, { lose: 'answer' }, { duplicateAfterMs: 3 });
      const other = broker.connect();
      const log: string[] = [];
      const partition = ports.journal.partitionOf(john);
      const onMessage = ({ seq, at }: { seq: number; at: number }) => log.push(`${seq}@${at}`);
      const reading = { partition, fromSeq: 1, onMessage, onHead: () => log.push('head'), onLost: () => undefined };
      await run(other.journal.read(reading));
      const calls = Array.from({ length: 6 }, () =>
        ports.journal.append(john, { kind: 'tick' }).then(({ seq }) => seq, String),
      );
      await clock.advance(10_000);
      return JSON.stringify([log, await Promise.all(calls)]);
    };
    expect(await once()).toBe(await once());
  });
});
