import { contract, defineAgent, isTroupeError, type TroupeError } from '@troupe/agent';
import { describe, expect, test } from 'vitest';
import { createMachine, fromPromise, setup } from 'xstate';
import { z } from 'zod';
import { support } from './samples/support.contract.ts';

const machine = setup({ actors: { charge: fromPromise(async () => 1) } }).createMachine({ on: { task: {} } });

describe('defineAgent', () => {
  test('refuses a misspelt effect name and says which one was meant', () => {
    const error = thrown(() =>
      defineAgent({ type: 'order', version: 1, machine, effects: { chrage: { retry: 'never' } } }),
    );
    expect(error.code).toBe('ConfigInvalid');
    expect(error.message).toContain("effects.chrage names nothing under setup({ actors }). Did you mean 'charge'?");
  });

  test('knows the effects of child machines', () => {
    const parent = setup({ actors: { child: machine } }).createMachine({ invoke: { src: 'child' } });
    expect(
      defineAgent({ type: 'order', version: 1, machine: parent, effects: { charge: { timeoutMs: 1 } } }).effects.size,
    ).toBe(1);
  });

  test('lists what there is when nothing is near', () => {
    const error = thrown(() => defineAgent({ type: 'order', version: 1, machine, effects: { somethingElse: {} } }));
    expect(error.message).toContain('It has: charge.');
  });

  test('refuses to be told twice what the contract says', () => {
    const options = { contract: support, version: 1, machine, type: 'other', task: { input: z.string() } };
    const error = thrown(() => defineAgent(options as never));
    expect(error.message).toContain("Definition 'support': type and task.input stand beside a contract");
  });

  test('keeps the policies of tasks beside a contract', () => {
    const agent = defineAgent({ contract: support, version: 1, machine, task: { deadlineMs: 5_000 } });
    expect(agent.task.deadlineMs).toBe(5_000);
    expect(agent.task.output).toBe(support.task.output);
  });

  test('refuses a type that is no name', () => {
    expect(thrown(() => defineAgent({ type: 'Order', version: 1, machine })).code).toBe('ConfigInvalid');
  });
});

describe('contract', () => {
  test('without schemas takes everything as it is', () => {
    const bare = contract({ type: 'bare' });
    expect(bare.task.input['~standard'].validate(7)).toEqual({ value: 7 });
    expect(defineAgent({ contract: bare, version: 1, machine: createMachine({ on: { task: {} } }) }).type).toBe('bare');
  });

  test('refuses a reserved type', () => {
    expect(thrown(() => contract({ type: 'invalid' })).code).toBe('InvalidType');
  });
});

function thrown(call: () => unknown): TroupeError {
  try {
    call();
  } catch (error) {
    if (isTroupeError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
