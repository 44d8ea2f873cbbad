/** Small agents for input that is not what it should be. */
import { defineAgent, fail, reply } from '@troupe/agent';
import { assign, setup } from 'xstate';
import { z } from 'zod';

interface Task {
  readonly type: 'task';
  readonly input: unknown;
  readonly task: { readonly id: string };
}

/** Answers with what it was given, and what it was called. */
export const echo = defineAgent({
  type: 'echo',
  version: 1,
  machine: setup({
    types: {
      context: {} as { key: string; count: number; approvals: number },
      input: {} as { key: string },
      events: {} as Task | { type: 'approve' },
    },
  }).createMachine({
    context: ({ input }) => ({ key: input.key, count: 0, approvals: 0 }),
    on: {
      task: {
        actions: [
          assign({ count: ({ context }) => context.count + 1 }),
          reply(({ context, event }) => ({ key: context.key, input: event.input, count: context.count })),
        ],
      },
      approve: { actions: assign({ approvals: ({ context }) => context.approvals + 1 }) },
    },
  }),
});

/** Answers with the input alone, for payloads in kind. */
export const mirror = defineAgent({
  type: 'mirror',
  version: 1,
  machine: setup({ types: { events: {} as Task } }).createMachine({
    on: { task: { actions: reply(({ event }) => event.input) } },
  }),
});

/** Knows what it wants, and does what it is told. */
export const strict = defineAgent({
  type: 'strict',
  version: 1,
  task: {
    input: z.strictObject({ n: z.number(), do: z.enum(['answer', 'throw', 'fail']).default('answer') }),
    output: z.number(),
  },
  events: { approve: z.object({ by: z.string() }) },
  machine: setup({
    types: {
      context: {} as { by: string[] },
      events: {} as (Task & { input: { n: number; do: string } }) | { type: 'approve'; by: string },
    },
  }).createMachine({
    context: { by: [] },
    on: {
      approve: { actions: assign({ by: ({ context, event }) => [...context.by, event.by] }) },
      task: [
        {
          guard: ({ event }) => event.input.do === 'throw',
          actions: assign(() => {
            throw new TypeError('as it was told');
          }),
        },
        { guard: ({ event }) => event.input.do === 'fail', actions: fail({ code: 'Told', message: 'as it was told' }) },
        { actions: reply(({ event }) => event.input.n) },
      ],
    },
  }),
});
