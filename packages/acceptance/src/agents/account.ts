/** One type in several versions, as deployments bring them. */
import { defineAgent, reply, type StoredState, type TaskEvent, tell } from '@troupe/agent';
import { assign, setup } from 'xstate';

/** Adds what it is told; tells the auditor of every deposit. */
const first = setup({
  types: { context: {} as { sum: number }, events: {} as TaskEvent<number> },
}).createMachine({
  context: { sum: 0 },
  on: {
    task: {
      actions: [
        assign({ sum: ({ context, event }) => context.sum + event.input }),
        tell('auditor', 'all', ({ event }) => ({ type: 'deposited', amount: event.input })),
        reply(({ context }) => `v1: ${context.sum}`),
      ],
    },
  },
});

/** The sum has become a list. */
const second = setup({
  types: { context: {} as { amounts: number[] }, events: {} as TaskEvent<number> },
}).createMachine({
  context: { amounts: [] },
  on: {
    task: {
      actions: [
        assign({ amounts: ({ context, event }) => [...context.amounts, event.input] }),
        tell('auditor', 'all', ({ event }) => ({ type: 'deposited', amount: event.input })),
        reply(({ context }) => `v2: ${context.amounts.join('+')}`),
      ],
    },
  },
});

const listOfSum = (state: StoredState): StoredState => ({
  ...state,
  context: { amounts: [(state.context as { sum: number }).sum] },
});

/** Hears of every deposit, in its one version. */
const auditing = setup({
  types: { context: {} as { heard: number[] }, events: {} as { type: 'deposited'; amount: number } },
}).createMachine({
  context: { heard: [] },
  on: { deposited: { actions: assign({ heard: ({ context, event }) => [...context.heard, event.amount] }) } },
});

export const auditor = defineAgent({ type: 'auditor', version: 1, machine: auditing });
export const accountV1 = defineAgent({ type: 'account', version: 1, machine: first });
export const accountV2 = defineAgent({ type: 'account', version: 2, machine: second, migrate: { 1: listOfSum } });
/** Somebody forgot the migration. */
export const accountV2Unmigrated = defineAgent({ type: 'account', version: 2, machine: second });
/** Brings the old code along, for what a crash has left. */
export const accountV2WithPrevious = defineAgent({
  type: 'account',
  version: 2,
  machine: second,
  migrate: { 1: listOfSum },
  previous: [accountV1],
});
/** Somebody changed the machine and forgot the version. */
export const accountV1Changed = defineAgent({ type: 'account', version: 1, machine: second });
