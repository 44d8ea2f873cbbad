/** Stored states: what is kept, what is refused, and the hash of the machine they belong to. */
import { describe, expect, test } from 'vitest';
import { type AnyStateMachine, assign, createMachine, fromPromise, setup } from 'xstate';
import { createMachineDriver, NotStorable } from '../src/machine/index.ts';
import { drive } from './support/driving.ts';

const holding = (value: unknown): AnyStateMachine =>
  createMachine({
    id: 'm',
    context: { value },
    on: { set: { actions: assign({ value: ({ event }) => event.value }) } },
  } as never) as never;

test('keeps everything that structured cloning keeps', () => {
  const shared = { s: 1 };
  const value = {
    nothing: undefined,
    date: new Date(5),
    map: new Map<unknown, unknown>([[{ k: 1 }, new Set([1n, 'a'])]]),
    big: 123456789012345678901234567890n,
    bytes: new Uint8Array([1, 2, 3]),
    floats: new Float64Array([0.5]),
    error: new TypeError('kept'),
    pattern: /a+/gi,
    nan: Number.NaN,
    twice: [shared, shared],
    bare: Object.assign(Object.create(null) as object, { x: 1 }),
    sparse: [1, undefined, 3],
  };
  const actor = drive(holding(value)).reload();
  const kept = actor.context.value as typeof value;
  expect(kept).toEqual({ ...value, bare: { x: 1 } });
  expect('nothing' in kept).toBe(true);
  expect(kept.twice[0]).toBe(kept.twice[1]);
});

test('keeps circular data', () => {
  const value: Record<string, unknown> = { name: 'ring' };
  value.self = value;
  const kept = drive(holding(value)).reload().context.value as typeof value;
  expect(kept.self).toBe(kept);
});

describe('refuses, naming the place', () => {
  class Point {
    x = 1;
  }
  const cases: [unknown, RegExp][] = [
    [() => {}, /holds (?:a function|the function 'value').* at context\.value/],
    [{ list: [1, function named() {}] }, /the function 'named' at context\.value\.list\[1\]/],
    [{ 'odd key': Symbol('s') }, /Symbol\(s\) at context\.value\['odd key'\]/],
    [new Map([['a', new Point()]]), /an instance of Point at context\.value\.values\(\)\[0\]/],
    [new Set([Promise.resolve()]), /a promise at context\.value\.values\(\)\[0\]/],
    [new WeakMap(), /an instance of WeakMap at context\.value/],
    [new Map([[() => 1, 2]]), /at context\.value\.keys\(\)\[0\]/],
  ];
  test.each(cases.map(([value, message]) => ({ value, message })))('$message', ({ value, message }) => {
    const { driver, state } = drive(holding(1)).send({ type: 'set', value });
    expect(() => driver.persist(state)).toThrow(NotStorable);
    expect(() => driver.persist(state)).toThrow(message);
  });

  test('and the path of the child that holds it', () => {
    const child = createMachine({ id: 'child', context: { bad: () => {} } });
    const machine = setup({ actors: { child } }).createMachine({ invoke: { src: 'child', id: 'c' } });
    const { driver, state } = drive(machine);
    expect(() => driver.persist(state)).toThrow(/at c: context\.bad/);
  });
});

test('what is stored has value and context on top, for migrations', () => {
  const machine = createMachine({ id: 'm', context: { n: 1 }, initial: 'a', states: { a: {}, b: {} } });
  const { driver, state } = drive(machine);
  const stored = driver.persist(state) as { value: unknown; context: { n: number } };
  expect(stored).toMatchObject({ value: 'a', context: { n: 1 }, status: 'active' });
  const migrated = driver.restore({ ...stored, value: 'b', context: { n: 2 } });
  expect(driver.view(migrated)).toMatchObject({ value: 'b', context: { n: 2 } });
});

test('restoring does not touch what it restores from', () => {
  const machine = setup({
    actors: { job: fromPromise(async () => 1) },
    types: { context: {} as { ref: unknown } },
  }).createMachine({
    context: ({ spawn }) => ({ ref: spawn('job') }),
  });
  const { driver, state } = drive(machine);
  const stored = driver.persist(state);
  const copy = structuredClone(stored);
  driver.restore(stored);
  driver.restore(stored);
  expect(stored).toEqual(copy);
});

describe('the hash', () => {
  const hash = (machine: AnyStateMachine) => createMachineDriver(machine).hash;
  const make = (n: number, guard: () => boolean, job: () => Promise<number>) =>
    setup({ actors: { job: fromPromise(job) }, guards: { guard } }).createMachine({
      id: 'm',
      context: { n },
      on: { go: { guard: 'guard' } },
    });
  const yes = () => true;
  const one = async () => 1;

  test('is the same for the same text', () => {
    expect(hash(make(1, yes, one))).toBe(
      hash(
        make(
          1,
          () => true,
          async () => 1,
        ),
      ),
    );
    expect(hash(make(1, yes, one))).toMatch(/^[0-9a-f]{16}$/);
  });

  test('differs with configuration, guards, logic and children', () => {
    const hashes = [
      make(1, yes, one),
      make(2, yes, one),
      make(1, () => false, one),
      make(1, yes, async () => 2),
      setup({ actors: { child: createMachine({ id: 'a' }) } }).createMachine({ id: 'm' }),
      setup({ actors: { child: createMachine({ id: 'b' }) } }).createMachine({ id: 'm' }),
      createMachine({ id: 'm', initial: 'a', states: { a: {}, b: {} } }),
      createMachine({ id: 'm', initial: 'a', states: { b: {}, a: {} } }),
    ].map((machine) => hash(machine as AnyStateMachine));
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});
