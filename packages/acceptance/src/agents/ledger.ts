/** Counts its tasks and keeps them in order: what proves that each took effect once. */
import { defineAgent, reply, type TaskEvent } from '@troupe/agent';
import { assign, setup } from 'xstate';

const machine = setup({
  types: { context: {} as { count: number; seen: number[] }, events: {} as TaskEvent<number> },
}).createMachine({
  context: { count: 0, seen: [] },
  on: {
    task: {
      actions: [
        assign({
          count: ({ context }) => context.count + 1,
          seen: ({ context, event }) => [...context.seen, event.input],
        }),
        reply(({ context }) => context.count),
      ],
    },
  },
});

export const ledger = defineAgent({ type: 'ledger', version: 1, machine });
