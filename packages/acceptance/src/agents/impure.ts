/** Reads the clock and randomness in its assigns, as everyday machines do, and spawns children without names. */
import { defineAgent, reply, type TaskEvent } from '@troupe/agent';
import { assign, enqueueActions, fromPromise, sendTo, setup, spawnChild } from 'xstate';
import { note } from './notes.ts';

interface Draw {
  readonly clock: number;
  readonly date: Date;
  readonly text: string;
  readonly random: number;
  readonly id: string;
}

const child = setup({
  types: { context: {} as { pokes: number[] } },
}).createMachine({
  context: () => ({ pokes: [Math.random()] }),
  on: { poke: { actions: assign({ pokes: ({ context }) => [...context.pokes, Math.random()] }) } },
});

const machine = setup({
  types: {
    context: {} as { draws: Draw[]; children: string[] },
    events: {} as TaskEvent<'draw' | 'spawn' | 'poke' | 'reject'>,
  },
  actors: {
    child,
    rejects: fromPromise(async () => {
      note('rejects', 'called');
      throw new Error('no such luck');
    }),
  },
  guards: {
    draws: ({ event }) => event.input === 'draw',
    spawns: ({ event }) => event.input === 'spawn',
    pokes: ({ event }) => event.input === 'poke',
  },
}).createMachine({
  context: { draws: [], children: [] },
  initial: 'idle',
  states: {
    idle: {
      on: {
        task: [
          {
            guard: 'draws',
            actions: [
              assign({
                draws: ({ context }) => [
                  ...context.draws,
                  {
                    clock: Date.now(),
                    date: new Date(),
                    text: new Date().toISOString(),
                    random: Math.random(),
                    id: crypto.randomUUID(),
                  },
                ],
              }),
              reply(({ context }) => context.draws.at(-1)),
            ],
          },
          {
            guard: 'spawns',
            actions: [
              assign({ children: ({ context, spawn }) => [...context.children, spawn('child').id] }),
              spawnChild('child'),
              reply(({ context }) => context.children),
            ],
          },
          {
            guard: 'pokes',
            actions: [
              enqueueActions(({ context, enqueue }) => {
                for (const id of context.children) enqueue(sendTo(id, { type: 'poke' }));
              }),
              reply(({ context }) => context.children),
            ],
          },
          { target: 'rejecting' },
        ],
      },
    },
    rejecting: { invoke: { src: 'rejects', onDone: 'idle' } },
  },
});

export const impure = defineAgent({ type: 'impure', version: 1, machine, snapshot: { everyEntries: 5 } });
