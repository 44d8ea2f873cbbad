// The receiver of @xstate/inspect itself, with the XState 4 that it needs, in a process of its own: what it has read and
// understood goes to stdout, one line of JSON each.
import { createWebSocketReceiver } from '@xstate/inspect';

const receiver = createWebSocketReceiver({ server: process.argv[2], serialize: undefined });
receiver.subscribe((event) => {
  const { machine, state } = event;
  const seen = {
    ...event,
    ...(machine && { machine: { id: machine.id, states: Object.keys(machine.states), initial: machine.initial } }),
    ...(state && { state: { value: state.value, context: state.context, done: state.done } }),
  };
  process.stdout.write(`${JSON.stringify(seen)}\n`);
});
