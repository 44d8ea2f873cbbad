/** Waits: two seconds, and a day. */
import { defineAgent, reply, type TaskEvent } from '@troupe/agent';
import { assign, setup } from 'xstate';

const DAY_MS = 86_400_000;

const machine = setup({
  types: {
    context: {} as { fired: number; asked: string[] },
    events: {} as TaskEvent<string> | { type: 'wait' } | { type: 'waitLong' } | { type: 'leave' },
  },
}).createMachine({
  context: { fired: 0, asked: [] },
  initial: 'idle',
  on: {
    task: {
      actions: [
        assign({ asked: ({ context, event }) => [...context.asked, event.input] }),
        reply(({ context, self }) => `${context.fired} at ${JSON.stringify(self.getSnapshot().value)}`),
      ],
    },
    wait: { target: '.waiting', actions: reply('waiting') },
    waitLong: { target: '.waitingLong', actions: reply('waiting long') },
  },
  states: {
    idle: {},
    waiting: { after: { 2000: { target: 'late', actions: assign({ fired: ({ context }) => context.fired + 1 }) } } },
    waitingLong: {
      after: { [DAY_MS]: { target: 'late', actions: assign({ fired: ({ context }) => context.fired + 1 }) } },
      on: { leave: { target: 'idle', actions: reply('left') } },
    },
    late: { on: { task: { actions: reply(({ context }) => `late, fired ${context.fired}`) } } },
  },
});

export const clocked = defineAgent({ type: 'clocked', version: 1, machine });
