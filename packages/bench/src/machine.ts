/** The benchmark's actor: a counter and the last 20 messages, as a machine with one state. */
import { defineAgent, reply } from '@troupe/agent';
import { assign, setup } from 'xstate';

export const TYPE = 'counter';
const MESSAGES_KEPT = 20;

interface Context {
  readonly count: number;
  readonly messages: readonly string[];
}

export const machine = setup({
  types: { context: {} as Context, events: {} as { readonly type: 'task'; readonly input: string } },
}).createMachine({
  id: TYPE,
  context: { count: 0, messages: [] },
  initial: 'counting',
  states: {
    counting: {
      on: {
        task: {
          actions: [
            assign({
              count: ({ context }) => context.count + 1,
              messages: ({ context, event }) => [...context.messages.slice(1 - MESSAGES_KEPT), event.input],
            }),
            reply(({ context }) => context.count),
          ],
        },
      },
    },
  },
});

/** The same machine under another name, for a journal of its own. */
export function counterOf(type: string) {
  return defineAgent({ type, version: 1, machine });
}
