/** Entries that end whoever steps them: found after some deaths, and set aside. */
import { createReplyAction, createTellAction, defineActor } from '@troupe/core';
import { decodeOutcome, encodePayload, partitionOf, taskMessage } from '@troupe/wire';
import { expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { readCheckpoint } from '../src/checkpoint.ts';
import { startWorker, type Worker } from '../src/index.ts';
import { MemoryBroker, type MemoryPorts, VirtualClock } from '../src/internal.ts';

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

/** Lists what it is told; whatever is in `world.poison` ends the process. */
function clerk(world: World, version: number) {
  const machine = setup({ types: { context: {} as Context, events: {} as Task } }).createMachine({
    context: { seen: [] },
    on: {
      task: {
        actions: [
          assign({
            seen: ({ context, event }) => {
              if (world.poison.has(event.input)) world.die(event.input);
              return [...context.seen, event.input];
            },
          }),
          tell({ type: 'clerk', key: 'log' }, ({ event }: { event: Task }) => ({ type: 'noted', what: event.input })),
          reply('reply', ({ context }: { context: Context }) => context.seen.join()),
        ],
      },
      noted: {
        actions: assign({
          seen: ({ context, event }) => [...context.seen, (event as unknown as { what: string }).what],
        }),
      },
    },
  } as never);
  const common = { type: 'clerk', machine: machine as never, snapshot: { everyEntries: 3 } };
  const first = defineActor({ ...common, version: 1 });
  if (version === 1) return first;
  // Its hash is another one.
  const changed = { ...common, version, task: { deadlineMs: 50_000 } };
  return defineActor({ ...changed, migrate: { 1: (state) => state }, previous: [first] });
}

class World {
  readonly clock = new VirtualClock();
  readonly broker = new MemoryBroker({ clock: this.clock, partitions: PARTITIONS });
  readonly client = this.broker.connect({ name: 'client' });
  readonly outcomes = new Map<string, unknown>();
  readonly poison = new Set<string>();
  readonly deaths: string[] = [];
  readonly errors: string[] = [];
  version = 1;
  #running: { readonly worker: Promise<Worker>; readonly ports: MemoryPorts } | undefined;

  constructor() {
    this.client.bus.subscribe('_INBOX.c.>', {}, (message) => {
      const { outcome } = decodeOutcome(message);
      this.outcomes.set(message.subject.slice('_INBOX.c.'.length), outcome.ok ? outcome.value : outcome.error.code);
    });
  }

  /** As a process does that ends in the middle of something: nothing it wanted happens any more. */
  die(why: string): void {
    this.deaths.push(why);
    const { worker, ports } = this.#running!;
    this.#running = undefined;
    ports.connection.disconnect();
    void worker.then((one) => one.kill()).catch(() => undefined);
    throw new Error('the process has ended');
  }

  /** Ends the worker from outside, between two steps. */
  kill(): void {
    try {
      this.die('killed');
    } catch {}
  }

  start(): void {
    const ports = this.broker.connect({ name: 'w' });
    const log = {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (fields: object, message: string) => {
        this.errors.push(`${message} ${JSON.stringify(fields)}`);
      },
    };
    const worker = startWorker({ ports, definitions: [clerk(this, this.version)], id: 'w', log });
    worker.catch(() => undefined);
    this.#running = { worker, ports };
  }

  /** A parent that starts a worker again whenever it has ended, for so long. */
  async supervise(ms: number): Promise<void> {
    const endAt = this.clock.monotonic() + ms;
    while (this.clock.monotonic() < endAt) {
      if (this.#running === undefined) this.start();
      await this.clock.advance(50);
    }
  }

  async send(key: string, input: string, taskId?: string): Promise<number> {
    const options = { replyTo: `_INBOX.c.${taskId ?? input}`, ...(taskId === undefined ? {} : { taskId }) };
    const { payload, headers } = taskMessage(input, options);
    const published = this.client.journal.publish('task', { type: 'clerk', key }, payload, headers);
    await this.clock.advance(10);
    return (await published).seq;
  }

  async query(key: string, query = 'state'): Promise<Record<string, unknown>> {
    const asked = this.client.bus.request(`troupe.query.clerk.${key}`, encodePayload({ query }), { timeoutMs: 9_000 });
    await this.clock.advance(10_000);
    return JSON.parse(new TextDecoder().decode((await asked).payload));
  }

  async seen(key: string): Promise<string[]> {
    return ((await this.query(key)).context as Context).seen;
  }

  async checkpoint(key: string) {
    const reading = readCheckpoint(this.client.records, partitionOf({ type: 'clerk', key }, PARTITIONS));
    await this.clock.advance(10);
    return (await reading).checkpoint;
  }
}

test('an entry that ends its worker is set aside after five deaths, its sender is told, and what is behind goes on', async () => {
  const world = new World();
  world.poison.add('poison');
  world.start();
  await world.supervise(2_000);
  await world.send('a', 'one');
  const seq = await world.send('a', 'poison');
  await world.send('a', 'two');
  await world.send('b', 'other');
  await world.send('c', 'third');
  await world.supervise(60_000);
  expect(world.deaths).toEqual(new Array(5).fill('poison'));
  expect(Object.fromEntries(world.outcomes)).toEqual({
    one: 'one',
    poison: 'Quarantined',
    two: 'one,two',
    other: 'other',
    third: 'third',
  });
  const letter = world.client.deadLetters.get(seq);
  await world.clock.advance(10);
  expect(await letter).toMatchObject({ seq, code: 'Quarantined', address: { type: 'clerk', key: 'a' } });
  expect(await world.seen('a')).toEqual(['one', 'two']);
  expect((await world.seen('log')).sort()).toEqual(['one', 'other', 'third', 'two']);
});

test('a repeat of a quarantined task gets the same outcome, and is not stepped', async () => {
  const world = new World();
  world.poison.add('poison');
  await world.send('a', 'poison', 'once');
  await world.supervise(60_000);
  const { length } = world.deaths;
  world.outcomes.clear();
  await world.send('a', 'poison', 'once');
  await world.supervise(10_000);
  expect(world.outcomes.get('once')).toBe('Quarantined');
  expect(world.deaths).toHaveLength(length);
});

test('deaths between steps blame no entry, however many there are', async () => {
  const world = new World();
  await world.supervise(2_000);
  for (let n = 0; n < 12; n++) await world.send('a', `t${n}`);
  for (let n = 0; n < 30; n++) {
    // In the middle of going entry by entry, later and later.
    await world.supervise(n * 3);
    world.kill();
  }
  await world.supervise(60_000);
  expect(await world.seen('a')).toEqual(Array.from({ length: 12 }, (_, n) => `t${n}`));
  expect((await world.checkpoint('a')).quarantine).toEqual([]);
  expect(await world.checkpoint('a')).toMatchObject({ deaths: 0 });
});

test('two entries that kill are both found, and the actors between them lose nothing', async () => {
  const world = new World();
  world.poison.add('p1').add('p2');
  await world.supervise(2_000);
  for (const [key, input] of [
    ['a', 'one'],
    ['a', 'p1'],
    ['b', 'two'],
    ['c', 'p2'],
    ['c', 'three'],
    ['a', 'four'],
  ] as const)
    await world.send(key, input);
  await world.supervise(120_000);
  expect(world.outcomes.get('p1')).toBe('Quarantined');
  expect(world.outcomes.get('p2')).toBe('Quarantined');
  expect(await world.seen('a')).toEqual(['one', 'four']);
  expect(await world.seen('b')).toEqual(['two']);
  expect(await world.seen('c')).toEqual(['three']);
  expect(world.deaths.length).toBeLessThanOrEqual(10);
});

test('a snapshot that covers a listed entry without having skipped it is refused, and the state is folded from before', async () => {
  const world = new World();
  await world.supervise(2_000);
  for (const input of ['one', 'two', 'three']) await world.send('a', input);
  await world.supervise(3_000);
  world.poison.add('bad');
  const seq = await world.send('a', 'bad');
  await world.supervise(30_000);
  expect(world.outcomes.get('bad')).toBe('Quarantined');
  // As an owner that did not die of it would store it late: the same sequence, with the entry applied.
  const address = { type: 'clerk', key: 'a' };
  const partition = partitionOf(address, PARTITIONS);
  world.kill();
  const healthy = await forged(world, address, partition, seq);
  expect(healthy).toBe('saved');
  await world.send('a', 'after');
  await world.supervise(30_000);
  expect(await world.seen('a')).toEqual(['one', 'two', 'three', 'after']);
  expect(world.outcomes.get('after')).toBe('one,two,three,after');
});

/** Overwrites the newest snapshot by one that has folded everything, the listed entry too. */
async function forged(
  world: World,
  address: { type: string; key: string },
  partition: number,
  seq: number,
): Promise<string> {
  const { decodeState, encodeState } = await import('@troupe/wire');
  const loading = world.client.snapshots.load(partition, address);
  await world.clock.advance(10);
  const stored = (await loading)!;
  const { skipped: _, ...state } = decodeState(stored.bytes) as Record<string, unknown>;
  const bytes = encodeState({ ...state, seq });
  const saving = world.client.snapshots.save(partition, address, { ...stored, seq, bytes }, stored.revision);
  await world.clock.advance(10);
  return (await saving).kind;
}

test('an actor whose every entry kills is suspended, others go on, and new code resumes it', async () => {
  const world = new World();
  for (const bad of ['p1', 'p2', 'p3']) world.poison.add(bad);
  await world.supervise(2_000);
  for (const input of ['one', 'p1', 'p2', 'p3']) await world.send('a', input);
  await world.supervise(180_000);
  const { length } = world.deaths;
  world.kill();
  await world.supervise(10_000);
  await world.send('a', 'more');
  await world.send('b', 'fine');
  await world.supervise(40_000);
  expect(world.outcomes.get('fine')).toBe('fine');
  expect(await world.query('a')).toMatchObject({ code: 'ActorSuspended' });
  expect(world.outcomes.has('more')).toBe(false);
  expect(world.deaths).toHaveLength(length + 1);
  world.kill();
  world.version = 2;
  await world.supervise(20_000);
  expect(world.outcomes.get('more')).toBe('one,more');
  expect(await world.seen('a')).toEqual(['one', 'more']);
});
