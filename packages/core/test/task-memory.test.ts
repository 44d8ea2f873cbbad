import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TASKS_MAX, TaskMemory } from '../src/task-memory.ts';
import { taskKeyOf } from '../src/task-runs.ts';

const done = { ok: true, value: 1 } as const;
const add = (memory: TaskMemory, id: string, expiresAt: number, now = 0, asNumber = true): TaskMemory => {
  const key = taskKeyOf(id);
  return memory.add(key, 7, expiresAt, now, asNumber).settle(key.id, 1, done, 8);
};
const isKnown = (memory: TaskMemory, id: string, now = 0): boolean => memory.find(id, now).kind !== 'unknown';

describe('numbered task ids', () => {
  test('thousands of one client take one range, and each is still known', () => {
    let memory = TaskMemory.empty();
    for (let n = 1; n <= 5_000; n++) memory = add(memory, `client-${n}`, 1_000);
    expect(memory.size).toBe(1);
    expect(isKnown(memory, 'client-1')).toBe(true);
    expect(isKnown(memory, 'client-5000')).toBe(true);
    expect(isKnown(memory, 'client-5001')).toBe(false);
  });

  test('only one spelling of a number is that number', () => {
    const memory = add(TaskMemory.empty(), 'a-7', 1_000);
    for (const other of ['a-07', 'a-7a', 'a7', 'a-', 'a--7', 'b-7', 'a-1000000000000000000007'])
      expect(isKnown(memory, other)).toBe(false);
  });

  test('an id that was added as a number is known when its caller repeats it by hand, and the other way round', () => {
    const numbered = add(TaskMemory.empty(), 'a-1', 1_000);
    const plain = add(TaskMemory.empty(), 'a-1', 1_000, 0, false);
    for (const memory of [numbered, plain]) expect(memory.lookup(taskKeyOf('a-1'), 7, 0).kind).toBe('ended');
  });

  test('another payload is a conflict while the outcome is kept or pending', () => {
    const key = taskKeyOf('a-1');
    const pending = TaskMemory.empty().add(key, 7, 1_000, 0, true);
    expect(pending.lookup(key, 8, 0).kind).toBe('conflict');
    expect(pending.settle(key.id, 1, done, 8).lookup(key, 8, 0).kind).toBe('conflict');
  });

  test('ranges count against the bound on named tasks, and expired ones do not', () => {
    let memory = TaskMemory.empty();
    for (let n = 0; n < TASKS_MAX; n++) memory = add(memory, `client-${2 * n}`, 1_000);
    expect(memory.isFull(1_000)).toBe(true);
    expect(memory.isFull(1_001)).toBe(false);
  });

  test('in any order, with gaps, repeats and through storage, nothing is forgotten before its time and nothing made up', () => {
    const op = fc.record({
      prefix: fc.constantFrom('a', 'b', 'c-1'),
      n: fc.integer({ min: 0, max: 25 }),
      lastsMs: fc.integer({ min: 1, max: 60 }),
      waitMs: fc.integer({ min: 0, max: 20 }),
      asNumber: fc.boolean(),
      stores: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), (ops) => {
        let memory = TaskMemory.empty();
        let now = 0;
        const expiries = new Map<string, number>();
        for (const { prefix, n, lastsMs, waitMs, asNumber, stores } of ops) {
          now += waitMs;
          const id = `${prefix}-${n}`;
          if (!isKnown(memory, id, now)) {
            memory = add(memory, id, now + lastsMs, now, asNumber);
            expiries.set(id, now + lastsMs);
          }
          if (stores) memory = TaskMemory.restore(structuredClone(memory.store(now)));
          for (const [each, expiresAt] of expiries) if (expiresAt >= now) expect(isKnown(memory, each, now)).toBe(true);
          for (let other = 0; other <= 25; other++)
            if (!expiries.has(`${prefix}-${other}`)) expect(isKnown(memory, `${prefix}-${other}`, now)).toBe(false);
        }
      }),
    );
  });

  test('an older memory keeps its answers', () => {
    const older = add(TaskMemory.empty(), 'a-1', 1_000);
    add(older, 'a-2', 1_000);
    expect(isKnown(older, 'a-2')).toBe(false);
  });
});
