/**
 * What one transition costs: `node packages/core/bench/driver.bench.ts`. Prints microseconds per call, the best of
 * several rounds, for the driver and for XState alone.
 */
import { assign, createActor, fromPromise, setup } from 'xstate';
import { createMachineDriver, createReplyAction, type MachineScope } from '../src/machine/index.ts';

const machine = setup({
  types: {
    context: {} as { count: number; messages: string[] },
    events: {} as { type: 'task'; text: string },
  },
}).createMachine({
  context: { count: 0, messages: [] },
  initial: 'on',
  states: {
    on: {
      on: {
        task: {
          actions: [
            assign({
              count: ({ context }) => context.count + 1,
              messages: ({ context, event }) => [...context.messages.slice(-19), event.text],
            }),
            createReplyAction('reply', ({ context }) => context.count),
          ],
        },
      },
    },
  },
});

const working = setup({
  types: { events: {} as { type: 'work' } },
  actors: { job: fromPromise(async () => 1) },
}).createMachine({
  initial: 'idle',
  states: {
    idle: { on: { work: 'busy' } },
    busy: { invoke: { src: 'job', id: 'job', onDone: 'idle' }, after: { 1000: 'idle' } },
  },
});

const scope: MachineScope = {
  now: 1_700_000_000_000,
  address: { type: 'bench', key: 'one' },
  seed: 'bench/one@1',
  nextId: () => '1.0',
};
const event = { type: 'task', text: 'hello, this is a message' } as const;

function measure(name: string, run: () => void, calls = 50_000): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 8; round++) {
    const from = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) run();
    best = Math.min(best, Number(process.hrtime.bigint() - from) / calls / 1000);
  }
  console.log(`${name.padEnd(58)} ${best.toFixed(2).padStart(7)} us`);
}

const driver = createMachineDriver(machine);
let { state } = driver.init(undefined, scope);
for (let i = 0; i < 30; i++) state = driver.transition(state, '', event, scope).state;

// XState's own transition, in the cheapest way it can be called.
const live = createActor(machine) as unknown as { _actorScope: { actionExecutor: () => void; defer: () => void } };
const inert = { ...live._actorScope, actionExecutor: () => {}, defer: () => {} } as never;
let snapshot = machine.getInitialSnapshot(inert, undefined as never);
for (let i = 0; i < 30; i++) snapshot = machine.transition(snapshot, event, inert);

measure('xstate: machine.transition, cached inert scope', () => {
  snapshot = machine.transition(snapshot, event, inert);
});
measure('driver: transition', () => {
  state = driver.transition(state, '', event, scope).state;
});
measure('driver: accepts', () => {
  driver.accepts(state, event, scope);
});
measure('driver: accepts and transition', () => {
  driver.accepts(state, event, scope);
  state = driver.transition(state, '', event, scope).state;
});
measure('driver: init', () => {
  driver.init(undefined, scope);
});
const stored = driver.persist(state);
measure('driver: persist', () => {
  driver.persist(state);
});
measure('driver: restore', () => {
  driver.restore(stored);
});

const worker = createMachineDriver(working);
const idle = worker.init(undefined, scope).state;
measure(
  'driver: a state with a promise and a timer, in and out',
  () => {
    const busy = worker.transition(idle, '', { type: 'work' }, scope).state;
    worker.settle(busy, 'job', { ok: true, output: 1 }, scope);
  },
  10_000,
);
