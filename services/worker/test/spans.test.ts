/** Spans of what is hard to follow: sends, tasks that wait, dead letters given again, turns that change hands. */
import { defineAgent, reply, type TaskEvent, tell } from '@troupe/agent';
import { createSampler, type Span } from '@troupe/diagnostics';
import { startWorker, type Worker } from '@troupe/runtime';
import { MemoryBroker, VirtualClock } from '@troupe/runtime/internal';
import { deadLetterInput, encodePayload, HEADERS } from '@troupe/wire';
import { expect, test } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { traceInstrument } from '../src/trace-service.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

/** Ends the thought that was begun last. */
let finish: (value: string) => void = () => undefined;

const clerk = defineAgent({
  type: 'clerk',
  version: 1,
  signalPolicy: 'defer',
  machine: setup({
    types: { context: {} as { heard: number }, events: {} as TaskEvent<string> | { type: 'nudge' } },
    actors: {
      think: fromPromise<string>(
        () =>
          new Promise((resolve) => {
            finish = resolve;
          }),
      ),
    },
  }).createMachine({
    context: { heard: 0 },
    initial: 'idle',
    states: {
      idle: {
        on: {
          nudge: { actions: assign({ heard: ({ context }) => context.heard + 1 }) },
          task: [
            { guard: ({ event }) => event.input === 'think', target: 'thinking' },
            { actions: [tell('listener', 'one', { type: 'said' }), reply('told')] },
          ],
        },
      },
      thinking: { invoke: { src: 'think', onDone: { target: 'idle', actions: reply('thought') } } },
    },
  }),
});

/** Breaks on the first task of all, and never again. */
let isBroken = true;
const listener = defineAgent({
  type: 'listener',
  version: 1,
  machine: setup({
    types: { context: {} as { heard: number }, events: {} as TaskEvent<string> | { type: 'said' } },
  }).createMachine({
    context: { heard: 0 },
    on: {
      said: { actions: assign({ heard: ({ context }) => context.heard + 1 }) },
      task: {
        actions: [
          assign({
            heard: ({ context }) => {
              if (isBroken) throw new Error('not yet');
              return context.heard;
            },
          }),
          reply('listened'),
        ],
      },
    },
  }),
});

class Stage {
  readonly clock = new VirtualClock();
  readonly broker = new MemoryBroker({ clock: this.clock, partitions: 1 });
  readonly client = this.broker.connect();
  readonly spans: Span[] = [];

  async worker(id: string): Promise<Worker> {
    const starting = startWorker({ ports: this.broker.connect(), definitions: [clerk, listener], id });
    await this.clock.advance(30_000);
    const worker = await starting;
    const add = (span: Span) => void this.spans.push({ ...span, attributes: { ...span.attributes, by: id } });
    worker.addInstrument(traceInstrument(add, createSampler(), () => this.clock.now()));
    return worker;
  }

  /** In the caller's trace. */
  async publish(verb: 'task' | 'signal', type: string, what: unknown, headers: object = {}): Promise<void> {
    const published = this.client.journal.publish(verb, { type, key: 'a' }, encodePayload(what), {
      traceparent: `00-${TRACE}-${CALLER}-01`,
      ...headers,
    });
    await this.clock.advance(100);
    await published;
  }

  /** The names from a span up to where its parents are unknown, `caller` for the caller's. */
  path(span: Span | undefined): string[] {
    if (span === undefined) return [];
    if (span.parentId === CALLER) return [span.name, 'caller'];
    return [span.name, ...this.path(this.spans.find(({ spanId }) => spanId === span.parentId))];
  }

  named(name: string): Span[] {
    return this.spans.filter((span) => span.name === name);
  }
}

test('what a turn sends goes on in the same trace, below the step that sent it', async () => {
  const stage = new Stage();
  const worker = await stage.worker('w1');
  await stage.publish('task', 'clerk', 'tell');
  await stage.clock.advance(1_000);
  const [received] = stage.named('step said');
  expect(stage.path(received)).toEqual(['step said', 'send said', 'step task', 'turn clerk', 'caller']);
  expect(received?.attributes['troupe.actor.type']).toBe('listener');
  expect(new Set(stage.spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  expect(stage.named('send said')).toMatchObject([{ kind: 'producer', attributes: { 'troupe.to': 'listener/one' } }]);
  worker.kill();
});

test('a task and a signal that wait behind a turn have a span of the time they waited', async () => {
  const stage = new Stage();
  const worker = await stage.worker('w1');
  await stage.publish('task', 'clerk', 'think', { [HEADERS.taskId]: 'first' });
  await stage.publish('task', 'clerk', 'tell', { [HEADERS.taskId]: 'second' });
  expect(stage.named('wait clerk')).toEqual([]);
  await stage.clock.advance(3_000);
  finish('thought');
  await stage.clock.advance(1_000);
  await stage.publish('task', 'clerk', 'think', { [HEADERS.taskId]: 'third' });
  await stage.publish('signal', 'clerk', { type: 'nudge' });
  await stage.clock.advance(2_000);
  finish('thought');
  await stage.clock.advance(1_000);
  const waited = stage.named('wait clerk');
  expect(waited.map(({ attributes }) => attributes['troupe.task'])).toEqual(['second', undefined]);
  const [second, nudge] = waited;
  expect(stage.path(second)).toEqual(['wait clerk', 'turn clerk', 'caller']);
  const waitedMs = second!.endMs - second!.startMs;
  expect(waitedMs).toBeGreaterThanOrEqual(3_000);
  expect(waitedMs).toBeLessThan(4_000);
  // Its turn began when it was let in.
  const turn = stage.spans.find(({ spanId }) => spanId === second!.parentId)!;
  expect(turn.startMs).toBe(second!.endMs);
  expect(stage.path(nudge)).toEqual(['wait clerk', 'step nudge', 'caller']);
  worker.kill();
});

test('a dead letter that is given again goes on in its trace, below whoever sent it first', async () => {
  const stage = new Stage();
  const worker = await stage.worker('w1');
  isBroken = true;
  await stage.publish('task', 'listener', 'go', { [HEADERS.taskId]: 'once' });
  await stage.clock.advance(1_000);
  const failed = stage.named('turn listener');
  expect(failed.map(({ error, traceId }) => [typeof error, traceId])).toEqual([['string', TRACE]]);
  const listing = Array.fromAsync(stage.client.deadLetters.list({}));
  await stage.clock.advance(1_000);
  const letters = await listing;
  expect(letters.length).toBe(1);
  isBroken = false;
  stage.spans.length = 0;
  const [letter] = letters;
  const given = stage.client.journal.append(letter!.address, {
    kind: 'redrive',
    deadSeq: letter!.seq,
    entry: deadLetterInput(letter!),
  });
  await stage.clock.advance(1_000);
  await given;
  const [turn] = stage.named('turn listener');
  expect([turn?.traceId, turn?.parentId, turn?.error]).toEqual([TRACE, CALLER, undefined]);
  expect(stage.spans.map((span) => stage.path(span))).toContainEqual(['step task', 'turn listener', 'caller']);
  expect(new Set(stage.spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  worker.kill();
});

test('a turn that one worker began and another ended is one span, with the effect as the second ran it', async () => {
  const stage = new Stage();
  const first = await stage.worker('w1');
  await stage.publish('task', 'clerk', 'think', { [HEADERS.deadline]: '10m' });
  const beganAt = stage.clock.now();
  await stage.clock.advance(2_000);
  first.kill();
  const second = await stage.worker('w2');
  await stage.clock.advance(60_000);
  finish('thought');
  await stage.clock.advance(1_000);
  const turns = stage.named('turn clerk');
  expect(turns.map(({ attributes }) => attributes.by)).toEqual(['w2']);
  const [turn] = turns;
  expect(turn!.startMs).toBeLessThanOrEqual(beganAt);
  expect(turn!.endMs - turn!.startMs).toBeGreaterThan(90_000);
  const effects = stage.named('effect think').filter(({ error }) => error === undefined);
  expect(effects.map(({ attributes }) => attributes.by)).toEqual(['w2']);
  // Its step was told of by the first, and both agree on the ids.
  expect(stage.path(effects[0])).toEqual(['effect think', 'step task', 'turn clerk', 'caller']);
  expect(stage.spans.find(({ spanId }) => spanId === effects[0]!.parentId)?.attributes.by).toBe('w1');
  second.kill();
});
