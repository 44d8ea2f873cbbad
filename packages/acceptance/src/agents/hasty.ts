/** Answers before its work is done, so that the work's outcome comes when the turn has ended. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineAgent, reply, type TaskEvent } from '@troupe/agent';
import { assign, fromPromise, setup } from 'xstate';
import { note } from './notes.ts';

/** Ends once there is a note of that name; goes on waiting otherwise. */
const waitForNote = fromPromise<string, string>(async ({ input, signal }) => {
  note(`started-${input}`, String(process.pid));
  while (!existsSync(join(process.env.TROUPE_NOTES_DIR!, `go-${input}`))) await sleep(20, undefined, { signal });
  return input;
});

const machine = setup({
  types: {
    context: {} as { key: string; done: string[] },
    input: {} as { key: string },
    events: {} as TaskEvent<string> | { type: 'hurry' },
  },
  actors: { slow: waitForNote, second: waitForNote },
}).createMachine({
  context: ({ input }) => ({ key: input.key, done: [] }),
  type: 'parallel',
  states: {
    first: {
      initial: 'idle',
      states: {
        idle: { on: { task: { guard: ({ event }) => event.input === 'first', target: 'working' } } },
        working: {
          invoke: {
            src: 'slow',
            input: ({ context }) => `${context.key}-first`,
            onDone: {
              target: 'idle',
              actions: [
                assign({ done: ({ context }) => [...context.done, 'first'] }),
                reply('the late answer of the first'),
              ],
            },
          },
          on: { hurry: { actions: reply('early') } },
        },
      },
    },
    second: {
      initial: 'idle',
      states: {
        idle: { on: { task: { guard: ({ event }) => event.input === 'second', target: 'working' } } },
        working: {
          invoke: {
            src: 'second',
            input: ({ context }) => `${context.key}-second`,
            onDone: {
              target: 'idle',
              actions: [
                assign({ done: ({ context }) => [...context.done, 'second'] }),
                reply('the answer of the second'),
              ],
            },
          },
        },
      },
    },
  },
});

export const hasty = defineAgent({ type: 'hasty', version: 1, machine });
