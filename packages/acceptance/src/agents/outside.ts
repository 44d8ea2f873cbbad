/** Calls outside that leave a note each: one may be repeated after a crash, the other one never. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineAgent, effectId, fail, reply, type TaskEvent } from '@troupe/agent';
import { fromPromise, setup } from 'xstate';
import { note } from './notes.ts';

/** Long enough for a fault to fall into it. */
const CALL_MS = 300;

const deliver = fromPromise<string, string>(async ({ input, signal }) => {
  note('deliveries', `${input} ${process.pid} ${effectId()}`);
  await sleep(CALL_MS, undefined, { signal });
  return input;
});

const machine = setup({ types: { events: {} as TaskEvent<string> }, actors: { deliver } }).createMachine({
  initial: 'idle',
  states: {
    idle: { on: { task: 'delivering' } },
    delivering: {
      invoke: {
        src: 'deliver',
        input: ({ event }) => (event as TaskEvent<string>).input,
        onDone: { target: 'idle', actions: reply(({ event }) => event.output) },
        onError: { target: 'idle', actions: fail(({ event }) => event.error as Error) },
      },
    },
  },
});

export const courier = defineAgent({ type: 'courier', version: 1, machine });
export const onceCourier = defineAgent({
  type: 'once-courier',
  version: 1,
  machine,
  effects: { deliver: { retry: 'never' } },
});
