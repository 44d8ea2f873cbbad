/** Clock and randomness during a step. */
import { describe, expect, test, vi } from 'vitest';
import { assign, createMachine } from 'xstate';
import { createMachineDriver, enterSeed, leaveSeed } from '../src/machine/index.ts';
import { drive, scopeAt } from './support/driving.ts';

const look = () => ({
  now: Date.now(),
  made: new Date(),
  text: Date(),
  fixed: new Date(2020, 1, 2).getFullYear(),
  random: Math.random(),
  uuid: crypto.randomUUID(),
  bytes: [...crypto.getRandomValues(new Uint8Array(5))],
  performance: performance.now(),
});

const machine = createMachine({
  context: () => ({ at: look() }),
  on: { look: { guard: () => Math.random() >= 0, actions: assign({ at: () => look() }) } },
});

test('machines see the time and the randomness of their step, the same on every replay', () => {
  const one = drive(machine).send('look');
  const two = drive(machine).send('look');
  expect(one.context).toEqual(two.context);
  expect(one.context.at).toMatchObject({ now: 2_000, made: new Date(2_000), fixed: 2020, performance: 2_000 });
  expect(one.context.at.text).toBe(new Date(2_000).toString());
  expect(one.context.at.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(one.send('look').context.at.uuid).not.toBe(two.context.at.uuid);
});

test('a date made in a step is an ordinary date', () => {
  const { made } = drive(machine).context.at;
  expect(Object.getPrototypeOf(made)).toBe(Date.prototype);
  expect(made instanceof Date).toBe(true);
});

test('everything is back after a step, also one that throws', () => {
  const before = [Date, Date.now, Math.random, performance.now];
  const failing = createMachine({
    on: {
      go: {
        actions: assign(() => {
          throw new Error('x');
        }),
      },
    },
  });
  const actor = drive(failing);
  expect(() => actor.send('go')).toThrow('x');
  actor.driver.accepts(actor.state, { type: 'go' });
  expect([Date, Date.now, Math.random, performance.now]).toEqual(before);
  expect(Date.now()).toBeGreaterThan(1_600_000_000_000);
  expect(crypto.randomUUID()).not.toBe(crypto.randomUUID());
  expect(new Set(crypto.getRandomValues(new Uint8Array(64))).size).toBeGreaterThan(8);
});

test('test doubles of the clock are put back as well', () => {
  vi.useFakeTimers({ now: 77 });
  try {
    drive(machine);
    expect(Date.now()).toBe(77);
  } finally {
    vi.useRealTimers();
  }
});

describe('one step within another', () => {
  test('leaves the outer one’s clock and sequence alone', () => {
    const draw = (inner: boolean) => {
      enterSeed('outer', 10);
      try {
        const first = Math.random();
        if (inner) {
          enterSeed('inner', 20);
          expect([Date.now(), Math.random() === first]).toEqual([20, false]);
          leaveSeed();
        }
        return [first, Date.now(), Math.random()];
      } finally {
        leaveSeed();
      }
    };
    expect(draw(true)).toEqual(draw(false));
  });

  test('also for drivers: an assign may step another actor', () => {
    const inner = createMachineDriver(machine);
    const outer = createMachine({
      context: () => {
        const before = Date.now();
        const { state } = inner.init(undefined, scopeAt(9));
        return { before, after: Date.now(), inner: inner.view(state).context };
      },
    });
    expect(drive(outer).context).toMatchObject({ before: 1_000, after: 1_000, inner: { at: { now: 9_000 } } });
  });
});

test('random numbers are spread evenly', () => {
  enterSeed('spread', 0);
  const buckets = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) buckets[Math.floor(Math.random() * 10)]!++;
  leaveSeed();
  for (const count of buckets) expect(count).toBeGreaterThan(850);
});
