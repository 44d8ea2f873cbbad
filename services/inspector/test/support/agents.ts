/** Actors to look at: everything that a chart can show, a chain of asks, planted scripts, and a quick one. */
import { ask, defineAgent, reply, type TaskEvent } from '@troupe/agent';
import { assign, fromPromise, setup } from 'xstate';

const courier = setup({ types: { events: {} as { type: 'never' } } }).createMachine({
  id: 'courier',
  initial: 'riding',
  states: { riding: { after: { 3600000: 'resting' } }, resting: { type: 'final' } },
});

/** Parallel, nested, history, final and invoked parts. */
export const tour = defineAgent({
  type: 'tour',
  version: 1,
  machine: setup({
    types: { context: {} as { steps: number; last: string }, events: {} as { type: string } },
    actors: { charge: fromPromise(async () => 'paid'), courier },
    guards: { isEarly: ({ context }) => context.steps < 1_000 },
    actions: { note: assign({ steps: ({ context }) => context.steps + 1 }) },
  }).createMachine({
    id: 'tour',
    context: { steps: 0, last: '' },
    initial: 'idle',
    on: { RESET: { target: '.idle', actions: 'note' }, PING: { actions: ['note', reply('pong')] } },
    states: {
      idle: {
        tags: 'calm',
        on: {
          START: { guard: 'isEarly', target: 'work', actions: ['note', reply('started')] },
          RESUME: { target: 'work.left.memory', actions: reply('resumed') },
        },
      },
      work: {
        type: 'parallel',
        on: { STOP: { target: 'idle', actions: ['note', reply('stopped')] } },
        onDone: 'over',
        states: {
          left: {
            initial: 'one',
            states: {
              one: { on: { NEXT: { target: 'two', actions: ['note', reply('two')] } } },
              two: {
                initial: 'paying',
                states: {
                  paying: { invoke: { id: 'pay', src: 'charge', onDone: 'paid', onError: 'failed' } },
                  paid: { on: { NEXT: { target: '#tour.work.left.end', actions: [reply('end')] } } },
                  failed: {},
                },
              },
              memory: { type: 'history', history: 'deep', target: 'one' },
              end: { type: 'final' },
            },
          },
          right: {
            initial: 'bringing',
            states: {
              bringing: {
                invoke: { id: 'bring', src: 'courier' },
                on: { BROUGHT: { target: 'there', actions: reply('there') } },
              },
              there: { type: 'final' },
            },
          },
        },
      },
      over: { type: 'final' },
    },
  }),
});

/** Asks an expert, who asks a scribe. */
export const desk = defineAgent({ type: 'desk', version: 1, machine: asking('expert') });
export const expert = defineAgent({ type: 'expert', version: 1, machine: asking('scribe') });
export const scribe = defineAgent({
  type: 'scribe',
  version: 1,
  machine: setup({ types: { context: {} as { heard: number }, events: {} as TaskEvent<string> } }).createMachine({
    context: { heard: 0 },
    on: {
      task: {
        actions: [assign({ heard: ({ context }) => context.heard + 1 }), reply(({ event }) => `noted: ${event.input}`)],
      },
    },
  }),
});

function asking(type: string) {
  return setup({
    types: { context: {} as { question: string }, events: {} as TaskEvent<string> },
    actors: { other: ask(type) },
  }).createMachine({
    context: { question: '' },
    initial: 'idle',
    states: {
      idle: { on: { task: { target: 'asking', actions: assign({ question: ({ event }) => event.input }) } } },
      asking: {
        invoke: {
          src: 'other',
          input: ({ context }) => ({ key: 'a', payload: context.question }),
          onDone: { target: 'idle', actions: reply(({ event }) => event.output) },
        },
      },
    },
  });
}

export const PLANTED = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';

/** Names, states and messages that are markup. */
export const planted = defineAgent({
  type: 'planted',
  version: 1,
  machine: setup({ types: { context: {} as { said: unknown }, events: {} as TaskEvent<unknown> } }).createMachine({
    id: 'planted',
    context: { said: PLANTED },
    initial: PLANTED.replaceAll('.', ''),
    states: {
      [PLANTED.replaceAll('.', '')]: {
        description: PLANTED,
        on: { task: { target: 'next', actions: [assign({ said: ({ event }) => event.input }), reply(PLANTED)] } },
      },
      next: { on: { task: { actions: reply(PLANTED) } } },
    },
  }),
});

/** A ring of states: one transition for each signal. */
export const ring = defineAgent({
  type: 'ring',
  version: 1,
  machine: setup({ types: { context: {} as { n: number }, events: {} as { type: 'go' } } }).createMachine({
    id: 'ring',
    context: { n: 0 },
    initial: 'a',
    states: Object.fromEntries(
      ['a', 'b', 'c', 'd'].map((name, at, all) => [
        name,
        { on: { go: { target: all[(at + 1) % all.length]!, actions: assign({ n: ({ context }) => context.n + 1 }) } } },
      ]),
    ),
  }),
});
