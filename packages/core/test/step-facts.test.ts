import {
  type ActorDefinition,
  type ActorState,
  defineActor,
  type Effect,
  emptyState,
  recordTransitions,
  step,
  stepFacts,
} from '@troupe/core';
import { activeStateIds, correlationId, type EntryBody, type StateStructure, type StepFacts } from '@troupe/wire';
import { describe, expect, test } from 'vitest';
import { and, assign, fromPromise, setup } from 'xstate';
import { createEffectLogic, createReplyAction, createTellAction } from '../src/machine/index.ts';

const child = setup({}).createMachine({
  id: 'child',
  initial: 'a',
  states: { a: { on: { go: 'b' } }, b: { type: 'final' } },
});

const machine = setup({
  types: { context: {} as { n: number }, events: {} as { type: string } },
  actors: { work: fromPromise(async () => 1), child, other: createEffectLogic('ask', { type: 'other' }) },
  guards: { many: ({ context }) => context.n > 1, few: () => true },
  actions: { note: () => {} },
}).createMachine({
  id: 'order',
  context: { n: 0 },
  initial: 'idle',
  states: {
    idle: {
      tags: ['quiet'],
      description: 'Nothing to do.',
      entry: 'note',
      on: {
        task: [
          { guard: and(['many', 'few']), target: 'busy' },
          { target: 'hop', actions: assign({ n: ({ context }) => context.n + 1 }) },
        ],
        tell: { actions: createTellAction({ type: 'other', key: 'x' }, { type: 'hello' }) as never },
        ask: 'asking',
      },
    },
    hop: { always: 'busy' },
    asking: {
      invoke: { src: 'other', input: { key: 'x', payload: 1 } as never, onDone: 'idle' },
    },
    busy: {
      type: 'parallel',
      invoke: { id: 'job', src: 'work', onDone: { target: 'done', actions: createReplyAction('reply', 1) as never } },
      after: { 1000: 'idle' },
      states: { left: { invoke: { id: 'kid', src: 'child' } }, right: {} },
      on: { back: 'past', forward: { actions: 'note' } },
    },
    past: { type: 'history', history: 'deep', target: 'idle' },
    done: { type: 'final' },
  },
});

const JOHN = { type: 'order', key: 'john' };
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

class Watched {
  readonly definition: ActorDefinition;
  state: ActorState;
  effects: readonly Effect[] = [];
  at = 1_800_000_000_000;
  #seq = 0;

  constructor() {
    this.definition = defineActor({ type: 'order', version: 1, machine });
    this.state = emptyState(JOHN, 1, this.definition.hash);
  }

  facts(body: EntryBody, afterMs = 0): StepFacts {
    this.at += afterMs;
    const before = this.state;
    const entry = { seq: ++this.#seq, at: this.at, body };
    const { result, transitions } = recordTransitions(() => step(this.definition, before, entry, 10));
    this.state = result.state;
    this.effects = result.effects;
    return stepFacts(this.definition, {
      before,
      after: result.state,
      entry,
      effects: result.effects,
      transitions,
      bytes: 10,
    });
  }

  task(payload: unknown, more: object = {}, afterMs = 0): StepFacts {
    return this.facts(
      { kind: 'task', payload, payloadHash: 0, raw: false, contentType: 'application/json', ...more },
      afterMs,
    );
  }
}

function find(root: StateStructure, id: string): StateStructure {
  const all = (state: StateStructure): StateStructure[] => [state, ...state.states.flatMap(all)];
  return all(root).find((state) => state.id === id)!;
}

describe('the structure of a machine', () => {
  const structure = defineActor({ type: 'order', version: 1, machine }).driver.structure();

  test('has every state with its kind, in the order of the text, and is plain JSON', () => {
    expect(structure.root.states.map(({ id, kind }) => [id, kind])).toEqual([
      ['order.idle', 'atomic'],
      ['order.hop', 'atomic'],
      ['order.asking', 'atomic'],
      ['order.busy', 'parallel'],
      ['order.past', 'history'],
      ['order.done', 'final'],
    ]);
    expect(structure.root.initial).toBe('order.idle');
    expect(find(structure.root, 'order.past')).toMatchObject({ history: 'deep', initial: 'order.idle' });
    expect(JSON.parse(JSON.stringify(structure))).toEqual(structure);
  });

  test('has transitions with guard, actions and kind, and names what is combined', () => {
    const idle = find(structure.root, 'order.idle');
    expect(idle).toMatchObject({ tags: ['quiet'], description: 'Nothing to do.', entry: ['note'] });
    expect(idle.transitions[0]).toMatchObject({ id: 'order.idle|task|0', event: 'task', targets: ['order.busy'] });
    expect(idle.transitions[0]!.guard).toContain('(many, few)');
    expect(idle.transitions[1]).toMatchObject({ actions: ['xstate.assign'], targets: ['order.hop'] });
    const busy = find(structure.root, 'order.busy');
    expect(busy.entry).toEqual([]);
    expect(busy.transitions.find(({ kind }) => kind === 'after')).toMatchObject({ delay: '1000' });
    expect(busy.transitions.find(({ kind }) => kind === 'done')).toMatchObject({ targets: ['order.done'] });
    expect(find(structure.root, 'order.hop').transitions).toMatchObject([{ kind: 'always', event: '' }]);
  });

  test('has what is invoked, machines with their own structure', () => {
    expect(find(structure.root, 'order.busy').invokes).toEqual([{ id: 'job', src: 'work' }]);
    expect(structure.actors.work).toEqual({ kind: 'promise' });
    expect(structure.actors.other).toEqual({ kind: 'ask' });
    expect(structure.actors.child).toMatchObject({ kind: 'machine', machine: { id: 'child' } });
  });

  test('maps a state value onto ids', () => {
    expect(activeStateIds(structure.root, 'idle')).toEqual(['order', 'order.idle']);
    expect(activeStateIds(structure.root, { busy: { left: {}, right: {} } })).toEqual([
      'order',
      'order.busy',
      'order.busy.left',
      'order.busy.right',
    ]);
  });
});

describe('the facts of a step', () => {
  test('name the transitions taken, by the ids of the structure and in order', () => {
    const facts = new Watched().task('first');
    expect(facts.transitions.map(({ id }) => id)).toEqual(['order.idle|task|1', 'order.hop||0']);
    expect(facts).toMatchObject({ actor: 'order/john', seq: 1, entry: { kind: 'task', event: { type: 'task' } } });
    expect(facts.before).toMatchObject({ tags: [] });
    expect(facts.after).toMatchObject({ context: { n: 1 }, status: 'active' });
    expect(Object.keys(facts.after.children)).toEqual(['job', 'kid']);
    expect(facts.effects).toMatchObject([
      { kind: 'action', name: 'note' },
      { kind: 'invoke', src: 'work' },
    ]);
  });

  test('name the transitions of children by their path', () => {
    const watched = new Watched();
    watched.task('first');
    const facts = watched.facts({ kind: 'self', effectId: 'order/john@1.5/0', path: 'kid', event: { type: 'go' } });
    expect(facts.transitions).toMatchObject([{ id: 'child.a|go|0', path: 'kid', event: 'go' }]);
  });

  test('say which effect an outcome settled, and which turn ended after how long', () => {
    const watched = new Watched();
    const opened = watched.task('first', { taskId: 'mine' });
    const effectId = `order/john@${opened.effects.find(({ kind }) => kind === 'invoke')!.id}`;
    const facts = watched.facts({ kind: 'outcome', effectId, result: { ok: true, value: 7 } }, 250);
    expect(facts.settled).toBe(effectId);
    expect(facts.entry).toMatchObject({ ok: true, event: { type: 'xstate.done.actor.job', output: 7 } });
    expect(facts.ended).toEqual([{ seq: 1, taskId: 'mine', ok: true, durationMs: 250 }]);
    expect(facts.after.status).toBe('done');
    expect(facts.correlation).toBe(opened.correlation);
  });

  test('say why an entry was refused, and take no transition of a step that failed', () => {
    const facts = new Watched().task({ type: 'nonsense' });
    expect(facts.error).toMatchObject({ code: 'UnknownEvent' });
    expect(facts.transitions).toEqual([]);
  });

  test('are recorded or not, the step is the same', () => {
    const [watched, plain] = [new Watched(), new Watched()];
    watched.task('first');
    const entry = { seq: 1, at: plain.at, body: { ...TASK, payload: 'first' } };
    const alone = step(plain.definition, plain.state, entry, 10);
    expect(alone.state.machine).toBeDefined();
    expect(JSON.stringify(plain.definition.driver.persist(alone.state.machine!))).toBe(
      JSON.stringify(watched.definition.driver.persist(watched.state.machine!)),
    );
  });
});

const TASK = { kind: 'task', payloadHash: 0, raw: false, contentType: 'application/json' } as const;

describe('correlation', () => {
  test('of an entry without a trace is derived from it, and its asks and messages carry it', () => {
    const watched = new Watched();
    const facts = watched.task({ type: 'tell' });
    expect(facts.correlation).toBe(correlationId(JOHN, 1));
    const sent = watched.effects.find((effect) => effect.kind === 'send');
    expect(sent!.trace!.traceparent).toMatch(new RegExp(`^00-${facts.correlation}-[0-9a-f]{16}-00$`));
    const asked = watched.task({ type: 'ask' });
    expect(watched.effects.find((effect) => effect.kind === 'ask')!.trace!.traceparent).toContain(asked.correlation);
    expect(asked.correlation).not.toBe(facts.correlation);
  });

  test('is the trace id of the client where it sent one, untouched', () => {
    const watched = new Watched();
    const facts = watched.task({ type: 'ask' }, { trace: { traceparent: TRACEPARENT } });
    expect(facts.correlation).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(watched.effects.find((effect) => effect.kind === 'ask')!.trace).toEqual({ traceparent: TRACEPARENT });
  });

  test('of a message is handed on by what it causes, outside of any turn', () => {
    const watched = new Watched();
    const from = { type: 'other', key: 'y' };
    const body = { from, causedAt: watched.at, event: { type: 'tell' }, trace: { traceparent: TRACEPARENT } };
    watched.facts({ kind: 'message', effectId: 'other/y@3.0', ...body });
    expect(watched.effects.find((effect) => effect.kind === 'send')!.trace).toEqual({ traceparent: TRACEPARENT });
  });
});
