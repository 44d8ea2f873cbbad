import { defineAgent, type StoredState } from '@troupe/agent';
import { fromPromise, setup } from 'xstate';
import { z } from 'zod';

const machine = setup({
  actors: { charge: fromPromise(async () => 1), search: fromPromise(async () => ['a']) },
}).createMachine({ context: {}, on: { task: {} } });

const supportV2 = defineAgent({ type: 'support', version: 2, machine });

/** Policies beside the machine. */
export const supportV3 = defineAgent({
  type: 'support',
  version: 3,
  machine,
  task: { input: z.object({ text: z.string() }), deadlineMs: 60_000 },
  mailbox: { depthMax: 1_000 },
  effects: {
    charge: { timeoutMs: 10_000, retry: 'never' },
    search: { retry: { attemptsMax: 5, backoff: 'exponential' } },
  },
  snapshot: { everyEntries: 64 },
  history: { keepForMs: 86_400_000 },
  expireAfterMs: 30 * 86_400_000,
  turn: 'reply',
  onDone: 'restart',
  migrate: { 2: (state: StoredState) => ({ ...state, context: { ...state.context, tier: 'free' } }) },
  previous: [supportV2],
});
