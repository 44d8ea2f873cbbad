/** What the tests of the gateway talk to. */
import { defineAgent, fail, reply, type TaskEvent } from '@troupe/agent';
import { assign, emit, setup } from 'xstate';

/** Adds up; emits; refuses; grows. */
export const counter = defineAgent({
  type: 'counter',
  version: 1,
  machine: setup({
    types: {
      context: {} as { n: number; blob?: string },
      events: {} as
        | TaskEvent<number>
        | { type: 'add'; by: number }
        | { type: 'grow'; bytes: number }
        | { type: 'nope' },
      emitted: {} as { type: 'added'; by: number },
    },
    guards: { isNumber: ({ event }) => event.type === 'task' && typeof event.input === 'number' },
  }).createMachine({
    context: { n: 0 },
    initial: 'counting',
    states: {
      counting: {
        after: { 3600000: 'counting' },
        on: {
          task: [
            {
              guard: 'isNumber',
              actions: [
                assign({ n: ({ context, event }) => context.n + event.input }),
                reply(({ context }) => context.n),
              ],
            },
            { actions: fail({ code: 'NotANumber', message: 'That is no number.' }) },
          ],
          add: {
            actions: [
              assign({ n: ({ context, event }) => context.n + event.by }),
              emit(({ event }) => ({ type: 'added' as const, by: event.by })),
            ],
          },
          grow: { actions: [assign({ blob: ({ event }) => 'x'.repeat(event.bytes) }), reply('grown')] },
        },
      },
    },
  }),
});
