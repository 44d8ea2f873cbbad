/** Actions: what each one becomes, in which order, and what it sees. */
import { describe, expect, test } from 'vitest';
import {
  type AnyActorRef,
  assertEvent,
  assign,
  cancel,
  createActor,
  createMachine,
  emit,
  enqueueActions,
  fromCallback,
  log,
  raise,
  sendParent,
  sendTo,
  setup,
} from 'xstate';
import { createMachineDriver, createReplyAction, createTellAction, type MachineEvent } from '../src/machine/index.ts';
import { drive } from './support/driving.ts';

describe('reply', () => {
  const machine = setup({
    types: {
      context: {} as { n: number },
      events: {} as { type: 'go'; by: number } | { type: 'named' } | { type: 'queued' },
    },
    actions: {
      answer: createReplyAction('reply', ({ context }, params: { prefix: string }) => `${params.prefix}${context.n}`),
    },
  }).createMachine({
    context: { n: 0 },
    on: {
      go: {
        actions: [
          createReplyAction('reply', ({ context }) => context.n),
          assign({ n: ({ context, event }) => context.n + event.by }),
          createReplyAction('reply', ({ context, event, self }) => [context.n, event.by, self.id]),
          createReplyAction('fail', new Error('too late')),
        ],
      },
      named: { actions: { type: 'answer', params: ({ context }) => ({ prefix: `#${context.n}:` }) } },
      queued: {
        actions: enqueueActions(({ enqueue, context }) => {
          enqueue.assign({ n: context.n + 1 });
          enqueue(createReplyAction('reply', ({ context: now }) => now.n));
          enqueue({ type: 'answer', params: { prefix: '!' } });
        }),
      },
    },
  });

  test('is evaluated at its place in the list', () => {
    const actor = drive(machine).send({ type: 'go', by: 2 });
    expect(actor.actions).toEqual([
      { kind: 'reply', output: 0 },
      { kind: 'reply', output: [2, 2, 'test/one'] },
      { kind: 'fail', error: new Error('too late') },
    ]);
  });

  test('works by name with dynamic params, and in enqueueActions', () => {
    const actor = drive(machine);
    expect(actor.send('named').of('reply')).toEqual([{ kind: 'reply', output: '#0:0' }]);
    expect(
      actor
        .send('queued')
        .of('reply')
        .map(({ output }) => output),
    ).toEqual([1, '!1']);
  });

  test('in a live actor does nothing', () => {
    const actor = createActor(machine).start();
    actor.send({ type: 'go', by: 1 });
    expect(actor.getSnapshot().context.n).toBe(1);
  });

  test('fails the step when its expression throws', () => {
    const failing = createMachine({
      context: { n: 0 },
      on: {
        go: {
          actions: [
            assign({ n: 1 }),
            createReplyAction('reply', () => {
              throw new RangeError('no answer');
            }),
          ],
        },
      },
    });
    const actor = drive(failing);
    expect(() => actor.send('go')).toThrow(RangeError);
    expect(actor.context.n).toBe(0);
  });

  test('is found wherever it stands, so that the turn mode is right', () => {
    const at = (config: object) => createMachineDriver(createMachine(config as never) as never).replies;
    const answer = createReplyAction('reply', 1);
    expect(at({ entry: answer })).toBe(true);
    expect(at({ initial: 'a', states: { a: { on: { x: { actions: ['other', answer] } } } } })).toBe(true);
    expect(at({ entry: enqueueActions(({ enqueue }) => enqueue(createReplyAction('reply', 1))) })).toBe(true);
    expect(at({ entry: enqueueActions(({ enqueue }) => enqueue('replyless')) })).toBe(false);
    const support = { reply: () => answer };
    expect(at({ entry: enqueueActions(({ enqueue }) => enqueue(support.reply() as never)) })).toBe(true);
    expect(at({ invoke: { src: createMachine({ entry: answer }) } })).toBe(true);
    expect(at({ entry: 'reply', exit: () => {} })).toBe(false);
    expect(createMachineDriver(machine).replies).toBe(true);
  });
});

describe('tell', () => {
  test('becomes an event for another actor, at once or later', () => {
    const machine = setup({ types: { context: {} as { id: string }, events: {} as { type: 'go' } } }).createMachine({
      context: { id: 'a/b' },
      on: {
        go: {
          actions: [
            createTellAction(({ context }) => ({ type: 'order', key: context.id }), { type: 'paid' }),
            createTellAction({ type: 'x', key: 'y' }, ({ context }) => ({ type: 'later', id: context.id }), {
              delayMs: 50,
            }),
          ],
        },
      },
    });
    expect(drive(machine).send('go').actions).toEqual([
      { kind: 'send-actor', to: { type: 'order', key: 'a/b' }, event: { type: 'paid' } },
      { kind: 'send-actor', to: { type: 'x', key: 'y' }, event: { type: 'later', id: 'a/b' }, delayMs: 50 },
    ]);
  });

  test('names what is wrong with its address', () => {
    const machine = createMachine({
      on: { go: { actions: createTellAction((() => undefined) as never, { type: 'x' }) } },
    });
    expect(() => drive(machine).send('go')).toThrow(/pass \{ type, key \}/);
  });
});

test('what happens outside comes back in the machine’s order, and none of it has run', () => {
  const ran: string[] = [];
  const machine = setup({
    types: { events: {} as { type: 'go' } },
    actions: { named: (_, params: { n: number }) => ran.push(`named ${params.n}`) },
  }).createMachine({
    on: {
      go: {
        actions: [
          function first() {
            ran.push('first');
          },
          emit({ type: 'out' }),
          log('hello'),
          log(({ event }) => event.type, 'label'),
          { type: 'named', params: { n: 7 } },
        ],
      },
    },
  });
  const actor = drive(machine).send('go');
  expect(ran).toEqual([]);
  expect(actor.actions.map(({ kind }) => kind)).toEqual(['action', 'log', 'log', 'action', 'emit']);
  expect(actor.of('log')).toEqual([
    { kind: 'log', path: '', value: 'hello' },
    { kind: 'log', path: '', label: 'label', value: 'go' },
  ]);
  for (const { run } of actor.of('action')) run({ send: () => {}, emit: () => {} });
  expect(ran).toEqual(['first', 'named 7']);
  expect(actor.of('action').map(({ type }) => type)).toEqual(['first', 'named']);
});

test('a named action without an implementation does nothing', () => {
  expect(drive(createMachine({ entry: 'missing' })).actions).toEqual([]);
});

describe('a custom action, run later', () => {
  const machine = setup({
    types: { context: {} as { worker?: AnyActorRef; seen: unknown } },
    actors: { worker: fromCallback(() => {}) },
  }).createMachine({
    id: 'root',
    context: ({ spawn }) => ({ worker: spawn('worker', { id: 'w', systemId: 'the-worker' }), seen: undefined }),
    initial: 'a',
    states: {
      a: { on: { go: { target: 'b', actions: ({ self, context, system }) => reach(self, context.worker!, system) } } },
      b: {},
    },
  });
  let reach = (
    _self: AnyActorRef,
    _worker: AnyActorRef,
    _system: { get(id: string): AnyActorRef | undefined },
  ): unknown => undefined;

  test('sees the state after its step, and sends into the journal', () => {
    const sent: [string, MachineEvent][] = [];
    const actor = drive(machine).reload().send('go');
    let value: unknown;
    reach = (self, worker, system) => {
      value = self.getSnapshot().value;
      self.send({ type: 'one' });
      worker.send({ type: 'two' });
      system.get('the-worker')!.send({ type: 'three' });
    };
    actor.of('action')[0]!.run({ send: (path, event) => sent.push([path, event]), emit: () => {} });
    expect(value).toBe('b');
    expect(sent).toEqual([
      ['', { type: 'one' }],
      ['w', { type: 'two' }],
      ['w', { type: 'three' }],
    ]);
  });

  test('may go on asynchronously: self still sends, and its promise is returned', async () => {
    const sent: string[] = [];
    reach = async (self) => {
      await Promise.resolve();
      self.send({ type: 'late' });
      return 'done';
    };
    const [action] = drive(machine).send('go').of('action');
    const returned = action!.run({ send: (_, event) => sent.push(event.type), emit: () => {} });
    expect(sent).toEqual([]);
    expect(await returned).toBe('done');
    expect(sent).toEqual(['late']);
  });
});

describe('timers', () => {
  const machine = setup({ delays: { soon: ({ context }: { context: { ms: number } }) => context.ms } }).createMachine({
    id: 'm',
    context: { ms: 250 },
    initial: 'waiting',
    states: {
      waiting: {
        entry: [raise({ type: 'tick' }, { delay: 'soon' }), raise({ type: 'named' }, { delay: 10, id: 'mine' })],
        on: { tick: 'ticked', stop: { actions: cancel('mine') } },
      },
      ticked: { after: { soon: 'over', 99: { guard: () => false, target: 'over' } } },
      over: {},
    },
  });

  test('a delayed raise becomes a timer with its own id or a fresh one', () => {
    const actor = drive(machine);
    expect(actor.of('timer-set')).toEqual([
      { kind: 'timer-set', path: '', timerKey: '1.0', delayMs: 250, targetPath: '', event: { type: 'tick' } },
      { kind: 'timer-set', path: '', timerKey: 'mine', delayMs: 10, targetPath: '', event: { type: 'named' } },
    ]);
    expect(actor.send('stop').actions).toEqual([{ kind: 'timer-cancel', path: '', timerKey: 'mine' }]);
  });

  test('fires through a reload, and named delays are computed in the step', () => {
    const actor = drive(machine).reload().send('tick');
    expect(actor.of('timer-set').map(({ delayMs }) => delayMs)).toEqual([99, 250]);
    expect(actor.fire('xstate.after.soon.m.ticked').view.value).toBe('over');
  });
});

describe('sending', () => {
  const child = setup({ types: { context: {} as { got: string[] } } }).createMachine({
    id: 'child',
    context: { got: [] },
    on: {
      '*': { actions: assign({ got: ({ context, event }) => [...context.got, event.type] }) },
      up: { actions: [sendParent({ type: 'from-child' }), sendParent({ type: 'later' }, { delay: 100 })] },
    },
  });
  const machine = setup({ actors: { child } }).createMachine({
    context: { got: [] as string[] },
    invoke: [
      { src: 'child', id: 'a/1', systemId: 'first' },
      { src: 'child', id: 'b%', systemId: 'second' },
    ],
    on: {
      direct: { actions: sendTo('a/1', { type: 'hi' }) },
      byRef: {
        actions: sendTo(
          ({ self }) => self.getSnapshot().children['b%']!,
          ({ event }) => ({ type: `re:${event.type}` }),
        ),
      },
      bySystem: { actions: sendTo(({ system }) => system.get('second'), { type: 'sys' }) },
      delayed: { actions: sendTo('b%', { type: 'slow' }, { delay: 30, id: 'd' }) },
      'from-child': { actions: assign({ got: ({ context, event }) => [...context.got, event.type] }) },
      later: { actions: assign({ got: ({ context, event }) => [...context.got, event.type] }) },
    },
  });

  const gotBy = (actor: ReturnType<typeof drive>, path: string) =>
    (actor.view.children[path]!.view!.context as { got: string[] }).got;

  test('reaches children by id, by reference and by system id, also after a reload', () => {
    const actor = drive(machine).reload().send('direct').send('byRef').reload().send('bySystem');
    expect(gotBy(actor, 'a%2F1')).toEqual(['hi']);
    expect(gotBy(actor, 'b%25')).toEqual(['re:byRef', 'sys']);
  });

  test('to a child with a delay is a timer of the parent, aimed at the child', () => {
    const actor = drive(machine).send('delayed');
    expect(actor.actions).toEqual([
      { kind: 'timer-set', path: '', timerKey: 'd', delayMs: 30, targetPath: 'b%25', event: { type: 'slow' } },
    ]);
    expect(gotBy(actor.fire('d'), 'b%25')).toEqual(['slow']);
  });

  test('to the parent works from an event given to the child itself, and with a delay', () => {
    const actor = drive(machine).send('up', 'a%2F1');
    expect(actor.context.got).toEqual(['from-child']);
    expect(actor.of('timer-set')).toMatchObject([{ path: 'a%2F1', targetPath: '', delayMs: 100 }]);
    expect(actor.fire().context.got).toEqual(['from-child', 'later']);
  });

  test('a reference in an event comes back as a reference', () => {
    const asked = setup({ actors: { child } }).createMachine({
      invoke: { src: 'child', id: 'c' },
      entry: raise(({ self }) => ({ type: 'later', replyTo: self, list: [1] }), { delay: 5, id: 't' }),
      on: {
        later: {
          actions: sendTo(({ event }) => (event as never as { replyTo: AnyActorRef }).replyTo, { type: 'back' }),
        },
        back: { actions: emit({ type: 'came' }) },
      },
    });
    const actor = drive(asked);
    const timer = actor.of('timer-set')[0]!;
    expect(timer.event).toEqual({ type: 'later', replyTo: { 'troupe.ref': '', session: 'test/one' }, list: [1] });
    actor.reload().send(timer.event);
    expect(actor.of('emit')).toEqual([{ kind: 'emit', path: '', event: { type: 'came' } }]);
  });
});

test('assertEvent works in actions', () => {
  const machine = createMachine({
    context: { n: 0 },
    on: {
      '*': {
        actions: assign({
          n: ({ event }) => {
            assertEvent(event as { type: 'good' } | { type: 'bad' }, 'good');
            return 1;
          },
        }),
      },
    },
  });
  const actor = drive(machine).send('good');
  expect(actor.context.n).toBe(1);
  expect(() => actor.send('bad')).toThrow(/Expected event/);
});
