/** What the compiler infers: no `any` reaches a user. */
import {
  type Agent,
  type AgentContext,
  type AgentOutput,
  type AgentSignal,
  type AgentTask,
  type AgentValue,
  ask,
  type ContractEvent,
  type ContractInput,
  type ContractMachineEvent,
  type ContractOutput,
  contract,
  defineAgent,
  reply,
  type TaskEvent,
} from '@troupe/agent';
import type { Troupe } from '@troupe/client';
import { describe, expectTypeOf, test } from 'vitest';
import type { OutputFrom } from 'xstate';
import { assign, createMachine, setup } from 'xstate';
import { z } from 'zod';
import { order } from './samples/order.ts';
import { support } from './samples/support.contract.ts';
import supportAgent from './samples/support.ts';

describe('a contract', () => {
  test('types what is sent and what comes back', () => {
    expectTypeOf<ContractInput<typeof support>>().toEqualTypeOf<string>();
    expectTypeOf<ContractOutput<typeof support>>().toEqualTypeOf<string>();
    expectTypeOf<ContractEvent<typeof support>>().toEqualTypeOf<{ readonly type: 'approve'; by: string }>();
  });

  test('types what the machine gets, after the schemas', () => {
    const counted = contract({ type: 'counted', task: { input: z.string().transform(Number) } });
    expectTypeOf<ContractInput<typeof counted>>().toEqualTypeOf<string>();
    expectTypeOf<ContractMachineEvent<typeof counted>>().toEqualTypeOf<TaskEvent<number>>();
  });

  test('without schemas is unknown, not any', () => {
    const bare = contract({ type: 'bare' });
    expectTypeOf<ContractInput<typeof bare>>().toEqualTypeOf<unknown>();
    expectTypeOf<ContractOutput<typeof bare>>().toEqualTypeOf<unknown>();
    expectTypeOf<ContractEvent<typeof bare>>().toBeNever();
  });

  test('takes an event without fields', () => {
    const paused = contract({ type: 'paused', events: { pause: z.object({}) } });
    expectTypeOf<ContractEvent<typeof paused>>().toEqualTypeOf<{ readonly type: 'pause' }>();
  });

  test('checks its own replies', () => {
    setup({ types: { context: {} as { n: number } } }).createMachine({
      context: { n: 1 },
      on: {
        good: { actions: support.reply(({ context }) => `${context.n}`) },
        // @ts-expect-error a number where the contract says string
        bad: { actions: support.reply(({ context }) => context.n) },
      },
    });
  });
});

describe('ask', () => {
  test('gives an invoke the types of the contract', () => {
    const logic = ask(support);
    expectTypeOf<OutputFrom<typeof logic>>().toEqualTypeOf<string>();
    setup({ types: { context: {} as { answer: string } }, actors: { support: logic } }).createMachine({
      context: { answer: '' },
      invoke: {
        src: 'support',
        input: { key: 'john', payload: 'hello' },
        onDone: { actions: assign({ answer: ({ event }) => event.output }) },
      },
    });
  });

  test('refuses a payload that the contract does not have', () => {
    setup({ actors: { support: ask(support) } }).createMachine({
      // @ts-expect-error a number where the contract says string
      invoke: { src: 'support', input: { key: 'john', payload: 5 } },
    });
  });
});

describe('an agent', () => {
  test('takes its types from the machine', () => {
    expectTypeOf<AgentTask<typeof supportAgent>>().toEqualTypeOf<string>();
    expectTypeOf<AgentContext<typeof supportAgent>>().toEqualTypeOf<{ name?: string }>();
    expectTypeOf<AgentValue<typeof supportAgent>>().toEqualTypeOf<'listening'>();
    expectTypeOf<AgentOutput<typeof supportAgent>>().toEqualTypeOf<unknown>();
  });

  test('of a plain machine takes its events', () => {
    const agent = defineAgent({ type: 'order', version: 1, machine: order });
    expectTypeOf<AgentSignal<typeof agent>>().toEqualTypeOf<{ type: 'placed' } | { type: 'paid'; amount: number }>();
  });

  test('of an untyped machine takes any event, and shows an unknown context', () => {
    const agent = defineAgent({ type: 'bare', version: 1, machine: createMachine({}) });
    expectTypeOf<AgentSignal<typeof agent>>().toEqualTypeOf<{
      readonly type: string;
      readonly [field: string]: unknown;
    }>();
    expectTypeOf<AgentContext<typeof agent>>().not.toBeAny();
  });

  test('with a contract takes its types from there', () => {
    const agent = defineAgent({ contract: support, version: 1, machine: createMachine({}) });
    expectTypeOf(agent.type).toEqualTypeOf<'support'>();
    expectTypeOf<AgentTask<typeof agent>>().toEqualTypeOf<string | { readonly type: 'approve'; by: string }>();
    expectTypeOf<AgentOutput<typeof agent>>().toEqualTypeOf<string>();
  });

  test('of unknown types is unknown throughout', () => {
    expectTypeOf<AgentTask<Agent>>().toEqualTypeOf<unknown>();
    expectTypeOf<AgentOutput<Agent>>().toEqualTypeOf<unknown>();
  });

  test('has an input that fits its machine', () => {
    const machine = setup({ types: { input: {} as { n: number } } }).createMachine({});
    defineAgent({ type: 'n', version: 1, machine, input: ({ key }) => ({ n: key.length }) });
    // @ts-expect-error the machine wants a number
    defineAgent({ type: 'n', version: 1, machine, input: ({ key }) => ({ n: key }) });
  });
});

test('reply sees context and event of its place in the machine', () => {
  setup({
    types: { context: {} as { n: number }, events: {} as { type: 'add'; by: number } | { type: 'get' } },
  }).createMachine({
    context: { n: 0 },
    on: {
      add: {
        actions: reply(({ context, event }) => {
          expectTypeOf(context).toEqualTypeOf<{ n: number }>();
          expectTypeOf(event).toEqualTypeOf<{ type: 'add'; by: number }>();
          return context.n + event.by;
        }),
      },
    },
  });
});

describe('the client', () => {
  // Nothing is sent: only the types are looked at.
  const actor = (() => undefined) as unknown as Troupe['actor'];

  test('takes a contract for the types of an actor', () => {
    const john = typed(() => actor(support, 'john'));
    expectTypeOf(john.ask).returns.resolves.toEqualTypeOf<string>();
    expectTypeOf<{ type: 'approve'; by: string }>().toExtend<Parameters<typeof john.signal>[0]>();
  });

  test('takes an agent for them as well', () => {
    const john = typed(() => actor(supportAgent, 'john'));
    expectTypeOf<'hello'>().toExtend<Parameters<typeof john.ask>[0]>();
    expectTypeOf<7>().not.toExtend<Parameters<typeof john.ask>[0]>();
    const orders = defineAgent({ type: 'order', version: 1, machine: order });
    const one = typed(() => actor(orders, '42'));
    expectTypeOf<{ type: 'paid'; amount: number }>().toExtend<Parameters<typeof one.signal>[0]>();
    expectTypeOf<{ type: 'paid' }>().not.toExtend<Parameters<typeof one.signal>[0]>();
    expectTypeOf<{ type: 'nonsense' }>().not.toExtend<Parameters<typeof one.signal>[0]>();
  });
});

/** The type of a call that isn't made. */
function typed<T>(_call: () => T): T {
  return new Proxy({}, { get: () => () => undefined }) as T;
}
