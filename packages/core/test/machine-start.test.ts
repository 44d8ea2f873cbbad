/** Running children outside the step. */
import { describe, expect, test } from 'vitest';
import { type AnyActorRef, fromCallback, fromEventObservable, fromObservable, fromPromise, setup } from 'xstate';
import { createEffectLogic, type MachineEvent, UnknownChild } from '../src/machine/index.ts';
import { type Driven, drive } from './support/driving.ts';

interface Observer {
  next(value: unknown): void;
  error(error: unknown): void;
  complete(): void;
}

/** Starts the child at `path`, and notes what it does. */
function start(actor: Driven, path: string, input?: unknown) {
  const events: unknown[] = [];
  const running = actor.driver.start({
    src: actor.driver.logicOf(actor.state, path)?.src ?? '',
    childPath: path,
    state: actor.state,
    input,
    effectId: 'test/one@1.0',
    onOutput: (output) => events.push(['output', output]),
    onError: (error) => events.push(['error', error]),
    onEvent: (event) => events.push(['event', event]),
    onNext: (value) => events.push(['next', value]),
    onEmit: (event) => events.push(['emit', event]),
  });
  return { running, events };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a promise', () => {
  const seen: { id: string; aborted: boolean; parent: unknown }[] = [];
  const machine = setup({
    actors: {
      job: fromPromise(
        async ({
          input,
          self,
          signal,
          emit,
        }: {
          input: { fail?: boolean; wait?: boolean };
          self: AnyActorRef;
          signal: AbortSignal;
          emit: (event: MachineEvent) => void;
        }) => {
          const entry = { id: self.id, aborted: false, parent: self._parent?.id };
          seen.push(entry);
          signal.addEventListener('abort', () => {
            entry.aborted = true;
          });
          emit({ type: 'progress', n: 1 });
          if (input.wait) await new Promise(() => {});
          if (input.fail) throw new Error('failed');
          return 42;
        },
      ),
    },
  }).createMachine({ invoke: { src: 'job', id: 'j', input: {} } });

  test('gets its input and ends with its output', async () => {
    const { events } = start(drive(machine), 'j', {});
    await settled();
    expect(events).toEqual([
      ['emit', { type: 'progress', n: 1 }],
      ['output', 42],
    ]);
    expect(seen.at(-1)).toEqual({ id: 'j#test/one@1.0', aborted: false, parent: '' });
  });

  test('ends with its error', async () => {
    const { events } = start(drive(machine).reload(), 'j', { fail: true });
    await settled();
    expect(events.at(-1)).toEqual(['error', new Error('failed')]);
  });

  test('is aborted by stop, after which nothing is heard of it', async () => {
    const { running, events } = start(drive(machine), 'j', { wait: true });
    running.stop();
    running.stop();
    await settled();
    expect(seen.at(-1)!.aborted).toBe(true);
    expect(events).toEqual([['emit', { type: 'progress', n: 1 }]]);
  });

  test('that is not there cannot be started', () => {
    expect(() => start(drive(machine), 'nobody')).toThrow(UnknownChild);
  });
});

test('a callback receives, sends back, and is disposed', async () => {
  let disposed = 0;
  const machine = setup({
    actors: {
      echo: fromCallback<MachineEvent, { hello: string }>(({ sendBack, receive, input }) => {
        sendBack({ type: 'started', ...input });
        receive((event) => sendBack({ type: `echo-${event.type}` }));
        return () => {
          disposed++;
        };
      }),
    },
  }).createMachine({ invoke: { src: 'echo', id: 'e', input: { hello: 'you' } } });
  const { running, events } = start(drive(machine), 'e', { hello: 'you' });
  running.send({ type: 'one' });
  running.stop();
  running.send({ type: 'two' });
  expect(events).toEqual([
    ['event', { type: 'started', hello: 'you' }],
    ['event', { type: 'echo-one' }],
  ]);
  expect(disposed).toBe(1);
});

test('a callback that throws at once ends with its error', () => {
  const machine = setup({
    actors: {
      bad: fromCallback(() => {
        throw new Error('no');
      }),
    },
  }).createMachine({ invoke: { src: 'bad', id: 'b' } });
  expect(start(drive(machine), 'b').events).toEqual([['error', new Error('no')]]);
});

test('an observable gives its values, an event observable its events', () => {
  let observer!: Observer;
  let closed = 0;
  const source = {
    subscribe: (given: Observer) => {
      observer = given;
      return {
        unsubscribe: () => {
          closed++;
        },
      };
    },
  } as never;
  const machine = setup({
    actors: { values: fromObservable(() => source), events: fromEventObservable(() => source) },
  }).createMachine({
    invoke: [
      { src: 'values', id: 'v' },
      { src: 'events', id: 'e' },
    ],
  });
  const values = start(drive(machine), 'v');
  observer.next(1);
  observer.next(undefined);
  observer.complete();
  expect(values.events).toEqual([
    ['next', 1],
    ['next', undefined],
    ['output', undefined],
  ]);
  const failing = start(drive(machine), 'v');
  observer.error('broken');
  expect(failing.events).toEqual([['error', 'broken']]);
  const events = start(drive(machine), 'e');
  observer.next({ type: 'tick' });
  events.running.stop();
  expect(events.events).toEqual([['event', { type: 'tick' }]]);
  expect(closed).toBe(1);
});

test('a child of a child is found by its path', async () => {
  const child = setup({ actors: { job: fromPromise(async () => 'deep') } }).createMachine({
    invoke: { src: 'job', id: 'j' },
  });
  const machine = setup({ actors: { child } }).createMachine({ invoke: { src: 'child', id: 'c' } });
  const { events } = start(drive(machine).reload(), 'c/j');
  await settled();
  expect(events).toEqual([['output', 'deep']]);
});

test('a reference in the input can be sent to, when it is the parent', async () => {
  const machine = setup({
    actors: {
      job: fromPromise(async ({ input }: { input: { parent: AnyActorRef } }) => input.parent.send({ type: 'hi' })),
    },
  }).createMachine({ invoke: { src: 'job', id: 'j', input: ({ self }) => ({ parent: self as AnyActorRef }) } });
  const actor = drive(machine);
  const { input } = actor.of('invoke')[0]!;
  expect(input).toEqual({ parent: { 'troupe.ref': '', session: 'test/one' } });
  const { events } = start(actor, 'j', input);
  await settled();
  expect(events[0]).toEqual(['event', { type: 'hi' }]);
});

test('ask and tool logic says that it needs Troupe', async () => {
  const machine = setup({
    actors: { ask: createEffectLogic<string, { q: string }>('ask', { type: 'expert' }) },
  }).createMachine({
    invoke: { src: 'ask', id: 'a', input: { q: 'why' } },
  });
  const { events } = start(drive(machine), 'a');
  await settled();
  expect(String(events[0])).toMatch(/'ask' logic .*expert.* runs only inside Troupe/);
});
