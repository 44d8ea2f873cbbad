/** Agents that the tests of this package run. */
import { defineAgent, reply, type TaskEvent } from '@troupe/agent';
import { assign, emit, fromPromise, setup } from 'xstate';

/** Calls of the payment service, by idempotency key: the world outside. */
export const charges: string[] = [];

export const orderMachine = setup({
  types: {
    context: {} as { placedAt: Date | undefined; receipt: string },
    events: {} as { type: 'placed' } | { type: 'paid'; amount: number } | { type: 'approve' },
    emitted: {} as { type: 'settled'; receipt: string },
  },
  actors: {
    charge: fromPromise(async ({ input }: { input: number }) => {
      charges.push(`${input}`);
      return `receipt-${input}`;
    }),
  },
}).createMachine({
  context: { placedAt: undefined, receipt: '' },
  initial: 'open',
  states: {
    open: { on: { placed: { target: 'waiting', actions: assign({ placedAt: () => new Date() }) } } },
    waiting: { after: { 86400000: 'cancelled' }, on: { paid: 'charging' } },
    charging: {
      invoke: {
        src: 'charge',
        input: ({ event }) => (event.type === 'paid' ? event.amount : 0),
        onDone: {
          target: 'settled',
          actions: [
            assign({ receipt: ({ event }) => event.output }),
            emit(({ event }) => ({ type: 'settled', receipt: event.output as string })),
          ],
        },
        onError: 'waiting',
      },
    },
    settled: {},
    cancelled: {},
  },
});

export const order = defineAgent({ type: 'order', version: 1, machine: orderMachine });

export const counterMachine = setup({
  types: { context: {} as { n: number }, events: {} as TaskEvent<number> },
}).createMachine({
  context: { n: 0 },
  on: {
    task: {
      actions: [assign({ n: ({ context, event }) => context.n + event.input }), reply(({ context }) => context.n)],
    },
  },
});

export const counter = defineAgent({ type: 'counter', version: 1, machine: counterMachine });
