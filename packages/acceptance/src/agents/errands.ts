/** What shows that a hand-over loses and doubles nothing: one counts its tasks, the others call outside for a while. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineAgent, effectId, fail, reply, type TaskEvent } from '@troupe/agent';
import { assign, fromPromise, setup } from 'xstate';
import { note } from './notes.ts';

const counting = setup({
  types: { context: {} as { count: number }, events: {} as TaskEvent<number> },
}).createMachine({
  context: { count: 0 },
  on: {
    task: {
      actions: [assign({ count: ({ context }) => context.count + 1 }), reply(({ context }) => context.count)],
    },
  },
});

export const tally = defineAgent({ type: 'tally', version: 1, machine: counting });

const CALL_MS = 400;

/** Notes when it begins, and takes its time. */
const call = fromPromise<string, string>(async ({ input, signal }) => {
  note('calls', `${input} ${process.pid} ${effectId()}`);
  await sleep(CALL_MS, undefined, { signal });
  return input;
});

const calling = setup({
  types: { events: {} as TaskEvent<string> },
  actors: { call },
}).createMachine({
  initial: 'idle',
  states: {
    idle: { on: { task: 'calling' } },
    calling: {
      invoke: {
        src: 'call',
        input: ({ event }) => (event as TaskEvent<string>).input,
        onDone: { target: 'idle', actions: reply(({ event }) => event.output) },
        onError: { target: 'idle', actions: fail(({ event }) => event.error as Error) },
      },
    },
  },
});

export const errand = defineAgent({ type: 'errand', version: 1, machine: calling });
export const onceErrand = defineAgent({
  type: 'once-errand',
  version: 1,
  machine: calling,
  effects: { call: { retry: 'never' } },
});
