import { type ActorOptions, defineActor } from '@troupe/core';
import { describe, expect, test } from 'vitest';
import { assign, fromCallback, fromPromise, setup } from 'xstate';
import { z } from 'zod';
import { createEffectLogic, createReplyAction, createTellAction } from '../src/machine/index.ts';
import { code, Folded, JOHN, ok } from './support/folding.ts';

interface TaskEvent {
  type: 'task';
  input: string;
  task: { id: string };
}
type Events = TaskEvent | { type: 'approve'; by?: string } | { type: 'boom' } | { type: 'finish' };

const reply = createReplyAction as unknown as (kind: 'reply' | 'fail', value: unknown) => never;

const base = setup({
  types: { context: {} as { seen: string[] }, events: {} as Events },
  actors: { work: fromPromise(async () => 'done') },
});

/** Answers at once with everything it has seen. */
const notes = base.createMachine({
  context: { seen: [] },
  on: {
    task: {
      actions: [
        assign({
          seen: ({ context, event }) => {
            if (event.input === 'throw') throw new Error('assign failed');
            return [...context.seen, event.input];
          },
        }),
        reply('reply', ({ context }: { context: { seen: string[] } }) => context.seen.join(',')),
      ],
    },
  },
});

/** Works outside, then answers. */
const worker = base.createMachine({
  context: { seen: [] },
  initial: 'idle',
  states: {
    idle: { on: { task: 'working' } },
    working: {
      invoke: {
        src: 'work',
        input: ({ event }) => event,
        onDone: {
          target: 'idle',
          actions: reply('reply', ({ event }: { event: { output: unknown } }) => event.output),
        },
      },
    },
  },
});

function define(machine: unknown, options: Partial<ActorOptions> = {}): Folded {
  return new Folded(defineActor({ type: 'agent', version: 1, machine: machine as never, ...options }));
}

describe('tasks', () => {
  test('a task that replies ends its turn in the same step', () => {
    const agent = define(notes);
    agent.task('one');
    agent.task('two');
    expect(agent.replies.map((one) => one.outcome)).toEqual([ok('one'), ok('one,two')]);
    expect(agent.state.turn).toBeUndefined();
    expect(agent.state.count).toBe(2);
  });

  test('an assign that throws changes nothing, is a dead letter, and the next task works', () => {
    const agent = define(notes);
    agent.task('one');
    agent.task('throw');
    expect(code(agent.lastOutcome)).toBe('StepFailed');
    expect(agent.deadCodes()).toEqual(['StepFailed']);
    agent.task('two');
    expect(agent.lastOutcome).toEqual(ok('one,two'));
  });

  test('an entry that was applied is not applied again', () => {
    const agent = define(notes);
    agent.task('one');
    const definition = defineActor({ type: 'agent', version: 1, machine: notes as never });
    expect(definition.hash).toBe(agent.state.hash);
    expect(agent.state.seq).toBe(1);
  });

  test('an event the machine never accepts is refused, naming what it accepts', () => {
    const agent = define(notes);
    agent.task({ type: 'dance' });
    expect(agent.lastOutcome).toMatchObject({
      ok: false,
      error: { code: 'UnknownEvent', details: { accepts: ['task'] } },
    });
    expect(agent.deadCodes()).toEqual(['UnknownEvent']);
  });

  test.each(['xstate.done.actor.work', 'troupe.deadline', 'xstate.stop'])(
    'the reserved event %s is refused',
    (type) => {
      const agent = define(worker);
      agent.task('go');
      agent.task({ type });
      expect(code(agent.lastOutcome)).toBe('ReservedEvent');
      expect(agent.view.value).toBe('working');
    },
  );

  test('an input that breaks the schema is refused with its path', () => {
    const agent = define(notes, { task: { input: z.object({ text: z.string() }) } });
    agent.task({ text: 7 });
    expect(agent.lastOutcome).toMatchObject({
      ok: false,
      error: { code: 'InvalidPayload', details: { issues: [{ path: 'text' }] } },
    });
  });

  test('a reply that breaks its contract is an error for the caller', () => {
    const agent = define(notes, { task: { output: z.number() } });
    agent.task('one');
    expect(code(agent.lastOutcome)).toBe('InvalidPayload');
  });

  test('a step that would make the state too large fails, and the state stays', () => {
    const agent = define(notes, { stateBytesMax: 2_000 });
    agent.task('one');
    agent.task('x'.repeat(3_000));
    expect(code(agent.lastOutcome)).toBe('StateTooLarge');
    agent.task('two');
    expect(agent.lastOutcome).toEqual(ok('one,two'));
  });

  test('what can not be stored is refused at the step that made it, with its path', () => {
    const broken = base.createMachine({
      context: { seen: [] },
      on: { task: { actions: [assign({ seen: () => [(() => 1) as unknown as string] }), reply('reply', 'never')] } },
    });
    const agent = define(broken);
    agent.task('one');
    expect(agent.lastOutcome).toMatchObject({
      ok: false,
      error: { code: 'NotStorable', message: expect.stringContaining('seen[0]') },
    });
  });

  test('an outcome that no message could carry becomes OutcomeTooLarge', () => {
    const large = base.createMachine({
      context: { seen: [] },
      on: { task: { actions: reply('reply', () => 'x'.repeat(2_000_000)) } },
    });
    const agent = define(large);
    agent.task('one');
    expect(code(agent.lastOutcome)).toBe('OutcomeTooLarge');
  });
});

describe('task ids', () => {
  test('the same id again gets the same outcome again, and no second effect', () => {
    const agent = define(notes);
    agent.task('one', { taskId: 'a' });
    agent.task('one', { taskId: 'a', replyTo: '_INBOX.b' }, 3_600_000);
    expect(agent.replies.map((one) => [one.replyTo, one.outcome, one.repeat])).toEqual([
      [['_INBOX.a'], ok('one'), false],
      [['_INBOX.b'], ok('one'), true],
    ]);
    expect(agent.view.context).toEqual({ seen: ['one'] });
  });

  test('the same id with another payload is a conflict', () => {
    const agent = define(notes);
    agent.task('one', { taskId: 'a' });
    agent.task('two', { taskId: 'a' });
    expect(code(agent.lastOutcome)).toBe('TaskIdConflict');
    agent.task('one', { taskId: 'a' });
    expect(agent.lastOutcome).toEqual(ok('one'));
  });

  test('a repeat of a task whose turn is open is answered with the others', () => {
    const agent = define(worker);
    agent.task('go', { taskId: 'a' });
    agent.task('go', { taskId: 'a', replyTo: '_INBOX.b' });
    agent.settle(ok('worked'));
    expect(agent.replies).toHaveLength(1);
    expect(agent.replies[0]!.replyTo).toEqual(['_INBOX.a', '_INBOX.b']);
  });

  test('an id is remembered through a restart, and for 24 hours', () => {
    const agent = define(notes);
    agent.task('one', { taskId: 'a' });
    agent.restart();
    agent.task('one', { taskId: 'a' }, 86_000_000);
    expect(agent.view.context).toEqual({ seen: ['one'] });
    agent.task('one', { taskId: 'a' }, 86_400_001);
    expect(agent.view.context).toEqual({ seen: ['one', 'one'] });
  });

  test('a retry that comes after the memory has ended is refused, never applied twice', () => {
    const agent = define(notes);
    const createdAt = agent.at;
    agent.task('one', { taskId: 'a', createdAt });
    agent.task('one', { taskId: 'a', createdAt }, 86_400_001);
    expect(code(agent.lastOutcome)).toBe('TooLate');
    expect(agent.view.context).toEqual({ seen: ['one'] });
  });

  test('an id is forgotten when its client has said that it repeats it no later', () => {
    const agent = define(notes);
    const createdAt = agent.at;
    agent.task('one', { taskId: 'a', createdAt, rememberMs: 60_000 });
    agent.task('one', { taskId: 'a', createdAt, rememberMs: 60_000 }, 60_000);
    expect(agent.view.context).toEqual({ seen: ['one'] });
    agent.task('one', { taskId: 'a', createdAt, rememberMs: 60_000 }, 1);
    expect(code(agent.lastOutcome)).toBe('TooLate');
    agent.task('two', { taskId: 'b', createdAt: agent.at, rememberMs: 60_000 });
    expect(agent.state.tasks.size).toBe(1);
  });

  test("an id is remembered as long as it may be repeated, also when the client's clock runs ahead", () => {
    const agent = define(notes);
    const createdAt = agent.at + 2_000;
    agent.task('one', { taskId: 'a', createdAt, rememberMs: 60_000 });
    agent.task('one', { taskId: 'a', createdAt, rememberMs: 60_000 }, 61_000);
    expect(agent.view.context).toEqual({ seen: ['one'] });
    agent.task('one', { taskId: 'a', createdAt, rememberMs: 60_000 }, 1_001);
    expect(code(agent.lastOutcome)).toBe('TooLate');
    expect(agent.view.context).toEqual({ seen: ['one'] });
  });

  test('a task that was made more than an hour ahead is refused, and its repeats with it', () => {
    const agent = define(notes);
    const createdAt = agent.at + 3_600_001;
    agent.task('one', { taskId: 'a', createdAt, rememberMs: 60_000 });
    expect(code(agent.lastOutcome)).toBe('InvalidHeader');
    agent.task('one', { taskId: 'a', createdAt, rememberMs: 60_000 }, 2_000);
    expect(code(agent.lastOutcome)).toBe('InvalidHeader');
    expect(agent.state.machine).toBeUndefined();
  });

  test('refusals are remembered like outcomes', () => {
    const agent = define(worker, { mailbox: { depthMax: 1 } });
    agent.task('go');
    agent.task('waits');
    agent.task('full', { taskId: 'a' });
    expect(code(agent.lastOutcome)).toBe('MailboxFull');
    agent.settle(ok('worked'));
    agent.settle(ok('worked'));
    agent.task('full', { taskId: 'a' });
    expect(code(agent.lastOutcome)).toBe('MailboxFull');
    expect(agent.state.turn).toBeUndefined();
  });
});

describe('turns', () => {
  test('one is open at a time; the next waits its turn in order of arrival', () => {
    const agent = define(worker);
    agent.task('one');
    agent.task('two');
    agent.task('three');
    expect(agent.state.stash.map((one) => one.taskId)).toEqual(['2', '3']);
    agent.settle(ok('a'));
    agent.settle(ok('b'));
    agent.settle(ok('c'));
    expect(agent.replies.map((one) => [one.taskId, one.outcome])).toEqual([
      ['1', ok('a')],
      ['2', ok('b')],
      ['3', ok('c')],
    ]);
  });

  test('a rejected invoke that nobody handles fails the turn, and the next task works', () => {
    const agent = define(worker);
    agent.task('one');
    agent.settle({ ok: false, error: { code: 'EffectFailed', message: 'no', retryable: false } });
    expect(code(agent.lastOutcome)).toBe('UnhandledError');
    expect(agent.view.value).toBe('idle');
    agent.task('two');
    agent.settle(ok('b'));
    expect(agent.lastOutcome).toEqual(ok('b'));
  });

  test('a late outcome of a turn that has ended never answers the next caller', () => {
    const agent = define(worker, { task: { deadlineMs: 1_000 } });
    agent.task('one');
    const late = [...agent.state.effects.values()][0]!;
    agent.task('two', {}, 2_000);
    expect(code(agent.replies[0]?.outcome)).toBe('DeadlineExceeded');
    agent.entry({ kind: 'outcome', effectId: `agent/john@${late.id}`, result: ok('late') });
    expect(agent.replies).toHaveLength(1);
    agent.settle(ok('fresh'));
    expect(agent.replies.map((one) => one.taskId)).toEqual(['1', '2']);
    expect(agent.lastOutcome).toEqual(ok('fresh'));
  });

  test('the first outcome of an effect counts, the rest is ignored', () => {
    const agent = define(worker);
    agent.task('one');
    const effect = [...agent.state.effects.values()][0]!;
    agent.settle(ok('first'));
    agent.entry({ kind: 'outcome', effectId: `agent/john@${effect.id}`, result: ok('second') });
    expect(agent.replies.map((one) => one.outcome)).toEqual([ok('first')]);
  });

  test('a task that waits past its deadline is told so, and never started', () => {
    const agent = define(worker);
    agent.task('one', { deadline: { afterMs: 10_000 } });
    agent.task('two', { deadline: { afterMs: 1_000 } });
    agent.tick(1_500);
    expect(agent.replies.map((one) => [one.taskId, code(one.outcome)])).toEqual([['2', 'DeadlineExceeded']]);
  });

  test('a deadline in the past is refused', () => {
    const agent = define(notes);
    agent.task('one', { deadline: { atMs: agent.at - 1 } });
    expect(code(agent.lastOutcome)).toBe('DeadlineExceeded');
  });

  test('a reply-mode turn with nothing open ends with null', () => {
    const silent = base.createMachine({
      context: { seen: [] },
      on: { task: [{ guard: ({ event }) => event.input === 'speak', actions: reply('reply', 'hi') }, {}] },
    });
    const agent = define(silent);
    agent.task('hush');
    expect(agent.lastOutcome).toEqual(ok(null));
    expect(agent.effects.some((effect) => effect.kind === 'log' && effect.level === 'warn')).toBe(true);
  });

  test('a state tagged waiting keeps its turn open for a signal', () => {
    const approval = base.createMachine({
      context: { seen: [] },
      initial: 'idle',
      states: {
        idle: { on: { task: 'asking' } },
        asking: {
          tags: 'waiting',
          on: {
            approve: { target: 'idle', actions: reply('reply', ({ event }: { event: { by: string } }) => event.by) },
          },
        },
      },
    });
    const agent = define(approval);
    agent.task('may I?');
    agent.restart();
    agent.signal({ type: 'approve', by: 'ann' }, 30_000);
    expect(agent.lastOutcome).toEqual(ok('ann'));
  });

  test('a machine without replies settles: its turn ends when all it opened has ended', () => {
    const order = base.createMachine({
      context: { seen: [] },
      initial: 'new',
      states: { new: { on: { task: 'charging' } }, charging: { invoke: { src: 'work', onDone: 'paid' } }, paid: {} },
    });
    const agent = define(order);
    agent.task('go');
    expect(agent.replies).toEqual([]);
    agent.settle(ok('charged'));
    expect(agent.lastOutcome).toEqual(ok({ value: 'paid' }));
  });

  test('a final state ends the turn with its output; later tasks get ActorDone', () => {
    const once = base.createMachine({
      context: { seen: [] },
      initial: 'open',
      output: { total: 3 },
      states: { open: { on: { task: 'closed' } }, closed: { type: 'final' } },
    });
    const agent = define(once);
    agent.task('go');
    expect(agent.lastOutcome).toEqual(ok({ total: 3 }));
    agent.task('again');
    expect(agent.lastOutcome).toMatchObject({
      ok: false,
      error: { code: 'ActorDone', details: { output: { total: 3 } } },
    });
    const again = define(once, { onDone: 'restart' });
    again.task('go');
    again.task('again');
    expect(again.lastOutcome).toEqual(ok({ total: 3 }));
  });

  test('a signal is applied while a turn is open, and dropped with a reason when it can not be', () => {
    const agent = define(
      base.createMachine({
        context: { seen: [] },
        initial: 'idle',
        states: {
          idle: { on: { task: 'working' } },
          working: {
            invoke: {
              src: 'work',
              onDone: {
                target: 'idle',
                actions: reply('reply', ({ context }: { context: { seen: string[] } }) => context.seen),
              },
            },
            on: { approve: { actions: assign({ seen: ['approved'] }) } },
          },
        },
      }),
    );
    agent.signal({ type: 'approve' });
    expect(agent.deadCodes()).toEqual(['EventDropped']);
    agent.task('go');
    agent.signal({ type: 'approve' });
    agent.settle(ok(1));
    expect(agent.lastOutcome).toEqual(ok(['approved']));
  });
});

describe('timers', () => {
  const timed = base.createMachine({
    context: { seen: [] },
    initial: 'waiting',
    states: {
      waiting: {
        after: { 2000: { target: 'late', actions: assign({ seen: ['timer'] }) } },
        on: { task: { actions: [assign({ seen: ({ context }) => [...context.seen, 'task'] }), reply('reply', 'ok')] } },
      },
      late: {
        on: { task: { actions: [assign({ seen: ({ context }) => [...context.seen, 'task'] }), reply('reply', 'ok')] } },
      },
    },
  });

  test('a timer fires before a task that was journaled after it was due, however late anybody was', () => {
    const agent = define(timed);
    agent.task('start');
    agent.task('much later', {}, 3_600_000);
    expect(agent.view.context).toEqual({ seen: ['timer', 'task'] });
  });

  test('a timer fires once, after a restart too', () => {
    const agent = define(timed);
    agent.task('start');
    agent.restart();
    agent.tick(1_999);
    expect(agent.view.value).toBe('waiting');
    agent.tick(1);
    agent.tick(0);
    expect(agent.view.value).toBe('late');
    expect(agent.view.context).toEqual({ seen: ['timer'] });
  });

  test('an operator can cancel one', () => {
    const agent = define(timed);
    agent.task('start');
    const [timer] = [...agent.state.timers.values()];
    agent.entry({ kind: 'cancel-timer', timerId: timer!.id, by: 'me' });
    agent.tick(10_000);
    expect(agent.view.value).toBe('waiting');
  });
});

describe('expiry', () => {
  test('an idle actor ends after its time, and the next task begins a new life; ids stay remembered', () => {
    const agent = define(notes, { expireAfterMs: 60_000 });
    agent.task('one', { taskId: 'a' });
    agent.restart();
    expect(agent.state.nextDueAt).toBe(agent.at + 60_000);
    agent.task('two', {}, 59_999);
    expect(agent.lastOutcome).toEqual(ok('one,two'));
    agent.tick(60_000);
    expect(agent.state.machine).toBeUndefined();
    agent.task('one', { taskId: 'a' });
    expect(agent.lastOutcome).toEqual(ok('one'));
    agent.task('three');
    expect(agent.lastOutcome).toEqual(ok('three'));
  });

  test('an actor does not end while a turn is open', () => {
    const agent = define(worker, { expireAfterMs: 1_000, task: { deadlineMs: 600_000 } });
    agent.task('go');
    agent.tick(30_000);
    agent.settle(ok('done'));
    expect(agent.lastOutcome).toEqual(ok('done'));
  });
});

describe('other actors', () => {
  const asker = setup({
    types: { context: {} as { heard: unknown }, events: {} as Events },
    actors: { expert: createEffectLogic('ask', { type: 'expert' }) },
  }).createMachine({
    context: { heard: undefined },
    initial: 'idle',
    states: {
      idle: { on: { task: 'asking' } },
      asking: {
        invoke: {
          src: 'expert',
          input: ({ event }) => ({ key: 'x', payload: (event as TaskEvent).input }) as never,
          onDone: {
            target: 'idle',
            actions: reply('reply', ({ event }: { event: { output: unknown } }) => event.output),
          },
          onError: {
            target: 'idle',
            actions: reply('fail', ({ event }: { event: { error: unknown } }) => event.error),
          },
        },
      },
    },
  });

  test('an ask is an effect whose outcome is an entry', () => {
    const agent = define(asker);
    const [ask] = agent.task('why?');
    expect(ask).toMatchObject({ kind: 'ask', to: { type: 'expert', key: 'x' }, payload: 'why?', chain: [JOHN] });
    agent.restart();
    agent.settle(ok('because'));
    expect(agent.lastOutcome).toEqual(ok('because'));
  });

  test('an ask that is not answered times out', () => {
    const agent = define(asker);
    agent.task('why?');
    agent.tick(30_000);
    expect(code(agent.lastOutcome)).toBe('AskTimeout');
  });

  test('an ask of somebody who waits for it is refused with the cycle', () => {
    const agent = define(asker);
    agent.entry({
      kind: 'ask',
      effectId: 'expert/x@1.0',
      from: { type: 'expert', key: 'x' },
      causedAt: agent.at,
      payload: 'you?',
      deadlineAt: agent.at + 5_000,
      chain: [{ type: 'expert', key: 'x' }],
    });
    const answer = agent.effects.find((effect) => effect.kind === 'answer');
    expect(answer).toMatchObject({
      to: { type: 'expert', key: 'x' },
      outcome: {
        ok: false,
        error: { code: 'DeadlockError', details: { cycle: ['expert/x', 'agent/john', 'expert/x'] } },
      },
    });
  });

  test('messages of one sender are applied once and in order; repeats are dropped', () => {
    const agent = define(
      base.createMachine({
        context: { seen: [] },
        on: { approve: { actions: assign({ seen: ({ context, event }) => [...context.seen, event.by ?? ''] }) } },
      }),
    );
    const from = { type: 'boss', key: 'b' };
    const send = (effectId: string, by: string): void => {
      agent.entry({ kind: 'message', effectId, from, causedAt: agent.at, event: { type: 'approve', by } as never });
    };
    send('boss/b@1.0', 'a');
    send('boss/b@1.1', 'b');
    send('boss/b@1.0', 'a');
    send('boss/b@2.0', 'c');
    send('other/b@9.0', 'forged');
    expect(agent.view.context).toEqual({ seen: ['a', 'b', 'c'] });
  });

  test('tell sends an event to another actor', () => {
    const teller = base.createMachine({
      context: { seen: [] },
      on: {
        task: {
          actions: [
            createTellAction({ type: 'log', key: 'l' } as never, { type: 'noted' } as never) as never,
            reply('reply', 'told'),
          ],
        },
      },
    });
    const agent = define(teller);
    agent.task('go');
    expect(agent.effects.find((effect) => effect.kind === 'send')).toMatchObject({
      to: { type: 'log', key: 'l' },
      event: { type: 'noted' },
    });
  });
});

describe('effects', () => {
  test('a claim belongs to whoever was first', () => {
    const agent = define(worker, { effects: { work: { retry: 'never' } } });
    agent.task('go');
    const [effect] = [...agent.state.effects.values()];
    expect(effect!.once).toBe(true);
    agent.entry({ kind: 'claim', effectId: `agent/john@${effect!.id}`, epoch: 3, worker: 'a' });
    agent.entry({ kind: 'claim', effectId: `agent/john@${effect!.id}`, epoch: 4, worker: 'b' });
    expect([...agent.state.effects.values()][0]!.claim).toEqual({ epoch: 3, worker: 'a' });
  });

  test('a streaming effect takes what lies above the last item; a lower run is stale', () => {
    const listener = setup({
      types: { context: {} as { seen: string[] }, events: {} as Events },
      actors: { feed: fromCallback(() => {}) },
    }).createMachine({
      context: { seen: [] },
      invoke: { src: 'feed', id: 'feed' },
      on: {
        approve: { actions: assign({ seen: ({ context, event }) => [...context.seen, event.by ?? ''] }) },
        task: { actions: reply('reply', 'ok') },
      },
    });
    const agent = define(listener);
    agent.task('start');
    const id = `agent/john@${[...agent.state.effects.values()][0]!.id}`;
    const item = (run: number, n: number, by: string): void => {
      agent.entry({
        kind: 'stream',
        effectId: id,
        run,
        n,
        item: { kind: 'event', event: { type: 'approve', by } as never },
      });
    };
    item(1, 1, 'a');
    item(1, 1, 'a');
    item(2, 1, 'b');
    item(1, 2, 'stale');
    expect(agent.view.context).toEqual({ seen: ['a', 'b'] });
  });
});

describe('state as a whole', () => {
  test('a reset starts afresh and tells who waited; ids stay remembered', () => {
    const agent = define(worker);
    agent.task('one', { taskId: 'a' });
    agent.settle(ok('x'));
    agent.task('two');
    agent.entry({ kind: 'reset', by: 'me' });
    expect(code(agent.lastOutcome)).toBe('Cancelled');
    agent.task('one', { taskId: 'a' });
    expect(agent.lastOutcome).toEqual(ok('x'));
    expect(agent.state.effects.size).toBe(0);
  });

  test('a dead letter is redriven once', () => {
    const agent = define(notes);
    const entry = {
      kind: 'task',
      payload: 'again',
      payloadHash: 0,
      raw: false,
      contentType: 'application/json',
    } as const;
    agent.entry({ kind: 'redrive', deadSeq: 7, entry });
    agent.entry({ kind: 'redrive', deadSeq: 7, entry });
    expect(agent.view.context).toEqual({ seen: ['again'] });
  });

  test('machines that read clock and randomness in assigns fold to the same state every time', () => {
    const impure = base.createMachine({
      context: { seen: [] },
      on: {
        task: {
          actions: [
            assign({
              seen: ({ context }) => [
                ...context.seen,
                String(Date.now()),
                new Date().toISOString(),
                String(Math.random()),
                crypto.randomUUID(),
              ],
            }),
            reply('reply', 'ok'),
          ],
        },
      },
    });
    const a = define(impure);
    const b = define(impure);
    for (const agent of [a, b]) {
      agent.task('one', {}, 10);
      agent.task('two', {}, 10);
    }
    expect(a.view.context).toEqual(b.view.context);
    expect((a.view.context as { seen: string[] }).seen[0]).toBe(String(a.at - 10));
  });
});

describe('versions', () => {
  const v1 = defineActor({ type: 'agent', version: 1, machine: notes as never });
  const v2machine = base.createMachine({
    context: { seen: [] },
    initial: 'on',
    states: {
      on: {
        on: {
          task: {
            actions: [
              assign({ seen: ({ event }) => [event.input] }),
              reply('reply', ({ context }: { context: unknown }) => context),
            ],
          },
        },
      },
    },
  });

  test('a version entry migrates; entries before it were folded by the old code', () => {
    const v2 = defineActor({
      type: 'agent',
      version: 2,
      machine: v2machine as never,
      previous: [v1],
      migrate: { 1: (state) => ({ ...state, value: 'on', context: { ...state.context, seen: ['migrated'] } }) },
    });
    const agent = new Folded(v2);
    agent.state = { ...agent.state, version: 1, hash: v1.hash };
    agent.task('old');
    expect(agent.lastOutcome).toEqual(ok('old'));
    agent.entry({ kind: 'version', version: 2, hash: v2.hash });
    expect(agent.state.version).toBe(2);
    expect(agent.view.context).toEqual({ seen: ['migrated'] });
  });

  test('without the code of its version an actor can not be folded, and says so', () => {
    const v2 = defineActor({ type: 'agent', version: 2, machine: v2machine as never });
    const agent = new Folded(v2);
    agent.state = { ...agent.state, version: 1, hash: v1.hash };
    expect(() => agent.task('x')).toThrow(/needs version 1/);
  });
});

describe('guards and children', () => {
  test('a guard that reads the clock sees the time of the step it is asked in', () => {
    const opens = 1_800_000_000_000 + 60_000;
    const gate = base.createMachine({
      context: { seen: [] },
      initial: 'shut',
      states: {
        shut: { on: { task: { guard: () => Date.now() >= opens, target: 'open', actions: reply('reply', 'open') } } },
        open: {},
      },
    });
    const agent = define(gate, { task: { policy: 'reject' } });
    agent.task('early');
    expect(code(agent.lastOutcome)).toBe('EventRejected');
    agent.task('late', {}, 60_000);
    expect(agent.lastOutcome).toEqual(ok('open'));
  });
});
