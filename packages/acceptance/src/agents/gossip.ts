/** Actors that ask and tell each other. */
import { ask, defineAgent, reply, type TaskEvent, tell } from '@troupe/agent';
import { assign, setup } from 'xstate';

/** What one actor says to another: whose it is, and its number there. */
export interface Said {
  readonly from: string;
  readonly n: number;
}

interface Errand {
  readonly expert: string;
  readonly n: number;
}

/** Takes its errand to an expert and answers with what it was told. */
const asking = setup({
  types: {
    context: {} as { key: string; answers: unknown[]; n: number; expert: string },
    input: {} as { key: string },
    events: {} as TaskEvent<Errand>,
  },
  actors: { expert: ask('expert') },
}).createMachine({
  context: ({ input }) => ({ key: input.key, answers: [], n: 0, expert: '' }),
  initial: 'idle',
  states: {
    idle: {
      on: {
        task: {
          target: 'asking',
          actions: assign({ n: ({ event }) => event.input.n, expert: ({ event }) => event.input.expert }),
        },
      },
    },
    asking: {
      invoke: {
        src: 'expert',
        input: ({ context }) => ({
          key: context.expert,
          payload: { from: context.key, n: context.n } satisfies Said,
          timeoutMs: 120_000,
        }),
        onDone: {
          target: 'idle',
          actions: [
            assign({ answers: ({ context, event }) => [...context.answers, event.output] }),
            reply(({ event }) => event.output),
          ],
        },
      },
    },
  },
});

/** Keeps whom it was asked by; the answer is how often by this one. */
const expert = setup({
  types: { context: {} as { heard: Said[] }, events: {} as TaskEvent<Said> },
}).createMachine({
  context: { heard: [] },
  on: {
    task: {
      actions: [
        assign({ heard: ({ context, event }) => [...context.heard, event.input] }),
        reply(({ context, event }) => context.heard.filter(({ from }) => from === event.input.from).length),
      ],
    },
  },
});

/** Tells a listener three things per task. */
const telling = setup({
  types: { context: {} as { key: string; n: number }, input: {} as { key: string }, events: {} as TaskEvent<string> },
}).createMachine({
  context: ({ input }) => ({ key: input.key, n: 0 }),
  on: {
    task: {
      actions: [
        tell(
          'listener',
          ({ event }) => event.input,
          ({ context: { key, n } }) => ({ type: 'said', from: key, n }),
        ),
        tell(
          'listener',
          ({ event }) => event.input,
          ({ context: { key, n } }) => ({ type: 'said', from: key, n: n + 1 }),
        ),
        tell(
          'listener',
          ({ event }) => event.input,
          ({ context: { key, n } }) => ({ type: 'said', from: key, n: n + 2 }),
        ),
        assign({ n: ({ context }) => context.n + 3 }),
        reply(({ context }) => context.n),
      ],
    },
  },
});

const listening = setup({
  types: { context: {} as { heard: Said[] }, events: {} as { type: 'said' } & Said },
}).createMachine({
  context: { heard: [] },
  on: {
    said: { actions: assign({ heard: ({ context, event: { from, n } }) => [...context.heard, { from, n }] }) },
  },
});

export const gossips = [
  defineAgent({ type: 'asker', version: 1, machine: asking }),
  defineAgent({ type: 'expert', version: 1, machine: expert }),
  defineAgent({ type: 'teller', version: 1, machine: telling }),
  defineAgent({ type: 'listener', version: 1, machine: listening }),
];
