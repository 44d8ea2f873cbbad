/** What `troupe gc` lets go of a journal, on the ports in memory with a virtual clock. */
import type { Ports } from '@troupe/runtime';
import { MemoryBroker, VirtualClock } from '@troupe/runtime/internal';
import { describe, expect, test } from 'vitest';
import { AGE_MS_MIN, findGarbage, removeGarbage, unknownTypes } from '../src/gc/journal-gc.ts';

const john = { type: 'support', key: 'john' };
const HOUR_MS = 3_600_000;

function world() {
  const clock = new VirtualClock();
  const ports = new MemoryBroker({ clock, partitions: 2 }).connect();
  const partition = ports.journal.partitionOf(john);
  const run = async <T>(call: Promise<T>): Promise<T> => {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    call.then(done, done);
    await clock.advanceUntil(() => settled, 60_000);
    return call;
  };
  const append = (count: number) =>
    run(
      (async () => {
        for (let i = 0; i < count; i++) await ports.journal.append(john, { kind: 'tick' });
      })(),
    );
  const mark = (value: object) => run(ports.records.put(`checkpoint.${partition}`, value));
  const gc = (keepMs: number) =>
    run(
      (async () => {
        const garbage = await findGarbage(ports, keepMs);
        const removed = await removeGarbage(ports, garbage, new AbortController().signal);
        return { garbage, removed };
      })(),
    );
  return { clock, ports, partition, run, append, mark, gc };
}

async function seqsOf(ports: Ports): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { seq } of ports.journal.readActor(john, {})) seqs.push(seq);
  return seqs;
}

describe('entries of the journal', () => {
  test('go below the mark of the stored checkpoint, and not one of those above it, however old', async () => {
    const { clock, ports, partition, run, append, mark, gc } = world();
    await append(6);
    await mark({ format: 1, mark: 4 });
    await clock.advance(100 * HOUR_MS);
    const { garbage, removed } = await gc(HOUR_MS);
    expect(garbage).toEqual([{ partition, firstSeq: 1, beforeSeq: 4, mark: 4 }]);
    expect(removed).toBe(3);
    expect(await run(seqsOf(ports))).toEqual([4, 5, 6]);
    expect(await gc(HOUR_MS)).toEqual({ garbage: [], removed: 0 });
  });

  test('stay as long as they are wanted, and at least ten minutes whoever asks', async () => {
    const { clock, ports, run, append, mark, gc } = world();
    await append(2);
    await clock.advance(2 * HOUR_MS);
    await append(2);
    await mark({ format: 1, mark: 5 });
    expect(await gc(3 * HOUR_MS)).toMatchObject({ removed: 0 });
    expect(await gc(0)).toMatchObject({ removed: 2 });
    await clock.advance(AGE_MS_MIN - 60_000);
    expect(await gc(0)).toMatchObject({ removed: 0 });
    expect(await run(seqsOf(ports))).toEqual([3, 4]);
  });

  test('stay without a checkpoint, or with one that a newer Troupe wrote', async () => {
    const { clock, append, mark, gc } = world();
    await append(3);
    await clock.advance(100 * HOUR_MS);
    expect(await gc(0)).toEqual({ garbage: [], removed: 0 });
    await mark({ format: 2, mark: 3 });
    expect(await gc(0)).toEqual({ garbage: [], removed: 0 });
  });

  test('of types that are not defined here are told, from checkpoints and leases', async () => {
    const { ports, run, mark } = world();
    await mark({ format: 1, mark: 1, types: { support: {}, old: {} } });
    await run(ports.records.put('worker.a', { id: 'a', types: { order: 1 } }));
    expect(await run(unknownTypes(ports, new Set(['support'])))).toEqual(['old', 'order']);
  });
});
