/** The everyday machine: states, context, guards, replies, promises and timers. */

import { describe, expect, test } from 'vitest';
import { and, assign, enqueueActions, fromPromise, log, not, raise, setup, stateIn } from 'xstate';
import { createMachineDriver, createReplyAction } from '../src/machine/index.ts';
import { drive, scopeAt } from './support/driving.ts';

const reply = (value: unknown) => createReplyAction('reply', value as never) as never;

const counter = setup({
  types: {
    context: {} as { count: number; messages: string[] },
    events: {} as { type: 'task'; text: string } | { type: 'reset' },
  },
}).createMachine({
  id: 'counter',
  context: { count: 0, messages: [] },
  initial: 'on',
  states: {
    on: {
      on: {
        task: {
          actions: [
            assign({
              count: ({ context }) => context.count + 1,
              messages: ({ context, event }) => [...context.messages, event.text],
            }),
            createReplyAction('reply', ({ context }) => `you said ${context.messages.length} things`),
          ],
        },
        reset: { target: 'off' },
      },
    },
    off: {},
  },
});

describe('a plain machine', () => {
  test('starts in its initial state and takes events', () => {
    const actor = drive(counter);
    expect(actor.view).toMatchObject({ value: 'on', status: 'active', context: { count: 0 } });
    actor.send({ type: 'task', text: 'hello' });
    expect(actor.view.context).toEqual({ count: 1, messages: ['hello'] });
    expect(actor.actions).toEqual([{ kind: 'reply', output: 'you said 1 things' }]);
  });

  test('says whether the state value changed', () => {
    const actor = drive(counter);
    expect(actor.send({ type: 'task', text: 'a' }).changed).toBe(false);
    expect(actor.send('reset').changed).toBe(true);
  });

  test('leaves the state it was given as it was', () => {
    const actor = drive(counter);
    const before = actor.state;
    const one = actor.driver.transition(before, '', { type: 'task', text: 'x' }, scopeAt(2));
    const two = actor.driver.transition(before, '', { type: 'task', text: 'x' }, scopeAt(2));
    expect(actor.driver.view(before).context).toEqual({ count: 0, messages: [] });
    expect(actor.driver.persist(one.state)).toEqual(actor.driver.persist(two.state));
  });

  test('comes back from bytes as it was', () => {
    const actor = drive(counter).send({ type: 'task', text: 'a' });
    const { view } = actor;
    expect(actor.reload().view).toEqual(view);
    expect(actor.send({ type: 'task', text: 'b' }).context.messages).toEqual(['a', 'b']);
  });
});

describe('a promise', () => {
  const machine = setup({ actors: { load: fromPromise<string, { id: number }>(async () => 'x') } }).createMachine({
    id: 'loader',
    context: { data: '' },
    initial: 'idle',
    states: {
      idle: { on: { load: 'loading' } },
      loading: {
        invoke: {
          src: 'load',
          id: 'job',
          input: { id: 7 },
          onDone: { target: 'ready', actions: assign({ data: ({ event }) => event.output }) },
          onError: { target: 'failed', actions: assign({ data: ({ event }) => (event.error as Error).message }) },
        },
        after: { 1000: 'late' },
        on: { cancel: 'idle' },
      },
      ready: {},
      failed: {},
      late: {},
    },
  });

  test('becomes an invoke action with its name and input', () => {
    const actor = drive(machine).send('load');
    expect(actor.actions).toEqual([
      {
        kind: 'timer-set',
        path: '',
        timerKey: 'xstate.after.1000.loader.loading',
        delayMs: 1000,
        targetPath: '',
        event: { type: 'xstate.after.1000.loader.loading' },
      },
      { kind: 'invoke', childPath: 'job', invoke: 'promise', src: 'load', input: { id: 7 } },
    ]);
    expect(actor.driver.hasChild(actor.state, 'job')).toBe(true);
  });

  test('ends with its output, and takes its timer with it', () => {
    const actor = drive(machine).send('load').reload().resolve('job', 'data');
    expect(actor.view).toMatchObject({ value: 'ready', context: { data: 'data' } });
    expect(actor.actions).toEqual([{ kind: 'timer-cancel', path: '', timerKey: 'xstate.after.1000.loader.loading' }]);
    expect(actor.driver.hasChild(actor.state, 'job')).toBe(false);
  });

  test('ends with its error', () => {
    const actor = drive(machine).send('load').reload().reject('job', new Error('no'));
    expect(actor.view).toMatchObject({ value: 'failed', context: { data: 'no' } });
  });

  test('is stopped when its state is left', () => {
    const actor = drive(machine).send('load').send('cancel');
    expect(actor.of('stop')).toEqual([{ kind: 'stop', path: 'job' }]);
  });

  test('gives way to a timer that fires first', () => {
    const actor = drive(machine).send('load').fire();
    expect(actor.view.value).toBe('late');
    expect(actor.of('stop')).toEqual([{ kind: 'stop', path: 'job' }]);
  });
});

void [and, enqueueActions, log, not, raise, stateIn, createMachineDriver, reply];
