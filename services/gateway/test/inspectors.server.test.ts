/** The inspectors of others, each with its own receiver, on a real gateway. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createWebSocketReceiver } from '@statelyai/inspect';
import { defineAgent, reply, type TaskEvent } from '@troupe/agent';
import type { Gateway } from '@troupe/service-gateway';
import { makeStately, makeXStateInspect } from '@troupe/service-gateway/internal';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { Stage } from './support/stage.ts';

const PATIENCE_MS = 20_000;
const RECEIVER = fileURLToPath(new URL('../../../packages/inspect/test/xstate4-receiver.mjs', import.meta.url));

const order = defineAgent({
  type: 'order',
  version: 1,
  machine: setup({
    types: { context: {} as { n: number }, events: {} as TaskEvent<number> | { type: 'back' } },
    actors: { work: fromPromise<number, number>(async ({ input }) => input * 2) },
    guards: { fine: () => true },
  }).createMachine({
    id: 'order',
    context: { n: 0 },
    initial: 'idle',
    states: {
      idle: { on: { task: { guard: 'fine', target: 'working' } } },
      working: {
        invoke: {
          id: 'job',
          src: 'work',
          input: ({ event }) => (event.type === 'task' ? event.input : 0),
          onDone: {
            target: 'idle',
            actions: [assign({ n: ({ event }) => event.output }), reply(({ context }) => context.n)],
          },
        },
        on: { back: 'idle' },
      },
    },
  }),
});

/** Waits until it holds. */
async function until<T>(find: () => T | undefined, what: string): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`${what} was not seen within ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('inspectors of others', () => {
  let stage: Stage;
  let gateway: Gateway;

  beforeAll(async () => {
    stage = await Stage.start([order]);
  });
  afterAll(() => stage.close());
  beforeEach(async () => {
    gateway = await stage.gateway({ mounts: [makeStately, makeXStateInspect] });
  });
  afterEach(() => gateway.close());

  /**
   * Asks again and again until somebody sees it: a watch takes a moment to reach the worker, and where that is between the
   * two steps of a turn, the first that is seen of an actor is an outcome, and its task never.
   */
  async function askUntil<T>(key: string, find: () => T | undefined, what: string): Promise<T> {
    const end = Date.now() + PATIENCE_MS;
    for (let n = 1; find() === undefined && Date.now() < end; n++) {
      expect(await stage.troupe.actor('order', key).ask(n)).toBe(n * 2);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    return until(find, what);
  }

  test("Stately's receiver reads actors with their machine, events and snapshots", async () => {
    const seen: { type: string; sessionId: string; [field: string]: unknown }[] = [];
    const receiver = createWebSocketReceiver({ server: `${gateway.url.replace('http', 'ws')}/v1/stately?type=order` });
    const subscription = receiver.subscribe((event) => seen.push(event as never));
    const of = (type: string, sessionId: string) =>
      seen.find((one) => one.type === type && one.sessionId === sessionId);
    const actor = await askUntil('s1', () => of('@xstate.actor', 'order/s1'), 'the actor');
    expect(actor).toMatchObject({ name: 'order', rootId: 'order/s1' });
    const definition = JSON.parse(actor.definition as string) as { states: Record<string, unknown> };
    expect(Object.keys(definition.states)).toEqual(['idle', 'working']);
    const isTask = (one: object) => 'event' in one && (one.event as { type: string }).type === 'task';
    await askUntil('s1', () => seen.find((one) => one.type === '@xstate.event' && isTask(one)), 'the event of a task');
    const done = await until(
      () =>
        seen.find((one) => one.type === '@xstate.snapshot' && (one.snapshot as { value?: unknown }).value === 'idle'),
      'a snapshot',
    );
    expect(done).toMatchObject({ sessionId: 'order/s1', snapshot: { status: 'active', context: expect.any(Object) } });
    expect(done).not.toHaveProperty('troupe');
    // A child whose start was before the watch is introduced by what is known of it; one of a later turn by its start.
    const started = () =>
      seen.find((one) => one.type === '@xstate.actor' && one.sessionId === 'order/s1#job' && one.name === 'work');
    expect(await askUntil('s1', started, 'the child')).toMatchObject({ parentId: 'order/s1' });
    subscription.unsubscribe();
  });

  test("XState's old receiver reads services: machine, state, events, stop", async () => {
    const server = `127.0.0.1:${gateway.port}/v1/xstate-inspect?actor=order/x1`;
    const child: ChildProcess = spawn(process.execPath, [RECEIVER, server], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const seen: { type: string; sessionId: string; [field: string]: unknown }[] = [];
      let text = '';
      child.stdout!.setEncoding('utf8').on('data', (more: string) => {
        const lines = (text + more).split('\n');
        text = lines.pop()!;
        for (const line of lines) seen.push(JSON.parse(line) as never);
      });
      const of = (type: string) => seen.find((one) => one.type === type && one.sessionId === 'order/x1');
      const registered = await askUntil('x1', () => of('service.register'), 'the service');
      expect(registered).toMatchObject({
        id: 'order/x1',
        machine: { id: 'order', states: ['idle', 'working'], initial: 'idle' },
      });
      const taskOf = ({ type, event }: { type: string; event?: unknown }): boolean =>
        type === 'service.event' && (event as { data?: { type?: string } }).data?.type === 'task';
      const event = await askUntil('x1', () => seen.find(taskOf), 'the event of a task');
      expect(event).toMatchObject({ sessionId: 'order/x1', event: { $$type: 'scxml' } });
      const state = await until(
        () =>
          seen.find(({ type, state }) => type === 'service.state' && (state as { value: unknown }).value === 'idle'),
        'a state',
      );
      expect(state.state).toMatchObject({ value: 'idle', context: { n: expect.any(Number) } });
      expect(seen.filter(({ sessionId }) => !sessionId.startsWith('order/x1'))).toEqual([]);
      expect(await until(() => seen.find(({ type }) => type === 'service.stop'), 'the end of a child')).toMatchObject({
        sessionId: 'order/x1#job',
      });
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  });
});
