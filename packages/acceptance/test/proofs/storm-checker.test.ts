/** The checker of a storm finds what it is there for; a clean record passes. */
import { expect, test } from 'vitest';
import { checkStorm } from '../../src/proofs/storm/checker.ts';
import { deliveryName, type StormRecord, type TaskRecord } from '../../src/proofs/storm/record.ts';

const task = (type: TaskRecord['type'], number: number, over: Partial<TaskRecord> = {}): TaskRecord => ({
  actor: 'a',
  type,
  task: number,
  taskId: `${type}-${number}`,
  sentAtMs: number,
  acknowledged: true,
  outcomes: [],
  ...over,
});
const delivery = (type: string, number: number, pid: string, effectId = 'e1') => ({
  name: deliveryName(type, 'a', number),
  pid,
  effectId,
});
const answered = (type: TaskRecord['type'], number: number) => [`ok "${deliveryName(type, 'a', number)}"`];

const clean: StormRecord = {
  tasks: [
    task('ledger', 0, { outcomes: ['ok 1'] }),
    task('ledger', 1, { acknowledged: false }),
    task('ledger', 2, { outcomes: ['ok 2', 'ok 2'] }),
    task('courier', 0, { outcomes: answered('courier', 0) }),
    task('once-courier', 0, { outcomes: answered('once-courier', 0) }),
    task('once-courier', 1, { outcomes: ['failed OutcomeUnknown'] }),
  ],
  states: { a: [0, 2] },
  deliveries: [delivery('courier', 0, '1'), delivery('courier', 0, '2'), delivery('once-courier', 0, '1')],
};

test('a record in which all holds has no violations: what got no answer may be missing, and a call may be repeated', () => {
  expect(checkStorm(clean)).toEqual([]);
});

test.each([
  ['a lost task', { states: { a: [0] } }, /acknowledged task 2 is lost/],
  ['a doubled task', { states: { a: [0, 2, 2] } }, /task 2 took effect twice/],
  ['a task out of order', { states: { a: [2, 0] } }, /task 0 came after 2/],
  ['a task that nobody sent', { states: { a: [0, 2, 9] } }, /task 9 was never sent/],
  ['a state that is gone', { states: {} }, /its state can't be read/],
  [
    'a call that is repeated although it may never be',
    {
      deliveries: [...clean.deliveries, delivery('once-courier', 0, '2')],
    },
    /was called 2 times/,
  ],
  [
    'a call under two ids',
    { deliveries: [...clean.deliveries, delivery('courier', 0, '3', 'e2')] },
    /under several ids/,
  ],
  [
    'two calls by one process',
    { deliveries: [...clean.deliveries, delivery('courier', 0, '2')] },
    /twice by one process/,
  ],
  ['an answer without a call', { deliveries: clean.deliveries.slice(2) }, /answered but never called/],
  ['a call that nobody asked for', { deliveries: [...clean.deliveries, delivery('courier', 7, '1')] }, /never sent/],
] as const)('%s is found', (_what, over, message) => {
  expect(checkStorm({ ...clean, ...over }).join('\n')).toMatch(message);
});

test('two outcomes under one id, and one that the state contradicts, are found', () => {
  const tasks = [task('ledger', 0, { outcomes: ['ok 1', 'ok 3'] })];
  const found = checkStorm({ tasks, states: { a: [0] }, deliveries: [] }).join('\n');
  expect(found).toMatch(/several outcomes/);
  expect(found).toMatch(/answered with "ok 3", it is number 1/);
});
