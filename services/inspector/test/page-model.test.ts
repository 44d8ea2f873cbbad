import type { MachineBody, StateStructure } from '@troupe/wire';
import { describe, expect, test } from 'vitest';
import { Activity, activeBoxes, allowedEvents, machinesOf, takenEdges } from '../page/model/activity.ts';
import { EffectFates, rowsOf } from '../page/model/timeline-rows.ts';
import { age, cut, duration, eventLabel, short, stateText } from '../page/text.ts';
import type { LiveEffect, LiveStep } from '../src/live-protocol.ts';

function state(id: string, rest: Partial<StateStructure> = {}): StateStructure {
  const none = { initialActions: [], tags: [], entry: [], exit: [], invokes: [], transitions: [], states: [] };
  return { id, key: id.split('.').at(-1)!, kind: 'atomic', ...none, ...rest };
}

const inner: MachineBody = {
  id: 'c',
  actors: {},
  root: state('c', { kind: 'compound', initial: 'c.x', states: [state('c.x'), state('c.y')] }),
};

function on(source: string, event: string, target: string) {
  const name = { id: `${source}|${event}|0`, event, kind: 'event' as const, source };
  return { ...name, targets: [target], actions: [], reenter: false };
}

const machine: MachineBody = {
  id: 'm',
  actors: { child: { kind: 'machine', machine: inner } },
  root: state('m', {
    kind: 'compound',
    initial: 'm.a',
    transitions: [on('m', 'stop', 'm.a')],
    states: [
      state('m.a', { transitions: [on('m.a', 'go', 'm.b'), on('m.a', '*', 'm.b')] }),
      state('m.b', { invokes: [{ id: 'kid', src: 'child' }], transitions: [on('m.b', 'back', 'm.a')] }),
    ],
  }),
};

function step(seq: number, at: number, value: string, rest: Partial<LiveStep> = {}): LiveStep {
  return {
    seq,
    at,
    entry: { kind: 'task', taskId: `t${seq}`, event: { type: 'go' }, bytes: 10 },
    before: { status: 'active', value: 'a' },
    after: { status: 'active', value, tags: [], children: {} },
    transitions: [],
    effects: [],
    ended: [],
    correlation: '0',
    waiting: 0,
    running: 0,
    timers: 0,
    count: seq,
    turns: 0,
    version: 1,
    ...rest,
  };
}

describe('what is active and how long', () => {
  test('active states of the machine and of machines in it are named as the boxes of the chart', () => {
    const machines = machinesOf(machine);
    const children = { kid: { src: 'child', kind: 'machine' as const, status: 'active', value: 'y' } };
    expect(activeBoxes(machines, { value: 'b', children })).toEqual(['m', 'm.b', 'kid#c', 'kid#c.y']);
    const done = { kid: { ...children.kid, status: 'done' } };
    expect(activeBoxes(machines, { value: 'a', children: done })).toEqual(['m', 'm.a']);
  });

  test('times count from entry to entry, entries once for each stay', () => {
    const activity = new Activity(machinesOf(machine));
    const taken = [{ id: 'm.a|go|0', path: '', source: 'm.a', targets: ['m.b'], event: 'go' }];
    for (const one of [
      step(1, 1_000, 'a'),
      step(2, 1_500, 'b', { transitions: taken }),
      step(3, 3_500, 'b'),
      step(4, 4_000, 'a'),
    ])
      activity.add(one);
    expect(activity.states.get('m.a')).toMatchObject({ count: 2, timeMs: 500 });
    expect(activity.states.get('m.b')).toMatchObject({ count: 1, timeMs: 2_500 });
    expect(activity.states.get('m')).toMatchObject({ count: 1, timeMs: 3_000 });
    expect(activity.transitions.get('m.a|go|0')).toMatchObject({ count: 1, timeMs: 0 });
  });

  test('costs go to what was active when an entry was applied, effects to what asked for them until they end', () => {
    const activity = new Activity(machinesOf(machine));
    const taken = [{ id: 'm.a|go|0', path: '', source: 'm.a', targets: ['m.b'], event: 'go' }];
    const effects = [{ id: '2.0', kind: 'invoke', src: 'charge' }];
    for (const one of [
      step(1, 1_000, 'a'),
      step(2, 2_000, 'b', { stepUs: 70, transitions: taken, effects }),
      step(3, 2_400, 'b', { stepUs: 30, settled: 'order/john@2.0' }),
      step(4, 3_000, 'a', { stepUs: 5 }),
    ])
      activity.add(one);
    const b = { steps: 2, stepUs: 35, timed: 2, effects: 1, effectMs: 400 };
    expect(activity.states.get('m.a')).toMatchObject({ steps: 2, stepUs: 70, timed: 1, effects: 0, effectMs: 0 });
    expect(activity.states.get('m.b')).toMatchObject(b);
    expect(activity.states.get('m')).toMatchObject({ steps: 4, stepUs: 105, timed: 3, effects: 1, effectMs: 400 });
    const edge = { count: 1, steps: 1, stepUs: 70, timed: 1, effects: 1, effectMs: 400 };
    expect(activity.transitions.get('m.a|go|0')).toMatchObject(edge);
  });

  test('a step that comes again counts once', () => {
    const activity = new Activity(machinesOf(machine));
    activity.add(step(1, 1_000, 'a'));
    activity.add(step(1, 1_000, 'a'));
    expect(activity.states.get('m.a')?.count).toBe(1);
  });

  test('transitions of a machine inside are named behind its path', () => {
    const transitions = [{ id: 'c.x|n|0', path: 'kid', source: 'c.x', targets: ['c.y'], event: 'n' }];
    expect(takenEdges(step(1, 1, 'b', { transitions }))).toEqual(['kid#c.x|n|0']);
  });

  test('allowed events are those of the active states and of what is around them, without wildcards', () => {
    expect(allowedEvents(machine.root, 'a')).toEqual(['go', 'stop']);
    expect(allowedEvents(machine.root, 'b')).toEqual(['back', 'stop']);
  });
});

describe('rows of a timeline', () => {
  const invoke = { id: '5.0', kind: 'invoke', src: 'charge' };

  test('a step is followed by what it asked for and by the turns that it ended', () => {
    const ended = [{ seq: 3, taskId: 't3', ok: true, durationMs: 7 }];
    const rows = rowsOf(step(5, 100, 'a', { effects: [invoke], ended }));
    expect(rows.map(({ kind }) => kind)).toEqual(['step', 'effect', 'ended']);
  });

  test('how long an effect took is read from the entry that ended it', () => {
    const fates = new EffectFates();
    fates.addStep(step(5, 100, 'a', { effects: [invoke] }));
    expect(fates.of('5.0')).toBeUndefined();
    const entry = { kind: 'outcome' as const, ok: false, bytes: 1 };
    fates.addStep(step(6, 350, 'a', { settled: 'shop/a@b@5.0', entry }));
    expect(fates.of('5.0')).toMatchObject({ durationMs: 250, ok: false });
  });

  test('what the owner told of an effect is kept over what the times of entries suggest', () => {
    const fates = new EffectFates();
    const told: LiveEffect = {
      phase: 'ended',
      effectId: 'shop/a@5.0',
      seq: 5,
      src: 'charge',
      attempt: 2,
      observedAt: 1,
      durationMs: 41,
      ok: true,
    };
    fates.addStep(step(5, 100, 'a', { effects: [invoke] }));
    fates.addEffect(told);
    fates.addStep(step(6, 350, 'a', { settled: 'shop/a@5.0' }));
    expect(fates.of('5.0')).toMatchObject({ durationMs: 41, attempt: 2 });
  });
});

describe('words and numbers', () => {
  test.for([
    [0.2, '<1 ms'],
    [999, '999 ms'],
    [1_234, '1.2 s'],
    [61_000, '1 min 1 s'],
    [3_660_000, '1 h 1 min'],
    [90_000_000, '1 d 1 h'],
  ] as const)('%f ms is written %s', ([ms, text]) => {
    expect(duration(ms)).toBe(text);
  });

  test('events of the engine are said in words, others stay as they are', () => {
    expect(eventLabel('')).toBe('always');
    expect(eventLabel('xstate.after.1000.m.a', '1000')).toBe('after 1.0 s');
    expect(eventLabel('xstate.done.actor.pay')).toBe('done pay');
    expect(eventLabel('xstate.error.actor.pay')).toBe('error pay');
    expect(eventLabel('xstate.done.actor.0.m.paying')).toBe('done');
    expect(eventLabel('order.paid')).toBe('order.paid');
  });

  test('state values are written as paths, regions beside each other', () => {
    expect(stateText({ paying: 'card' })).toBe('paying.card');
    expect(stateText({ left: 'a', right: { b: 'c' } })).toBe('left.a | right.b.c');
  });

  test('long texts are cut, and lines of them become one', () => {
    expect(cut('one\ntwo', 20)).toBe('one two');
    expect(cut('abcdef', 4)).toBe('abc…');
    expect(short({ a: 1n } as unknown)).toBe('[object Object]');
    expect(age(1_000, 62_500)).toBe('1 min');
  });
});
