import { defineAgent, isTroupeError, openJournal, reply, type TaskEvent } from '@troupe/agent';
import { emptyState, step, storeState } from '@troupe/core';
import type { Ports } from '@troupe/runtime';
import { createMemoryPorts, VirtualClock } from '@troupe/runtime/internal';
import { decodeEntry, encodeState, taskMessage } from '@troupe/wire';
import { beforeEach, describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';

const counter = defineAgent({
  type: 'counter',
  version: 1,
  machine: setup({ types: { context: {} as { n: number }, events: {} as TaskEvent<number> } }).createMachine({
    context: { n: 0 },
    on: {
      task: {
        actions: [assign({ n: ({ context, event }) => context.n + event.input }), reply(({ context }) => context.n)],
      },
    },
  }),
});
const JOHN = { type: 'counter', key: 'john' };

describe('an open journal', () => {
  let clock: VirtualClock;
  let ports: Ports;

  beforeEach(async () => {
    clock = new VirtualClock();
    ports = createMemoryPorts({ clock, partitions: 2 });
    for (const n of [1, 2, 3, 4]) {
      const { payload, headers } = taskMessage(n);
      await run(ports.journal.publish('task', JOHN, payload, headers));
    }
  });

  /** Awaits while the memory broker works. */
  async function run<T>(work: Promise<T>): Promise<T> {
    let over = false;
    const ended = work.finally(() => (over = true)).catch(() => undefined);
    while (!over) {
      await clock.runUntilIdle();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await ended;
    return work;
  }

  /** Stores the snapshot that a worker would store after `seq`. */
  async function snapshotAt(seq: number): Promise<void> {
    let state = emptyState(JOHN, counter.version, counter.hash);
    for await (const message of ports.journal.readActor(JOHN, { toSeq: seq }))
      state = step(counter, state, decodeEntry(message, {})).state;
    const bytes = encodeState(storeState(counter, state));
    const partition = ports.journal.partitionOf(JOHN);
    const newest = await ports.snapshots.load(partition, JOHN);
    await ports.snapshots.save(partition, JOHN, { seq, count: state.count, hash: '', bytes }, newest?.revision ?? 0);
  }

  test('folds the newest state, and any earlier one', async () => {
    const journal = openJournal({ ports, actors: [counter] });
    expect((await run(journal.state('counter/john')))?.context).toEqual({ n: 10 });
    expect((await run(journal.state(JOHN, { atSeq: 2 })))?.context).toEqual({ n: 3 });
    expect(await run(journal.state('counter/nobody'))).toBeUndefined();
  });

  test('begins at a snapshot where the entries before it are gone', async () => {
    await run(snapshotAt(2));
    await run(ports.journal.purge(ports.journal.partitionOf(JOHN), 3));
    const journal = openJournal({ ports, actors: [counter] });
    expect(await run(journal.state(JOHN))).toMatchObject({ context: { n: 10 }, seq: 4, count: 4 });
    expect((await run(journal.state(JOHN, { atSeq: 3 })))?.context).toEqual({ n: 6 });
  });

  test('says so where a state can not be folded any more, instead of guessing', async () => {
    await run(snapshotAt(3));
    await run(ports.journal.purge(ports.journal.partitionOf(JOHN), 4));
    const journal = openJournal({ ports, actors: [counter] });
    const error = await run(journal.state(JOHN, { atSeq: 2 })).catch((thrown: unknown) => thrown);
    expect(isTroupeError(error, 'JournalGap')).toBe(true);
    expect((error as Error).message).toContain('Snapshots are kept at 3');
  });

  test('reads entries, all or the last ones, without any definition', async () => {
    const journal = openJournal({ ports });
    const read = async (range: object) => {
      const seqs: number[] = [];
      for await (const entry of journal.entries(JOHN, range)) seqs.push(entry.seq);
      return seqs;
    };
    expect(await run(read({}))).toEqual([1, 2, 3, 4]);
    expect(await run(read({ last: 2 }))).toEqual([3, 4]);
    expect(await run(read({ fromSeq: 2, toSeq: 3 }))).toEqual([2, 3]);
  });

  test('shows each step with the state after it and what it did', async () => {
    await run(snapshotAt(2));
    const journal = openJournal({ ports, actors: [counter] });
    const steps = await run(journal.steps(JOHN, { last: 2 }));
    expect(
      steps.map(({ entry, state, effects }) => [entry.seq, state.context, effects.map(({ kind }) => kind)]),
    ).toEqual([
      [3, { n: 6 }, ['reply']],
      [4, { n: 10 }, ['reply']],
    ]);
    expect(await run(journal.steps(JOHN))).toHaveLength(4);
  });

  test('names the definitions there are when one is missing', async () => {
    const error = await run(openJournal({ ports, actors: [counter] }).state('conter/john')).catch(
      (thrown: unknown) => thrown,
    );
    expect((error as Error).message).toContain("Did you mean 'counter'?");
  });
});
