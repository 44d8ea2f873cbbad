import { openHistory } from '@troupe/inspect';
import { decodeValue, encodeValue, formatAddress } from '@troupe/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { busy, ObservedWorker } from './support/observed.ts';

const ACTORS = ['one', 'two', 'other'].map((key) => ({ type: 'busy', key }));

/** A small generator of numbers that are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

describe('time travel', () => {
  let troupe: ObservedWorker;
  beforeEach(async () => {
    troupe = await ObservedWorker.start([busy]);
  });
  afterEach(() => troupe.close());

  /** What happened, and what a query answered right afterwards, by actor and sequence. */
  async function live(steps: number, random: () => number): Promise<Map<string, unknown>> {
    const seen = new Map<string, unknown>();
    const inputs = ['note', 'note', 'pulse', 'stop', 'boom', 'tell', 'unknown'];
    for (let i = 0; i < steps; i++) {
      const address = ACTORS[Math.floor(random() * ACTORS.length)]!;
      const type = inputs[Math.floor(random() * inputs.length)]!;
      if (random() < 0.3) await troupe.send('task', address, random() < 0.5 ? i : { type });
      else await troupe.send('signal', address, { type, key: `k${i % 11}`, value: [i, { deep: random() }] });
      if (random() < 0.3) await troupe.pump.advance(random() * 900);
      for (const actor of ACTORS) {
        const state = await troupe.query(actor);
        if (state !== undefined) seen.set(`${formatAddress(actor)}@${state.seq}`, state);
      }
    }
    return seen;
  }

  test('shows exactly what a query would have shown then, for 1,000 random steps in any order', async () => {
    const random = seeded(7);
    const seen = [...(await live(500, random))];
    expect(seen.length).toBeGreaterThan(450);
    const history = openHistory({ ports: troupe.historyPorts, actors: [busy] });
    for (let i = 0; i < 1_000; i++) {
      const [name, state] = seen[Math.floor(random() * seen.length)]!;
      const [actor, seq] = name.split('@') as [string, string];
      const shown = await troupe.run(history.of({ type: 'busy', key: actor.slice(5) }).stateAt(Number(seq)));
      expect(decodeValue(encodeValue(shown)), name).toEqual(state);
    }
  });

  test('goes through the steps page by page, each going on from the one before', async () => {
    await live(120, seeded(3));
    const line = openHistory({ ports: troupe.historyPorts, actors: [busy] }).of(ACTORS[0]!);
    const span = (await troupe.run(line.span()))!;
    let fromSeq: number | undefined = span.firstSeq;
    let count = 0;
    let before: unknown;
    while (fromSeq !== undefined) {
      const page: Awaited<ReturnType<typeof line.steps>> = await troupe.run(line.steps({ fromSeq, limit: 7 }));
      for (const step of page.steps) {
        expect(step.count).toBe(++count);
        if (before !== undefined) expect(step.before.value).toEqual(before);
        before = step.after.value;
        expect(step.state.seq).toBe(step.seq);
      }
      fromSeq = page.next;
    }
    expect(count).toBe(span.count);
    expect(await troupe.run(line.nearest(span.lastSeq, 'next'))).toBeUndefined();
    const previous = (await troupe.run(line.nearest(span.lastSeq, 'previous')))!;
    const last = await troupe.run(line.step(span.lastSeq));
    expect(await troupe.run(line.diff(previous, span.lastSeq))).toEqual(last.changes);
  });

  test('never steps an entry that was set aside, however it is looked at', async () => {
    const [actor] = ACTORS;
    await troupe.send('signal', actor!, { type: 'note', key: 'a', value: 1 });
    const seq = await troupe.send('signal', actor!, { type: 'note', key: 'deadly', value: 1 });
    await troupe.send('signal', actor!, { type: 'note', key: 'b', value: 1 });
    const key = `checkpoint.${troupe.ports.journal.partitionOf(actor!)}`;
    const records = {
      get: async (wanted: string) =>
        wanted === key ? { value: { quarantine: [{ seq, actor: 'busy.one', hash: '' }] } } : undefined,
    };
    const { journal, snapshots } = troupe.historyPorts;
    const line = openHistory({ ports: { journal, snapshots, records }, actors: [busy] }).of(actor!);
    const refused = await troupe.run(line.step(seq));
    expect(refused).toMatchObject({ error: { code: 'Quarantined' }, transitions: [], changes: [] });
    const notes = (await troupe.run(line.stateAt()))!.context as { notes: Map<string, unknown> };
    expect([...notes.notes.keys()]).toEqual(['a', 'b']);
  });

  test('begins at the oldest snapshot where entries are purged, and never guesses', async () => {
    const seen = await live(200, seeded(11));
    await troupe.pump.advance(120_000);
    const [actor] = ACTORS;
    const partition = troupe.ports.journal.partitionOf(actor!);
    const history = () => openHistory({ ports: troupe.historyPorts, actors: [busy] }).of(actor!);
    const line = history();
    const { snapshots, firstSeq } = (await troupe.run(line.span()))!;
    const middle = snapshots[Math.floor(snapshots.length / 2)]!.seq;
    await troupe.run(line.stateAt(middle + 1));
    await troupe.run(troupe.ports.journal.purge(partition, middle + 1));
    for (const one of [history(), line]) {
      const shown = await troupe.run(one.stateAt(middle));
      expect(shown?.seq).toBe(middle);
      if (snapshots[0]!.seq > firstSeq) {
        const thrown = await troupe.run(one.step(firstSeq + 1)).catch((error: unknown) => error);
        expect(thrown).toMatchObject({ code: 'JournalGap' });
      }
    }
    for (const [name, state] of seen) {
      const seq = Number(name.split('@')[1]);
      if (name.startsWith(formatAddress(actor!)) && seq > middle)
        expect(decodeValue(encodeValue(await troupe.run(line.stateAt(seq))))).toEqual(state);
    }
  });
});
