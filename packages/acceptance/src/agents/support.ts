/** Remembers who it talks to: the example of the front page. */
import { defineAgent, reply, type TaskEvent } from '@troupe/agent';
import { assign, setup } from 'xstate';

const machine = setup({
  types: { context: {} as { name?: string }, events: {} as TaskEvent<string> },
  guards: {
    introduces: ({ event }) => /my name is/i.test(event.input),
    asksName: ({ event }) => /what is my name/i.test(event.input),
  },
}).createMachine({
  context: {},
  initial: 'listening',
  states: {
    listening: {
      on: {
        task: [
          {
            guard: 'introduces',
            actions: [
              assign({ name: ({ event }) => event.input.split(/my name is/i)[1]!.trim() }),
              reply(({ context }) => `Hello ${context.name}.`),
            ],
          },
          { guard: 'asksName', actions: reply(({ context }) => context.name ?? "You haven't told me.") },
          { actions: reply('I remember names.') },
        ],
      },
    },
  },
});

export const support = defineAgent({ type: 'support', version: 1, machine });
