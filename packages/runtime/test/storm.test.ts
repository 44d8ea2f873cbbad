/** The real runtime under faults, in virtual time: crashes, cut connections, lost and late messages. */
import { createEffectLogic, createReplyAction, createTellAction, defineActor } from '@troupe/core';
import { decodeOutcome, encodePayload, taskMessage } from '@troupe/wire';
import { describe, expect, test } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { type Log, startWorker, type Worker } from '../src/index.ts';
import { type FaultPlan, MemoryBroker, type MemoryPorts, VirtualClock } from '../src/internal.ts';

interface Task {
  type: 'task';
  input: { id: string; then?: 'work' | 'ask' | 'tell' };
}

const reply = createReplyAction as unknown as (kind: 'reply', value: unknown) => never;
const tell = createTellAction as unknown as (to: unknown, event: unknown) => never;
const note = assign({
  seen: ({ context, event }: { context: { seen: string[] }; event: unknown }) => [
    ...context.seen,
    (event as Task).input.id,
  ],
});

/** Lists what it was given; may first call outside, or ask its ledger, or tell it. */
const clerk = setup({
  types: { context: {} as { seen: string[] }, events: {} as Task },
  actors: { work: fromPromise(async () => 'worked'), ledger: createEffectLogic('ask', { type: 'ledger' }) },
}).createMachine({
  context: { seen: [] },
  initial: 'idle',
  states: {
    idle: {
      on: {
        task: [
          { guard: ({ event }) => event.input.then === 'work', target: 'working', actions: note as never },
          { guard: ({ event }) => event.input.then === 'ask', target: 'asking', actions: note as never },
          {
            guard: ({ event }) => event.input.then === 'tell',
            actions: [
              note as never,
              tell({ type: 'ledger', key: 'main' }, ({ event }: { event: Task }) => ({
                type: 'noted',
                id: event.input.id,
              })),
              reply('reply', ({ context }: { context: { seen: string[] } }) => context.seen.length),
            ],
          },
          {
            actions: [
              note as never,
              reply('reply', ({ context }: { context: { seen: string[] } }) => context.seen.length),
            ],
          },
        ],
      },
    },
    working: {
      invoke: {
        src: 'work',
        onDone: {
          target: 'idle',
          actions: reply('reply', ({ context }: { context: { seen: string[] } }) => context.seen.length),
        },
      },
    },
    asking: {
      invoke: {
        src: 'ledger',
        input: ({ event }) =>
          ({ key: 'main', payload: { type: 'noted', id: event.input.id }, timeoutMs: 600_000 }) as never,
        onDone: {
          target: 'idle',
          actions: reply('reply', ({ context }: { context: { seen: string[] } }) => context.seen.length),
        },
      },
    },
  },
});

const ledger = setup({
  types: { context: {} as { ids: string[] }, events: {} as { type: 'noted'; id: string } },
}).createMachine({
  context: { ids: [] },
  on: {
    noted: {
      actions: [
        assign({ ids: ({ context, event }) => [...context.ids, event.id] }),
        reply('reply', ({ context }: { context: { ids: string[] } }) => context.ids.length),
      ],
    },
  },
});

const definitions = [
  defineActor({
    type: 'clerk',
    version: 1,
    machine: clerk as never,
    task: { deadlineMs: 600_000 },
    snapshot: { everyEntries: 5 },
  }),
  defineActor({ type: 'ledger', version: 1, machine: ledger as never, turn: 'reply', snapshot: { everyEntries: 7 } }),
];

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function logTo(lines: string[], clock: VirtualClock): Log {
  const line = (level: string) => (fields: object, message: string) => {
    lines.push(`${clock.monotonic()} ${level} ${message} ${JSON.stringify(fields)}`);
  };
  return { debug: () => {}, info: line('info'), warn: line('warn'), error: line('error') };
}

class Storm {
  readonly clock = new VirtualClock();
  readonly broker = new MemoryBroker({ clock: this.clock, partitions: 4 });
  readonly outcomes = new Map<string, unknown>();
  readonly accepted = new Set<string>();
  readonly #random: () => number;
  readonly #faults: FaultPlan;
  #started = 0;
  #calm = false;
  readonly logged: string[] = [];
  readonly log = logTo(this.logged, this.clock);
  workers: { worker: Promise<Worker>; ports: MemoryPorts }[] = [];
  client: MemoryPorts;

  constructor(seed: number) {
    this.#random = random(seed);
    const drop = this.#random() * 0.08;
    const late = this.#random() * 0.1;
    this.#faults = {
      decide: ({ kind }) => {
        if (this.#calm || kind.endsWith('deliver') || kind === 'journal.open' || kind === 'tick.open') return undefined;
        const x = this.#random();
        if (x < drop) return { lose: this.#random() < 0.5 ? 'request' : 'answer' };
        if (x < drop + late) return { delayMs: this.#random() * (this.#random() < 0.2 ? 3_000 : 50) };
        if (x < drop + late + 0.03) return { duplicateAfterMs: this.#random() * 5_000 };
        return undefined;
      },
    };
    this.client = this.broker.connect({ name: 'client' });
    this.client.bus.subscribe('_INBOX.c.>', {}, (message) => {
      const { outcome } = decodeOutcome(message);
      const id = message.subject.split('.')[2]!;
      if (!outcome.ok) throw new Error(`task ${id} failed: ${outcome.error.code} ${outcome.error.message}`);
      if (this.outcomes.has(id) && this.outcomes.get(id) !== outcome.value)
        throw new Error(`task ${id} has two outcomes`);
      this.outcomes.set(id, outcome.value);
    });
  }

  chance(): number {
    return this.#random();
  }

  start(): void {
    const ports = this.broker.connect({ faults: this.#faults });
    const worker = startWorker({ ports, definitions, log: this.log, id: `w${++this.#started}` });
    worker.catch(() => undefined);
    this.workers.push({ worker, ports });
  }

  async crash(): Promise<void> {
    const [victim] = this.workers.splice(Math.floor(this.#random() * this.workers.length), 1);
    if (victim === undefined) return;
    victim.ports.connection.disconnect();
    void victim.worker.then((worker) => worker.kill()).catch(() => undefined);
  }

  /** What a failing seed needs to be understood. */
  async story(): Promise<string> {
    const stats: string[] = [];
    for (const { worker } of this.workers) void worker.then((one) => stats.push(JSON.stringify(one.stats())));
    await this.clock.advance(1);
    return [...this.logged.slice(-25), ...stats].join('\n');
  }

  calm(): void {
    this.#calm = true;
  }

  /** Publishes until acknowledged, and again until there is an outcome, always under the same id. */
  task(key: string, id: string, then: Task['input']['then']): void {
    const { payload, headers } = taskMessage(
      { id, ...(then === undefined ? {} : { then }) },
      { taskId: id, createdAt: this.clock.now(), replyTo: `_INBOX.c.${id}` },
    );
    const send = (): void => {
      if (this.outcomes.has(id)) return;
      this.client.journal.publish('task', { type: 'clerk', key }, payload, headers).then(
        () => this.accepted.add(id),
        () => undefined,
      );
      this.clock.setTimer(send, 4_000 + this.#random() * 4_000);
    };
    send();
  }

  async context(type: string, key: string): Promise<Record<string, string[]>> {
    const asking = this.client.bus.request(
      `troupe.query.${type}.${key}`,
      encodePayload({ query: 'state', timeoutMs: 20_000 }),
      { timeoutMs: 25_000 },
    );
    let answer: Awaited<typeof asking> | undefined;
    void asking.then((message) => {
      answer = message;
    });
    await this.clock.advanceUntil(() => answer !== undefined, 30_000);
    const body = JSON.parse(new TextDecoder().decode(answer!.payload)) as {
      context?: Record<string, string[]>;
      code?: string;
    };
    if (body.context === undefined) throw new Error(`query of ${type}/${key}: ${JSON.stringify(body)}`);
    return body.context;
  }
}

const CLERKS = ['a', 'b', 'c', 'd', 'e'];
const runs = Number(process.env.TROUPE_STORM_RUNS ?? 6);
const firstSeed = Number(process.env.TROUPE_STORM_SEED ?? 1);

describe('a storm of crashes, cuts, lost and late messages', () => {
  test.each(Array.from({ length: runs }, (_, at) => firstSeed + at))(
    'every task takes effect once, in order, and gets its outcome (seed %i)',
    async (seed) => {
      const storm = new Storm(seed);
      storm.start();
      storm.start();
      const kinds = [undefined, undefined, 'work', 'ask', 'tell'] as const;
      const given = new Map<string, { id: string; then: Task['input']['then'] }[]>(CLERKS.map((key) => [key, []]));
      let n = 0;
      for (let round = 0; round < 24; round++) {
        for (let i = 0; i < 4; i++) {
          const key = CLERKS[Math.floor(storm.chance() * CLERKS.length)]!;
          const id = `t${n++}`;
          const then = kinds[Math.floor(storm.chance() * kinds.length)];
          given.get(key)!.push({ id, then });
          storm.task(key, id, then);
        }
        await storm.clock.advance(storm.chance() * 2_000);
        const x = storm.chance();
        if (x < 0.25) await storm.crash();
        else if (x < 0.35) {
          const victim = storm.workers[0];
          victim?.ports.connection.disconnect();
          await storm.clock.advance(storm.chance() * 12_000);
          victim?.ports.connection.reconnect();
        } else if (x < 0.4) {
          storm.broker.stop();
          await storm.clock.advance(storm.chance() * 8_000);
          storm.broker.start();
        }
        while (storm.workers.length < 2) storm.start();
      }
      storm.calm();
      const done = await storm.clock.advanceUntil(() => storm.outcomes.size === n, 300_000);
      const missing = Array.from({ length: n }, (_, at) => `t${at}`).filter((id) => !storm.outcomes.has(id));
      expect({ done, missing }, await storm.story()).toEqual({ done: true, missing: [] });
      const noted: string[] = [];
      for (const [key, tasks] of given) {
        if (tasks.length === 0) continue;
        const { seen } = await storm.context('clerk', key);
        expect([...seen!].sort()).toEqual(tasks.map((one) => one.id).sort());
        noted.push(...tasks.filter((one) => one.then === 'ask' || one.then === 'tell').map((one) => one.id));
      }
      await storm.clock.advance(30_000);
      if (noted.length > 0) expect([...(await storm.context('ledger', 'main')).ids!].sort()).toEqual(noted.sort());
    },
    60_000,
  );
});
