import { ask, contract, defineAgent, effectId, fail, type TaskEvent, tell } from '@troupe/agent';
import { assign, fromPromise, setup } from 'xstate';
import { z } from 'zod';
import { support } from './support.contract.ts';

export const expert = contract({
  type: 'expert',
  task: { input: z.object({ question: z.string() }), output: z.object({ answer: z.string() }) },
});

/** Other actors, from inside a machine. */
export const machine = setup({
  types: { context: {} as { topic: string; answer: string }, events: {} as TaskEvent<string> },
  actors: {
    expert: ask(expert),
    anybody: ask('anybody'),
    charge: fromPromise(async () => ({ idempotencyKey: effectId() })),
  },
}).createMachine({
  context: { topic: 'rain', answer: '' },
  initial: 'idle',
  states: {
    idle: { on: { task: 'asking' } },
    asking: {
      invoke: {
        src: 'expert',
        input: ({ context, event }) => ({ key: context.topic, payload: { question: event.input } }),
        onDone: {
          target: 'idle',
          actions: [
            assign({ answer: ({ event }) => event.output.answer }),
            tell(support, ({ context }) => context.topic, { type: 'approve', by: 'expert' }),
            tell('audit', 'log', ({ context }) => ({ type: 'answered', answer: context.answer })),
            support.reply(({ context }) => context.answer),
          ],
        },
        onError: { target: 'idle', actions: fail({ code: 'NoExpert', message: 'Nobody knows.' }) },
      },
    },
  },
});

export const asker = defineAgent({ contract: support, version: 1, machine });
