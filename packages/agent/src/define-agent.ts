/** `defineAgent`: a machine and the policies beside it. */
import { type ActorOptions, defineActor } from '@troupe/core';
import { TroupeError } from '@troupe/wire';
import type { AnyStateMachine } from 'xstate';
import type { Agent, MachineEvents, MachineTaskInput } from './agent.ts';
import type { ContractAgentOptions, OwnAgentOptions } from './agent-options.ts';
import type { AnyContract, ContractEvent, ContractInput, ContractOutput } from './contract.ts';
import { checkEffectNames } from './effect-names.ts';
import type { EventSchemas, EventsSent, Schema, SchemaInput, SchemaOutput } from './schema.ts';

/** Types of a definition with a contract. */
export interface ContractTypes<TContract extends AnyContract> {
  readonly input: ContractInput<TContract>;
  readonly output: ContractOutput<TContract>;
  readonly event: ContractEvent<TContract>;
}

/** Types of a definition without: from its schemas, else from the machine. */
export interface OwnTypes<
  TMachine extends AnyStateMachine,
  TInput extends Schema,
  TOutput extends Schema,
  TEvents extends EventSchemas,
> {
  readonly input: unknown extends SchemaInput<TInput> ? MachineTaskInput<TMachine> : SchemaInput<TInput>;
  readonly output: SchemaOutput<TOutput>;
  readonly event: Exclude<MachineEvents<TMachine>, { type: keyof TEvents }> | EventsSent<TEvents>;
}

/**
 * Makes an agent of a machine. The machine is used as it is: any `setup().createMachine()` will do.
 *
 * @throws TroupeError `ConfigInvalid` naming the field, what was seen and what is allowed; `AnonymousLogic` when the
 *   machine invokes logic that is not registered in `setup({ actors })`.
 * @example
 * export const order = defineAgent({ type: 'order', version: 1, machine: orderMachine });
 * @example
 * export const support = defineAgent({ contract: supportContract, version: 3, machine, task: { deadlineMs: 60_000 } });
 */
export function defineAgent<TContract extends AnyContract, TMachine extends AnyStateMachine>(
  options: ContractAgentOptions<TContract, TMachine>,
): Agent<TContract['type'], TMachine, ContractTypes<TContract>>;
export function defineAgent<
  const TType extends string,
  TMachine extends AnyStateMachine,
  TInput extends Schema = Schema,
  TOutput extends Schema = Schema,
  TEvents extends EventSchemas = Readonly<Record<never, Schema>>,
>(
  options: OwnAgentOptions<TType, TMachine, TInput, TOutput, TEvents>,
): Agent<TType, TMachine, OwnTypes<TMachine, TInput, TOutput, TEvents>>;
export function defineAgent(
  options:
    | ContractAgentOptions<AnyContract, AnyStateMachine>
    | OwnAgentOptions<string, AnyStateMachine, Schema, Schema, EventSchemas>,
): Agent<string, AnyStateMachine> {
  checkEffectNames(options.contract?.type ?? options.type ?? '', options.machine, options.effects);
  if (options.contract === undefined) return defineActor(options as ActorOptions);
  const { contract, ...policies } = options;
  refuseTwice(contract, policies);
  return defineActor({
    ...(policies as Omit<ActorOptions, 'type' | 'task' | 'events'>),
    type: contract.type,
    task: { ...policies.task, input: contract.task.input, output: contract.task.output },
    events: contract.events,
  } as ActorOptions);
}

/** What the contract says can't be said again beside it. */
function refuseTwice(contract: AnyContract, beside: Record<string, unknown>): void {
  const task = (beside.task ?? {}) as Record<string, unknown>;
  const twice = [
    ...['type', 'events'].filter((field) => beside[field] !== undefined),
    ...['input', 'output'].filter((field) => task[field] !== undefined).map((field) => `task.${field}`),
  ];
  if (twice.length === 0) return;
  throw new TroupeError(
    'ConfigInvalid',
    `Definition '${contract.type}': ${twice.join(' and ')} stand beside a contract, which says it already. Change the contract, or leave it out.`,
    { details: { fields: twice } },
  );
}
