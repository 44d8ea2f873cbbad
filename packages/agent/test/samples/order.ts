import { fromPromise, setup } from 'xstate';

/** A machine of one's own: plain XState, no import of ours. */
export const order = setup({
  types: { events: {} as { type: 'placed' } | { type: 'paid'; amount: number } },
  actors: { charge: fromPromise(async ({ input }: { input: { cents: number } }) => ({ charged: input.cents })) },
}).createMachine({
  initial: 'open',
  states: {
    open: { on: { placed: 'waiting' } },
    waiting: { after: { 86400000: 'cancelled' }, on: { paid: 'charging' } },
    charging: {
      invoke: {
        src: 'charge',
        input: ({ event }) => ({ cents: event.type === 'paid' ? event.amount : 0 }),
        onDone: 'paid',
      },
    },
    paid: { type: 'final' },
    cancelled: { type: 'final' },
  },
});
