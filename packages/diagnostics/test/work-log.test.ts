/** Debug lines of turns, steps and effects, as they are written. */
import { type Logger, WorkLog, type WorkOf } from '@troupe/diagnostics';
import type { StepFacts } from '@troupe/wire';
import { describe, expect, test } from 'vitest';

type Line = Record<string, unknown> & { readonly message: string };

function logged(write: (log: WorkLog) => void): Line[] {
  const lines: Line[] = [];
  const log = { debug: (fields: object, message: string) => void lines.push({ ...fields, message }) } as Logger;
  write(new WorkLog(log));
  return lines;
}

const work: WorkOf = {
  address: { type: 'order', key: '42' },
  partition: 3,
  seq: 17,
  task: 't-1',
  trace: 'a'.repeat(32),
  seen: [],
};
const HEAD = { actor: 'order/42', type: 'order', key: '42', partition: 3, seq: 17, trace: 'a'.repeat(32) };
const state = { status: 'active' as const, value: 'paid', tags: [], children: {}, context: { card: 'never written' } };
const facts: StepFacts = {
  actor: 'order/42',
  seq: 17,
  at: 1_000,
  entry: { kind: 'task', bytes: 10 },
  before: state,
  after: state,
  changed: [],
  transitions: [],
  effects: [],
  ended: [],
  correlation: 'a'.repeat(32),
  waiting: 2,
  running: 1,
  timers: 0,
  count: 5,
  turns: 1,
  version: 1,
} as never;

describe('lines of a step', () => {
  test('say whose it is, what it took and what is left, and nothing of what is in the state', () => {
    const lines = logged((log) => {
      log.stepBegins(work, { entry: 'task' });
      log.stepEnded(work, { durationMs: 1.5, facts, turnBefore: undefined });
    });
    expect(lines).toEqual([
      { ...HEAD, task: 't-1', message: 'step begins', entry: 'task' },
      {
        ...HEAD,
        task: 't-1',
        message: 'step ended',
        durationMs: 1.5,
        state: 'paid',
        effects: 0,
        waiting: 2,
        running: 1,
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('never written');
  });

  test('that threw is one line with the error; without a task none is named', () => {
    const { task: _task, ...untasked } = work;
    const error = Object.assign(new TypeError('no such shelf'), { code: 'NoShelf' });
    const [line, ...more] = logged((log) =>
      log.stepEnded(untasked, { durationMs: 2, facts: undefined, error, turnBefore: 4 }),
    );
    expect(more).toEqual([]);
    expect(line).toMatchObject({
      ...HEAD,
      message: 'step failed',
      error: { name: 'TypeError', code: 'NoShelf', message: 'no such shelf' },
    });
    expect(line).not.toHaveProperty('task');
  });

  test('that refused something has its error, and those of turns say where each begins and how it ended', () => {
    const ended = [
      { seq: 12, taskId: 't-0', durationMs: 40, ok: false, code: 'OutOfStock' },
      { seq: 17, taskId: 't-1', durationMs: 0, ok: true },
    ];
    const next = { seq: 18, taskId: 't-2', openedAt: 1_000, deadlineAt: 61_000 };
    const refused = { code: 'UnknownEvent', message: 'nobody takes it' };
    const lines = logged((log) =>
      log.stepEnded(work, {
        durationMs: 1,
        facts: { ...facts, ended, turn: next, error: refused } as StepFacts,
        turnBefore: 12,
      }),
    );
    expect(lines.map(({ message, turn }) => [message, turn])).toEqual([
      ['turn begins', 17],
      ['turn failed', 12],
      ['turn ended', 17],
      ['turn begins', 18],
      ['step failed', undefined],
    ]);
    expect(lines[1]).toMatchObject({ durationMs: 40, code: 'OutOfStock' });
    expect(lines[3]).toMatchObject({ deadlineAt: 61_000 });
    expect(lines[4]).toMatchObject({ error: refused });
  });

  test('of effects begin with an ask, end with its outcome, and leave invoked ones to whoever runs them', () => {
    const effects = [
      { id: '17.0', kind: 'invoke', name: 'pay' },
      { id: '17.1', kind: 'ask', name: 'stock', to: 'stock/7' },
      { id: '17.2', kind: 'cancel', effectId: 'order/42@12.0' },
    ];
    const lines = logged((log) =>
      log.stepEnded(work, {
        durationMs: 1,
        facts: { ...facts, effects } as StepFacts,
        turnBefore: 12,
        asked: { effect: 'order/42@12.3', durationMs: 250, ok: false },
      }),
    );
    expect(lines.map(({ message, effect, src, of }) => [message, effect, src, of])).toEqual([
      ['effect failed', 'order/42@12.3', 'ask', undefined],
      ['effect begins', 'order/42@17.1', 'ask', undefined],
      ['effect', 'order/42@17.2', 'cancel', 'order/42@12.0'],
      ['step ended', undefined, undefined, undefined],
    ]);
  });
});

describe('lines of an effect', () => {
  const notice = {
    effectId: 'order/42@17.0',
    invoke: 'promise',
    src: 'pay',
    path: 'pay',
    seq: 17,
    turn: 17,
    attempt: 1,
  } as const;

  test('say that it began, is tried again, and how it ended', () => {
    const failure = { code: 'Declined', message: 'the card is declined', retryable: false };
    const lines = logged((log) => {
      log.effect(work, { ...notice, phase: 'started' });
      log.effect(work, { ...notice, phase: 'retrying', attempt: 2 });
      log.effect(work, { ...notice, phase: 'ended', attempt: 2, durationMs: 30, ok: true });
      log.effect(work, { ...notice, phase: 'ended', attempt: 2, durationMs: 30, ok: false, error: failure } as never);
    });
    expect(lines.map(({ message, attempt, durationMs }) => [message, attempt, durationMs])).toEqual([
      ['effect begins', 1, undefined],
      ['effect is tried again', 2, undefined],
      ['effect ended', 2, 30],
      ['effect failed', 2, 30],
    ]);
    expect(lines[3]).toMatchObject({ effect: 'order/42@17.0', src: 'pay', error: failure });
  });

  test('have no secret that the actor was given, also where an error repeats it', () => {
    const seen = [{ user: 'ann', password: 'correct horse battery' }];
    const error = { code: 'Unknown', message: 'login of ann with correct horse battery failed', retryable: false };
    const [line] = logged((log) =>
      log.effect({ ...work, seen }, { ...notice, phase: 'ended', durationMs: 1, ok: false, error } as never),
    );
    expect(JSON.stringify(line)).toContain('login of ann with');
    expect(JSON.stringify(line)).not.toContain('correct horse');
  });
});

test('a logger that throws is not heard of by the work', () => {
  const log = {
    debug: () => {
      throw new Error('the disk is full');
    },
  } as unknown as Logger;
  expect(() => new WorkLog(log).stepBegins(work, { entry: 'task' })).not.toThrow();
});
