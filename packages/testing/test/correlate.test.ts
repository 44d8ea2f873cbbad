import { ask, defineAgent, reply, type TaskEvent, tell } from '@troupe/agent';
import type { ActorDefinition } from '@troupe/core';
import { forkState, openHistory } from '@troupe/inspect';
import { taskMessage } from '@troupe/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { ObservedWorker } from './support/observed.ts';

const front = defineAgent({
  type: 'front',
  version: 1,
  machine: setup({
    types: { context: {} as { question: string }, events: {} as TaskEvent<string> },
    actors: { expert: ask('expert') },
  }).createMachine({
    context: { question: '' },
    initial: 'idle',
    states: {
      idle: { on: { task: { target: 'asking', actions: assign({ question: ({ event }) => event.input }) } } },
      asking: {
        invoke: {
          src: 'expert',
          input: ({ context }) => ({ key: 'ann', payload: context.question }),
          onDone: {
            target: 'idle',
            actions: reply(({ event }) => (event as unknown as { output: string }).output as never) as never,
          },
          onError: { target: 'idle', actions: reply('no answer') as never },
        },
      },
    },
  }) as never,
}) as unknown as ActorDefinition;

const ann = defineAgent({
  type: 'expert',
  version: 1,
  machine: setup({ types: { context: {} as { n: number }, events: {} as TaskEvent<string> } }).createMachine({
    context: { n: 0 },
    on: {
      task: {
        actions: [
          assign({ n: ({ context }) => context.n + 1 }),
          tell('log', 'all', ({ context }) => ({ type: 'asked', n: context.n })) as never,
          reply(({ event }) => `${event.input}!`),
        ],
      },
    },
  }) as never,
}) as unknown as ActorDefinition;

const log = defineAgent({
  type: 'log',
  version: 1,
  machine: setup({ types: { context: {} as { n: number }, events: {} as { type: 'asked'; n: number } } }).createMachine(
    {
      context: { n: 0 },
      on: { asked: { actions: assign({ n: ({ event }) => event.n }) } },
    },
  ) as never,
}) as unknown as ActorDefinition;

const ACTORS = [front, ann, log];
const JOHN = { type: 'front', key: 'john' };

describe('across actors', () => {
  let troupe: ObservedWorker;
  beforeEach(async () => {
    troupe = await ObservedWorker.start(ACTORS);
  });
  afterEach(() => troupe.close());

  test('everything that one task led to is found, from any entry of it, and nothing else', async () => {
    await troupe.send('task', { type: 'expert', key: 'ann' }, 'noise');
    const seq = await troupe.send('task', JOHN, 'why');
    await troupe.send('task', { type: 'front', key: 'other' }, 'noise');
    const history = openHistory({ ports: troupe.historyPorts, actors: ACTORS });
    const diagram = await troupe.run(history.correlate({ actor: 'front/john', seq }));
    expect(diagram.messages.map(({ from, to, kind }) => [from, to, kind])).toEqual(
      [
        ['client', 'front/john', 'task'],
        ['front/john', 'expert/ann', 'ask'],
        ['expert/ann', 'log/all', 'message'],
        ['expert/ann', 'front/john', 'outcome'],
        ['front/john', 'client', 'reply'],
      ].sort((a, b) => order(diagram, a) - order(diagram, b)),
    );
    expect(diagram).toMatchObject({ truncated: false });
    expect(new Set(diagram.lanes)).toEqual(new Set(['client', 'front/john', 'expert/ann', 'log/all']));
    const message = diagram.messages.find(({ kind }) => kind === 'message')!;
    expect(await troupe.run(history.correlate({ actor: 'log/all', seq: message.seq }))).toEqual(diagram);
  });

  function order(diagram: { messages: readonly { from: string; to: string; kind: string }[] }, one: string[]): number {
    return diagram.messages.findIndex(({ from, to, kind }) => from === one[0] && to === one[1] && kind === one[2]);
  }

  test("a client's own trace id is the correlation, through every hop", async () => {
    const { payload, headers } = taskMessage('why');
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { seq } = await troupe.run(troupe.ports.journal.publish('task', JOHN, payload, { ...headers, traceparent }));
    await troupe.pump.settle();
    const history = openHistory({ ports: troupe.historyPorts, actors: ACTORS });
    const { correlation, messages } = await troupe.run(history.correlate({ actor: 'front/john', seq }));
    expect(correlation).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(messages).toHaveLength(5);
  });

  test('a fork in the middle of an ask answers nobody, and its ask ends by its timeout', async () => {
    const { payload, headers } = taskMessage('why', { replyTo: '_INBOX.caller.1' } as never);
    const sent: unknown[] = [];
    troupe.ports.bus.subscribe('_INBOX.caller.*', {}, (message) => sent.push(message));
    const task = { ...headers, 'Troupe-Reply-To': '_INBOX.caller.1' };
    const { seq } = await troupe.run(troupe.ports.journal.publish('task', JOHN, payload, task));
    await troupe.pump.settle();
    expect(sent).toHaveLength(1);
    const state = await troupe.run(
      openHistory({ ports: troupe.historyPorts, actors: ACTORS }).of(JOHN).actorState(seq),
    );
    const target = { type: 'front', key: 'fork' };
    await troupe.pump.advance(3_600_000);
    const fork = forkState(front, state!, target, troupe.clock.now());
    expect(fork).toMatchObject({ effects: [], asks: [{ src: 'expert' }] });
    await troupe.run(troupe.ports.journal.append(target, { kind: 'import', by: 'test', state: fork.state }));
    await troupe.pump.settle();
    expect(await troupe.query(target)).toMatchObject({ value: 'asking', turn: { seq } });
    await troupe.pump.advance(29_000);
    expect(await troupe.query(target)).toMatchObject({ value: 'asking' });
    await troupe.pump.advance(3_000);
    expect(await troupe.query(target)).toMatchObject({ value: 'idle', turn: undefined });
    expect(sent).toHaveLength(1);
  });
});
