/** One worker on ports in memory, under virtual time, and machines with everything that there is to see. */
import { type ActorDefinition, defineAgent, reply, tell } from '@troupe/agent';
import { type Ports, startWorker, type Worker, type WorkerOptions } from '@troupe/runtime';
import { MemoryBroker, type MemoryPorts, VirtualClock } from '@troupe/runtime/internal';
import { type ActorAddress, createSubjects, decodeValue, taskMessage } from '@troupe/wire';
import { assign, fromPromise, setup } from 'xstate';
import { Pump } from '../../src/pump.ts';

export const subjects = createSubjects();

const child = setup({}).createMachine({
  id: 'pulse',
  initial: 'low',
  states: { low: { after: { 300: 'high' } }, high: { after: { 300: 'low' } } },
});

export const busy = defineAgent({
  type: 'busy',
  version: 1,
  snapshot: { everyEntries: 16 },
  machine: setup({
    types: {
      context: {} as { n: number; notes: Map<string, unknown>; last: Date | undefined; random: number },
      events: {} as { type: string; [field: string]: unknown },
    },
    actors: {
      work: fromPromise<number, number>(async ({ input }) => {
        if (input % 5 === 0) throw new Error('five');
        return input * 2;
      }),
      child,
    },
  }).createMachine({
    id: 'busy',
    context: { n: 0, notes: new Map(), last: undefined, random: 0 },
    initial: 'idle',
    states: {
      idle: {
        on: {
          task: 'working',
          note: {
            actions: assign({
              notes: ({ context, event }) =>
                new Map([...context.notes, [String(event.key), event.value]].slice(-8) as never),
              last: () => new Date(),
              random: () => Math.random(),
            }),
          },
          pulse: 'pulsing',
          boom: {
            actions: assign(() => {
              throw new Error('planted');
            }),
          },
          tell: { actions: tell('busy', 'other', { type: 'note', key: 'from', value: 1 }) as never },
        },
      },
      working: {
        invoke: {
          id: 'job',
          src: 'work',
          input: ({ context }) => context.n,
          onDone: { target: 'idle', actions: [assign({ n: ({ context }) => context.n + 1 }), reply('done') as never] },
          onError: {
            target: 'idle',
            actions: [assign({ n: ({ context }) => context.n + 1 }), reply('failed') as never],
          },
        },
      },
      pulsing: { invoke: { id: 'beat', src: 'child' }, after: { 1000: 'idle' }, on: { stop: 'idle' } },
    },
  }) as never,
}) as unknown as ActorDefinition;

export class ObservedWorker {
  readonly clock = new VirtualClock();
  readonly broker = new MemoryBroker({ clock: this.clock, partitions: 4 });
  readonly pump = new Pump(this.clock, 5_000);
  readonly ports: MemoryPorts = this.broker.connect({ name: 'test' });
  worker!: Worker;

  static async start(
    definitions: readonly ActorDefinition[],
    options: WorkerOptions = {},
    more: object = {},
  ): Promise<ObservedWorker> {
    const one = new ObservedWorker();
    const ports = one.broker.connect({ name: 'worker' });
    one.worker = await one.run(startWorker({ ports, definitions, id: 'w', options, ...more }));
    let ready = false;
    void one.worker.ready.then(() => (ready = true));
    await one.pump.advanceUntil(() => ready, 60_000);
    return one;
  }

  run<T>(work: Promise<T>): Promise<T> {
    return this.pump.until(work, () => 'nothing happens any more');
  }

  async send(verb: 'task' | 'signal', address: ActorAddress, payload: unknown): Promise<number> {
    const message = taskMessage(payload);
    const { seq } = await this.run(this.ports.journal.publish(verb, address, message.payload, message.headers));
    await this.pump.settle();
    return seq;
  }

  /** What the owner answers to `query state` now; undefined for an actor that never was. */
  async query(address: ActorAddress, query: object = { query: 'state' }): Promise<Record<string, unknown> | undefined> {
    const payload = new TextEncoder().encode(JSON.stringify(query));
    const options = { timeoutMs: 5_000, headers: { Accept: 'application/msgpack' } };
    const answer = await this.run(this.ports.bus.request(subjects.query(address), payload, options));
    if (answer.header('Nats-Service-Error-Code') !== undefined) return undefined;
    return decodeValue(answer.payload) as Record<string, unknown>;
  }

  close(): void {
    this.worker.kill();
  }

  get historyPorts(): Pick<Ports, 'journal' | 'snapshots' | 'records'> {
    return this.ports;
  }
}
