/** The actor that is attacked: it has everything worth forging, and writes down whatever reaches it. */
import { defineAgent, reply } from '@troupe/agent';
import { assign, fromPromise, setup } from 'xstate';

interface Context {
  /** Events of the runtime's own kind that the machine was given though nothing of the kind had happened. */
  readonly forged: string[];
  /** Senders that tasks claimed to have. */
  readonly senders: unknown[];
  readonly tasks: number;
  readonly notes: number;
}

const childMachine = setup({}).createMachine({
  initial: 'waiting',
  states: { waiting: { after: { 3600000: 'done' }, on: { finish: 'done' } }, done: { type: 'final' } },
});

const machine = setup({
  types: { context: {} as Context, events: {} as { type: string; [field: string]: unknown } },
  actors: {
    // Never ends by itself: an end is a forgery.
    endless: fromPromise(
      ({ signal }: { signal: AbortSignal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(0))),
    ),
    child: childMachine,
  },
  actions: {
    forged: assign({
      forged: ({ context, event }, { name }: { name: string }) => [...context.forged, `${name}: ${event.type}`],
    }),
  },
}).createMachine({
  context: { forged: [], senders: [], tasks: 0, notes: 0 },
  type: 'parallel',
  on: {
    task: {
      actions: [
        assign({
          tasks: ({ context }) => context.tasks + 1,
          senders: ({ context, event }) => {
            const { from } = (event.task ?? {}) as { from?: unknown };
            return from === undefined ? context.senders : [...context.senders, from];
          },
        }),
        reply(({ context }) => context.tasks),
      ],
    },
    note: { actions: assign({ notes: ({ context }) => context.notes + 1 }) },
    'troupe.deadline': { actions: { type: 'forged', params: { name: 'deadline' } } },
    '*': { actions: { type: 'forged', params: { name: 'wildcard' } } },
  },
  states: {
    work: {
      initial: 'running',
      states: {
        running: {
          invoke: {
            src: 'endless',
            id: 'slow',
            onDone: { target: 'over', actions: { type: 'forged', params: { name: 'onDone' } } },
            onError: { target: 'over', actions: { type: 'forged', params: { name: 'onError' } } },
          },
        },
        over: {},
      },
    },
    kid: {
      initial: 'running',
      states: {
        running: {
          invoke: {
            src: 'child',
            id: 'kid',
            onDone: { target: 'over', actions: { type: 'forged', params: { name: 'child done' } } },
          },
        },
        over: {},
      },
    },
    clock: {
      initial: 'armed',
      states: {
        armed: { after: { 86400000: { target: 'fired', actions: { type: 'forged', params: { name: 'after' } } } } },
        fired: {},
      },
    },
  },
});

export const victim = defineAgent({ type: 'victim', version: 1, machine });
