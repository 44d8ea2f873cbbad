/** What `defineAgent` takes. */
import type { ActorOptions, StoredState } from '@troupe/core';
import type { ActorAddress } from '@troupe/wire';
import type { AnyStateMachine, InputFrom } from 'xstate';
import type { AnyContract } from './contract.ts';
import type { EventSchemas, Schema } from './schema.ts';

/** Policies that have nothing to do with types. See `ActorOptions` of `@troupe/core` for each one's default. */
export type AgentPolicies<TMachine extends AnyStateMachine> = Omit<
  ActorOptions,
  'type' | 'machine' | 'input' | 'task' | 'events' | 'migrate' | 'previous'
> & {
  readonly machine: TMachine;
  /** The machine's input. Default: `{ type, key }`. */
  readonly input?: (address: ActorAddress) => InputFrom<TMachine>;
  /** `migrate[n]` takes a stored state of version n to n + 1; chained. */
  readonly migrate?: Readonly<Record<number, (state: StoredState) => StoredState>>;
  /** Old code that may still have to fold a tail, as `defineAgent` made it. */
  readonly previous?: ActorOptions['previous'];
};

/** How long tasks may take, and what becomes of one that can't start. */
export type TaskPolicies = Omit<NonNullable<ActorOptions['task']>, 'input' | 'output'>;

/** A definition whose schemas, if any, stand in it. */
export interface OwnAgentOptions<
  TType extends string,
  TMachine extends AnyStateMachine,
  TInput extends Schema,
  TOutput extends Schema,
  TEvents extends EventSchemas,
> extends AgentPolicies<TMachine> {
  /** Name of the actor type: `[a-z][a-z0-9-]{0,62}`. */
  readonly type: TType;
  readonly contract?: undefined;
  readonly task?: TaskPolicies & { readonly input?: TInput; readonly output?: TOutput };
  readonly events?: TEvents;
}

/** A definition whose type and schemas are its contract's. */
export interface ContractAgentOptions<TContract extends AnyContract, TMachine extends AnyStateMachine>
  extends AgentPolicies<TMachine> {
  readonly contract: TContract;
  readonly type?: undefined;
  readonly task?: TaskPolicies & { readonly input?: undefined; readonly output?: undefined };
  readonly events?: undefined;
}
