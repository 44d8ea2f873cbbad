/** Entries that wait for code: kept beside the journal, folded first, in order, once. */
import { createReplyAction, createTellAction, defineActor, type StoredState } from '@troupe/core';
import { decodeOutcome, encodePayload, partitionOf, taskMessage } from '@troupe/wire';
import { describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { readCheckpoint } from '../src/checkpoint.ts';
import { startWorker, type Worker, type WorkerOptions } from '../src/index.ts';
import { type FaultPlan, MemoryBroker, type MemoryPorts, VirtualClock } from '../src/internal.ts';

const PARTITIONS = 2;
const reply = createReplyAction as unknown as (kind: 'reply', value: unknown) => never;
const tell = createTellAction as unknown as (to: unknown, event: unknown) => never;

interface Context {
  readonly seen: string[];
}
interface Task {
  readonly type: 'task';
  readonly input: string;
}

/** Lists what it is told and passes it on to `listener/<the same key>`. */
const machine = (label: string) =>
  setup({ types: { context: {} as Context, events: {} as Task } }).createMachine({
    context: { seen: [] },
    meta: { label },
    on: {
      task: {
        actions: [
          assign({ seen: ({ context, event }) => [...context.seen, event.input] }),
          tell(
            ({ event }: { event: Task }) => ({ type: 'listener', key: event.input[0] }),
            ({ event }: { event: Task }) => ({ type: 'said', what: event.input }),
          ),
          reply('reply', ({ context }: { context: Context }) => `${label}: ${context.seen.length}`),
        ],
      },
    },
  } as never);

const speaker = { type: 'speaker', snapshot: { everyEntries: 4 } };
const migrate = { 1: (state: StoredState) => state };
const v1 = defineActor({ ...speaker, version: 1, machine: machine('v1') as never, turn: 'reply' });
const two = { ...speaker, version: 2, machine: machine('v2') as never, task: { deadlineMs: 59_000 } } as const;
const bare = defineActor(two);
const migrating = defineActor({ ...two, migrate });
const carrying = defineActor({ ...two, migrate, previous: [v1] });
const listener = defineActor({
  type: 'listener',
  version: 1,
  machine: setup({ types: { context: {} as Context, events: {} as { type: 'said'; what: string } } }).createMachine({
    context: { seen: [] },
    on: { said: { actions: assign({ seen: ({ context, event }) => [...context.seen, event.what] }) } },
  }) as never,
});

class World {
  readonly clock = new VirtualClock();
  readonly broker: MemoryBroker;
  readonly client: MemoryPorts;
  readonly outcomes = new Map<string, unknown>();
  readonly errors: string[] = [];
  /** By key, in the order of the journal. */
  readonly given = new Map<string, string[]>();
  running: { readonly worker: Promise<Worker>; readonly ports: MemoryPorts } | undefined;
  #started = 0;

  constructor(parkedMax?: number) {
    this.broker = new MemoryBroker({
      clock: this.clock,
      partitions: PARTITIONS,
      ...(parkedMax === undefined ? {} : { parkedMax }),
    });
    this.client = this.broker.connect({ name: 'client' });
    this.client.bus.subscribe('_INBOX.c.>', {}, (message) => {
      const { outcome } = decodeOutcome(message);
      this.outcomes.set(message.subject.slice('_INBOX.c.'.length), outcome.ok ? outcome.value : outcome.error.code);
    });
  }

  start(definitions: readonly ReturnType<typeof defineActor>[], faults?: FaultPlan, options: WorkerOptions = {}): void {
    const ports = this.broker.connect(faults === undefined ? {} : { faults });
    const note = (fields: object, message: string) => void this.errors.push(`${message} ${JSON.stringify(fields)}`);
    const log = { debug: () => {}, info: () => {}, warn: () => {}, error: note };
    const worker = startWorker({ ports, definitions, id: `w${++this.#started}`, log, options });
    worker.catch(() => undefined);
    this.running = { worker, ports };
  }

  crash(): void {
    const { worker, ports } = this.running!;
    this.running = undefined;
    ports.connection.disconnect();
    void worker.then((one) => one.kill()).catch(() => undefined);
  }

  async drain(): Promise<void> {
    const draining = this.running!.worker.then((worker) => worker.drain());
    this.running = undefined;
    await this.clock.advance(30_000);
    await draining;
  }

  /** A crash, and other code after it. */
  async redeploy(definitions: readonly ReturnType<typeof defineActor>[], ms = 10_000): Promise<void> {
    if (this.running !== undefined) this.crash();
    this.start(definitions);
    await this.clock.advance(ms);
  }

  /** `a1` goes to `speaker/a`. */
  async send(what: string, ms = 1_000, type = 'speaker'): Promise<void> {
    const key = what[0]!;
    const { payload, headers } = taskMessage(what, { replyTo: `_INBOX.c.${what}` });
    const publishing = this.client.journal.publish('task', { type, key }, payload, headers);
    this.given.set(key, [...(this.given.get(key) ?? []), what]);
    await this.clock.advance(ms);
    await publishing;
  }

  async query(type: string, key: string): Promise<Record<string, unknown>> {
    const payload = encodePayload({ query: 'state', timeoutMs: 30_000 });
    const asking = this.client.bus.request(`troupe.query.${type}.${key}`, payload, { timeoutMs: 35_000 });
    let answer: string | undefined;
    void asking.then((message) => {
      answer = new TextDecoder().decode(message.payload);
    });
    await this.clock.advanceUntil(() => answer !== undefined, 40_000);
    return JSON.parse(answer ?? '{}') as Record<string, unknown>;
  }

  async seen(type: string, key: string): Promise<string[] | undefined> {
    return ((await this.query(type, key)).context as Context | undefined)?.seen;
  }

  async parked(): Promise<number[]> {
    const listing = Array.fromAsync(this.client.parking.list({}), (one) => one.seq);
    await this.clock.advance(10);
    return (await listing).sort((a, b) => a - b);
  }

  /** Mark and head of the partition of `speaker/<key>`. */
  async progress(key: string): Promise<{ mark: number; head: number }> {
    const partition = partitionOf({ type: 'speaker', key }, PARTITIONS);
    const reading = readCheckpoint(this.client.records, partition);
    const heading = this.client.journal.headSeq(partition);
    await this.clock.advance(10);
    return { mark: (await reading).checkpoint.mark, head: await heading };
  }
}

describe('entries of a suspended actor', () => {
  test('are parked and hold back neither mark nor purge; the right code folds them first, once, in order', async () => {
    const world = new World();
    await world.redeploy([v1, listener]);
    await world.send('a1');
    await world.drain();
    await world.redeploy([bare, listener]);
    for (const what of ['a2', 'a3']) await world.send(what);
    expect(await world.query('speaker', 'a')).toMatchObject({ code: 'MigrationMissing' });
    expect(await world.parked()).toHaveLength(2);
    await world.clock.advance(600_000);
    const { mark, head } = await world.progress('a');
    expect(mark).toBe(head + 1);
    await world.redeploy([bare, listener]);
    await world.send('a4');
    // No entry has to come for what waits to be folded.
    await world.redeploy([migrating, listener], 60_000);
    expect(world.outcomes.get('a4')).toBe('v2: 4');
    await world.send('a5');
    expect(await world.seen('speaker', 'a')).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
    await world.clock.advance(120_000);
    expect(await world.parked()).toEqual([]);
  });

  test('are folded once, whatever comes between the copy, the mark and the snapshot', async () => {
    for (const kind of ['parked.put', 'parked.remove', 'parked.read', 'snapshot.save', 'record.put'] as const) {
      for (let n = 1; n <= 4; n++) {
        const world = new World();
        await world.redeploy([v1, listener]);
        await world.send('a1');
        await world.drain();
        let left = n;
        // Carried out, and then the process is gone; or not carried out.
        const dying = (lose: 'request' | 'answer'): FaultPlan => ({
          decide: (operation) => {
            if (operation.kind !== kind || left === 0 || --left > 0) return undefined;
            world.clock.setTimer(() => world.running && world.crash(), 0);
            return { lose };
          },
        });
        world.start([bare, listener], dying(n % 2 === 0 ? 'answer' : 'request'));
        await world.clock.advance(10_000);
        for (const what of ['a2', 'a3', 'a4']) await world.send(what);
        await world.redeploy([bare, listener]);
        world.crash();
        left = n;
        world.start([migrating, listener], dying(n % 2 === 0 ? 'request' : 'answer'));
        await world.clock.advance(10_000);
        await world.redeploy([migrating, listener], 30_000);
        await world.send('a5');
        await world.clock.advance(10_000);
        const story = `${kind} ${n}\n${world.errors.join('\n')}`;
        expect(await world.seen('speaker', 'a'), story).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
        expect(await world.seen('listener', 'a'), story).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
      }
    }
  });

  test('that old code may have folded are left to it, also when they are parked for long', async () => {
    const world = new World();
    world.start([v1, listener], undefined, { markAgeMsMax: 86_400_000 });
    await world.clock.advance(10_000);
    await world.send('a1');
    await world.send('a2');
    // A tail that v1 has folded and nobody has snapshotted.
    await world.redeploy([migrating, listener]);
    await world.send('a3');
    expect(await world.query('speaker', 'a')).toMatchObject({ code: 'ActorSuspended' });
    await world.clock.advance(600_000);
    await world.redeploy([migrating, listener], 600_000);
    expect(await world.query('speaker', 'a')).toMatchObject({ code: 'ActorSuspended' });
    expect(await world.parked()).toHaveLength(3);
    await world.redeploy([carrying, listener], 60_000);
    expect(await world.seen('speaker', 'a')).toEqual(['a1', 'a2', 'a3']);
    expect(await world.seen('listener', 'a')).toEqual(['a1', 'a2', 'a3']);
  });

  test('that old code has begun to fold, and did not finish, are left to it', async () => {
    const world = new World();
    await world.redeploy([v1, listener]);
    await world.send('a1');
    await world.drain();
    await world.redeploy([bare, listener]);
    await world.send('a2');
    world.crash();
    // v1 again: it folds what is parked, and its snapshot is never stored.
    world.start([v1, listener], { decide: ({ kind }) => (kind === 'snapshot.save' ? { lose: 'request' } : undefined) });
    await world.clock.advance(10_000);
    expect(world.outcomes.get('a2')).toBe('v1: 2');
    await world.redeploy([migrating, listener], 600_000);
    await world.redeploy([migrating, listener], 60_000);
    expect(await world.query('speaker', 'a')).toMatchObject({ code: 'ActorSuspended' });
    await world.redeploy([carrying, listener], 60_000);
    await world.send('a3');
    expect(await world.seen('speaker', 'a')).toEqual(['a1', 'a2', 'a3']);
    expect(await world.seen('listener', 'a')).toEqual(['a1', 'a2', 'a3']);
  });

  test('stay in the journal, and hold back the mark, when there is no room to park them', async () => {
    const world = new World(2);
    await world.redeploy([v1, listener]);
    await world.send('a1');
    await world.drain();
    await world.redeploy([bare, listener]);
    for (const what of ['a2', 'a3', 'a4', 'a5']) await world.send(what);
    await world.clock.advance(600_000);
    expect(await world.parked()).toHaveLength(2);
    const { mark, head } = await world.progress('a');
    expect(mark).toBe(head - 1);
    await world.redeploy([migrating, listener], 60_000);
    expect(await world.seen('speaker', 'a')).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
  });
});

describe('a type that no worker defines', () => {
  test('is refused when it was never known', async () => {
    const world = new World();
    await world.redeploy([listener]);
    await world.send('a1');
    expect(world.outcomes.get('a1')).toBe('UnknownActorType');
    expect(await world.parked()).toEqual([]);
  });

  test('has its entries parked when it was known here, and folds them once it is back', async () => {
    const world = new World();
    await world.redeploy([v1, listener]);
    await world.send('a1');
    await world.drain();
    await world.redeploy([listener]);
    await world.send('a2');
    await world.send('c1');
    expect(world.outcomes.has('a2')).toBe(false);
    await world.clock.advance(600_000);
    const { mark, head } = await world.progress('a');
    expect(mark).toBe(head + 1);
    await world.redeploy([v1, listener], 60_000);
    expect(world.outcomes.get('a2')).toBe('v1: 2');
    expect(world.outcomes.get('c1')).toBe('v1: 1');
    expect(await world.seen('speaker', 'a')).toEqual(['a1', 'a2']);
  });

  test('keeps a tail that its code has folded for that code', async () => {
    const world = new World();
    world.start([v1, listener], undefined, { markAgeMsMax: 86_400_000 });
    await world.clock.advance(10_000);
    await world.send('a1');
    await world.redeploy([listener], 600_000);
    await world.send('a2');
    await world.redeploy([migrating, listener], 600_000);
    expect(await world.query('speaker', 'a')).toMatchObject({ code: 'ActorSuspended' });
    await world.redeploy([carrying, listener], 60_000);
    expect(await world.seen('speaker', 'a')).toEqual(['a1', 'a2']);
    expect(await world.seen('listener', 'a')).toEqual(['a1', 'a2']);
  });
});

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const runs = Number(process.env.TROUPE_STORM_RUNS ?? 8);
const firstSeed = Number(process.env.TROUPE_STORM_SEED ?? 1);

describe('a storm of deployments, crashes, lost and late messages', () => {
  const codes = [[v1], [bare], [migrating], [carrying], []] as const;
  test.each(Array.from({ length: runs }, (_, at) => firstSeed + at))(
    'every task takes effect once and in order, whichever code came and went (seed %i)',
    async (seed) => {
      const chance = random(seed);
      const world = new World();
      const [lost, late] = [chance() * 0.08, chance() * 0.1];
      const faults: FaultPlan = {
        decide: ({ kind }) => {
          if (kind.endsWith('deliver') || kind.endsWith('open')) return undefined;
          const x = chance();
          if (x < lost) return { lose: chance() < 0.5 ? 'request' : 'answer' };
          if (x < lost + late) return { delayMs: chance() * (chance() < 0.2 ? 3_000 : 50) };
          return x < lost + late + 0.03 ? { duplicateAfterMs: chance() * 5_000 } : undefined;
        },
      };
      const options = { markAgeMsMax: chance() < 0.5 ? 3_000 : 60_000, idleUnloadMs: 2_000 };
      const history: string[] = [];
      for (let round = 0; round < 14; round++) {
        // The first code is the old one, so that there is something to migrate.
        const code = round === 0 ? codes[0] : codes[Math.floor(chance() * codes.length)]!;
        history.push(
          code.map((one) => `${one.version}${one === carrying ? 'c' : one === migrating ? 'm' : ''}`).join(),
        );
        world.start([...code, listener], faults, options);
        for (let n = 0; n < 6; n++)
          await world.send(
            `${'ab'[Math.floor(chance() * 2)]}${round}.${n}`,
            chance() * (chance() < 0.2 ? 20_000 : 800),
          );
        if (chance() < 0.6) await world.clock.advance(chance() * 30_000);
        if (chance() < 0.3) await world.drain();
        else world.crash();
      }
      world.start([carrying, listener]);
      await world.clock.advance(180_000);
      const story = `codes ${history.join(' ')}\n${world.errors.slice(-15).join('\n')}`;
      for (const [key, given] of world.given) {
        expect(await world.seen('speaker', key), story).toEqual(given);
        expect(await world.seen('listener', key), story).toEqual(given);
      }
      await world.clock.advance(180_000);
      expect(await world.parked()).toEqual([]);
    },
    60_000,
  );
});
