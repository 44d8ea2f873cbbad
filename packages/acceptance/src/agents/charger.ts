/** Calls something outside: once more after a crash, or never twice. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineAgent, effectId, fail, reply, type TaskEvent } from '@troupe/agent';
import { fromPromise, setup } from 'xstate';
import { note } from './notes.ts';

/** Notes its idempotency key at the start, and ends once there is a note `go-<order>`. */
const charge = fromPromise<string, string>(async ({ input, signal }) => {
  note(`charged-${input}`, effectId());
  while (!existsSync(join(process.env.TROUPE_NOTES_DIR!, `go-${input}`))) await sleep(20, undefined, { signal });
  return `charged under ${effectId()}`;
});

const machine = setup({
  types: { events: {} as TaskEvent<string> },
  actors: { charge },
}).createMachine({
  initial: 'idle',
  states: {
    idle: { on: { task: 'charging' } },
    charging: {
      invoke: {
        src: 'charge',
        input: ({ event }) => (event as TaskEvent<string>).input,
        onDone: { target: 'idle', actions: reply(({ event }) => event.output) },
        onError: { target: 'idle', actions: fail(({ event }) => event.error as Error) },
      },
    },
  },
});

export const charger = defineAgent({ type: 'charger', version: 1, machine });

export const onceCharger = defineAgent({
  type: 'once-charger',
  version: 1,
  machine,
  effects: { charge: { retry: 'never' } },
});
