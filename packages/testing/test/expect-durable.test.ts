import { expectDurable, NotDurableError } from '@troupe/testing';
import { describe, expect, test } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { counter, counterMachine, orderMachine } from './agents.ts';

describe('expectDurable', () => {
  test('is content with a machine that keeps to its arguments', async () => {
    const report = await expectDurable(orderMachine, { runs: 200, events: { paid: [{ amount: 5 }, { amount: 7 }] } });
    expect(report.accepted).toBeGreaterThan(50);
    expect(report.crashes).toBeGreaterThan(50);
  });

  test('takes an agent as well, with its policies', async () => {
    expect((await expectDurable(counter, { runs: 50, events: { task: [1, 2, 3] } })).runs).toBe(50);
  });

  test('allows clock and randomness, which the step provides', async () => {
    const machine = setup({}).createMachine({
      context: { at: 0, id: '', roll: 0 },
      on: {
        go: { actions: assign({ at: () => Date.now(), id: () => crypto.randomUUID(), roll: () => Math.random() }) },
      },
    });
    await expectDurable(machine, { runs: 100 });
  });

  test('finds a variable of the module, with the shortest sequence', async () => {
    let calls = 0;
    const machine = setup({}).createMachine({
      context: { n: 0 },
      on: { go: { actions: assign({ n: () => ++calls }) }, rest: {} },
    });
    const error = await failure(machine);
    expect(error.reason).toBe('outside state');
    expect(error.sequence).toHaveLength(1);
    expect(error.message).toMatch(/1\. (task|signal) \{"type":"go"\} {3}<- here/);
    expect(error.message).toContain('context.n is ');
    expect(error.message).toContain('a variable of the module');
  });

  test('finds what is read of the environment', async () => {
    const machine = setup({
      guards: { enabled: () => process.env.PATH?.endsWith('-elsewhere') !== true },
    }).createMachine({
      initial: 'off',
      states: { off: { on: { go: { guard: 'enabled', target: 'on' } } }, on: { on: { go: 'off' } } },
    });
    expect((await failure(machine)).reason).toBe('environment');
  });

  test('finds the time zone', async () => {
    const machine = setup({}).createMachine({
      context: { hour: 0 },
      on: { go: { actions: assign({ hour: () => new Date().getHours() }) } },
    });
    const error = await failure(machine);
    expect(error.reason).toBe('environment');
  });

  test('puts environment and zone back', async () => {
    const before = { path: process.env.PATH, zone: process.env.TZ, pid: process.pid };
    await expectDurable(counterMachine, { runs: 5, events: { task: 1 } });
    expect({ path: process.env.PATH, zone: process.env.TZ, pid: process.pid }).toEqual(before);
  });

  test('finds what can not be stored', async () => {
    class Basket {
      items = 1;
    }
    const machine = setup({}).createMachine({
      context: { basket: undefined as Basket | undefined },
      on: { go: { actions: assign({ basket: () => new Basket() }) } },
    });
    const error = await failure(machine);
    expect(['refused', 'lost in storage']).toContain(error.reason);
    expect(error.message).toContain('basket');
  });

  test('says so when nothing was checked', async () => {
    const machine = setup({ guards: { never: () => false } }).createMachine({
      on: { go: { guard: 'never', actions: () => {} } },
    });
    await expect(expectDurable(machine, { runs: 5 })).rejects.toThrow('checked nothing');
  });

  test('gives the same run again for a seed', async () => {
    let calls = 0;
    const machine = setup({ actors: { work: fromPromise(async () => 1) } }).createMachine({
      context: { n: 0 },
      initial: 'a',
      states: {
        a: { on: { go: 'b' } },
        b: { invoke: { src: 'work', onDone: { target: 'a', actions: assign({ n: () => ++calls }) } } },
      },
    });
    const first = await failure(machine);
    const again = await failure(machine, { seed: first.seed, runs: 1 });
    expect(again.sequence).toEqual(first.sequence);
  });
});

async function failure(...args: Parameters<typeof expectDurable>): Promise<NotDurableError> {
  try {
    await expectDurable(...args);
  } catch (error) {
    if (error instanceof NotDurableError) return error;
    throw error;
  }
  throw new Error('nothing was found');
}
