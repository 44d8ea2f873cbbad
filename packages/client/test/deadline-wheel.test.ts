import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeadlineWheel, TICK_MS, WheelEntry } from '../src/deadline-wheel.ts';
import { VirtualClock } from './support/virtual-clock.ts';

class Entry extends WheelEntry {
  calledAt: number[] = [];
  readonly onCall: ((nowMs: number) => void) | undefined;
  constructor(onCall?: (nowMs: number) => void) {
    super();
    this.onCall = onCall;
  }
  onDue(nowMs: number): void {
    this.calledAt.push(nowMs);
    this.onCall?.(nowMs);
  }
}

test('an entry is called at its time, never before, and less than two ticks after (invariant 1)', async () => {
  const clock = new VirtualClock();
  const wheel = new DeadlineWheel(clock);
  const entry = new Entry();
  wheel.set(entry, 1_000);
  await clock.advance(999);
  expect(entry.calledAt).toEqual([]);
  await clock.advance(2 * TICK_MS);
  expect(entry.calledAt).toHaveLength(1);
  expect(entry.calledAt[0]).toBeGreaterThanOrEqual(1_000);
  expect(entry.calledAt[0]).toBeLessThan(1_000 + 2 * TICK_MS);
});

test('what is due after more than one turn of the wheel waits for it', async () => {
  const clock = new VirtualClock();
  const wheel = new DeadlineWheel(clock);
  const late = new Entry();
  const early = new Entry();
  wheel.set(late, 60_000);
  wheel.set(early, 60_000 - 512 * TICK_MS);
  await clock.advance(59_990);
  expect([early.calledAt.length, late.calledAt.length]).toEqual([1, 0]);
  await clock.advance(50);
  expect(late.calledAt).toHaveLength(1);
});

test('setting an entry again moves it, dropping it takes it off (invariant 2)', async () => {
  const clock = new VirtualClock();
  const wheel = new DeadlineWheel(clock);
  const [moved, dropped] = [new Entry(), new Entry()];
  wheel.set(moved, 100);
  wheel.set(dropped, 100);
  wheel.set(moved, 500);
  wheel.drop(dropped);
  wheel.drop(dropped);
  expect(wheel.size).toBe(1);
  await clock.advance(400);
  expect(moved.calledAt).toEqual([]);
  await clock.advance(200);
  expect([moved.calledAt.length, dropped.calledAt.length]).toEqual([1, 0]);
});

test('without entries there is no timer (invariant 3)', async () => {
  const clock = new VirtualClock();
  const wheel = new DeadlineWheel(clock);
  expect(clock.timers).toBe(0);
  wheel.set(new Entry(), 100);
  expect(clock.timers).toBe(1);
  await clock.advance(200);
  expect(clock.timers).toBe(0);
});

test('an entry may set itself and others again while it is called (invariant 4)', async () => {
  const clock = new VirtualClock();
  const wheel = new DeadlineWheel(clock);
  const other = new Entry();
  const again: Entry = new Entry((nowMs) => {
    if (again.calledAt.length === 1) wheel.set(again, nowMs + 100);
    wheel.set(other, nowMs);
  });
  wheel.set(again, 100);
  await clock.advance(300);
  expect(again.calledAt).toHaveLength(2);
  expect(other.calledAt).toHaveLength(2);
  expect(wheel.size).toBe(0);
});

test('nothing is called after close', async () => {
  const clock = new VirtualClock();
  const wheel = new DeadlineWheel(clock);
  const entry = new Entry();
  wheel.set(entry, 100);
  wheel.close();
  wheel.set(new Entry(), 50);
  await clock.advance(1_000);
  expect(entry.calledAt).toEqual([]);
  expect(clock.timers).toBe(0);
});

const operation = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), entry: fc.nat(9), inMs: fc.integer({ min: -50, max: 30_000 }) }),
  fc.record({ kind: fc.constant('drop' as const), entry: fc.nat(9) }),
  fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 12_000 }) }),
);

test('whatever is set, moved, dropped: each entry is called once, when it is due', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      const clock = new VirtualClock();
      const wheel = new DeadlineWheel(clock);
      const entries = Array.from({ length: 10 }, () => new Entry());
      const due = new Map<number, number>();
      for (const op of operations) {
        if (op.kind === 'set') {
          due.set(op.entry, clock.monotonic() + op.inMs);
          wheel.set(entries[op.entry]!, clock.monotonic() + op.inMs);
        } else if (op.kind === 'drop') {
          due.delete(op.entry);
          wheel.drop(entries[op.entry]!);
        } else {
          const from = clock.monotonic();
          await clock.advance(op.ms);
          for (const [index, dueAt] of due) {
            const { calledAt } = entries[index]!;
            const latest = Math.max(dueAt, from) + 2 * TICK_MS;
            if (clock.monotonic() >= latest) expect(calledAt).toHaveLength(1);
            if (calledAt.length === 0) continue;
            expect(calledAt[0]).toBeGreaterThanOrEqual(dueAt);
            entries[index]!.calledAt = [];
            due.delete(index);
          }
          expect(entries.every(({ calledAt }) => calledAt.length === 0)).toBe(true);
          expect(wheel.size).toBe(due.size);
        }
      }
    }),
    { numRuns: 60 },
  );
});
