/**
 * The words between actors, as a small value in a file of its own. Nothing in a machine's type says what it replies, and
 * agents that ask each other would need each other's types: a contract carries them instead, and depends on no machine.
 */
import { createReplyAction } from '@troupe/core';
import { assertType } from '@troupe/wire';
import type { EventObject, MachineContext } from 'xstate';
import type { ActionParams, Expression, PlainAction } from './action-types.ts';
import type { EventSchemas, EventsReceived, EventsSent, Schema, SchemaInput, SchemaOutput } from './schema.ts';
import type { TaskEvent } from './task-event.ts';

/** What `contract` takes. */
export interface ContractOptions<
  TType extends string,
  TInput extends Schema,
  TOutput extends Schema,
  TEvents extends EventSchemas,
> {
  /** Name of the actor type: `[a-z][a-z0-9-]{0,62}`. */
  readonly type: TType;
  readonly task?: {
    /** Of what a task carries. Default: anything. */
    readonly input?: TInput;
    /** Of what a turn replies. Default: unknown. */
    readonly output?: TOutput;
  };
  /** Of events that may be sent as tasks, signals or with `tell`, by event type; without the field `type`. */
  readonly events?: TEvents;
}

/** A contract, made by `contract()`. */
export interface Contract<
  TType extends string,
  TInput extends Schema,
  TOutput extends Schema,
  TEvents extends EventSchemas,
> {
  readonly type: TType;
  readonly task: { readonly input: TInput; readonly output: TOutput };
  readonly events: TEvents;
  /**
   * `reply()` with the output checked against the contract.
   *
   * @example actions: support.reply(({ context }) => context.answer)
   */
  reply<
    TContext extends MachineContext,
    TExpressionEvent extends EventObject,
    TParams extends ActionParams,
    TEvent extends EventObject,
  >(
    output: Expression<TContext, TExpressionEvent, TParams, TEvent, SchemaInput<TOutput>>,
  ): PlainAction<TContext, TExpressionEvent, TParams, TEvent>;
}

/** A contract of whatever types. */
export type AnyContract = Pick<Contract<string, Schema, Schema, EventSchemas>, 'type' | 'task' | 'events'>;

/** What a task of this contract carries, as the caller sends it. */
export type ContractInput<TContract extends AnyContract> = SchemaInput<TContract['task']['input']>;

/** What a turn of this contract replies, as the caller gets it. */
export type ContractOutput<TContract extends AnyContract> = SchemaOutput<TContract['task']['output']>;

/** The events of this contract, as they are sent. */
export type ContractEvent<TContract extends AnyContract> = EventsSent<TContract['events']>;

/**
 * All that a machine behind this contract can get, for its `types.events`.
 *
 * @example setup({ types: { events: {} as ContractMachineEvent<typeof support> } })
 */
export type ContractMachineEvent<TContract extends AnyContract> =
  | TaskEvent<SchemaOutput<TContract['task']['input']>>
  | EventsReceived<TContract['events']>;

/**
 * Makes a contract.
 *
 * @throws TroupeError `InvalidType` when the type is no name of an actor type.
 * @example
 * export const support = contract({
 *   type: 'support',
 *   task: { input: z.string(), output: z.string() },
 *   events: { approve: z.object({ by: z.string() }) },
 * });
 */
export function contract<
  const TType extends string,
  TInput extends Schema = Schema,
  TOutput extends Schema = Schema,
  TEvents extends EventSchemas = Readonly<Record<never, Schema>>,
>(options: ContractOptions<TType, TInput, TOutput, TEvents>): Contract<TType, TInput, TOutput, TEvents> {
  assertType(options.type);
  return Object.freeze({
    type: options.type,
    task: Object.freeze({
      input: options.task?.input ?? (ANYTHING as Schema as TInput),
      output: options.task?.output ?? (ANYTHING as Schema as TOutput),
    }),
    events: Object.freeze({ ...options.events }) as TEvents,
    reply: ((output) => createReplyAction('reply', output as never)) as Contract<
      TType,
      TInput,
      TOutput,
      TEvents
    >['reply'],
  });
}

/** The schema that takes everything as it is. */
const ANYTHING: Schema = Object.freeze({
  '~standard': Object.freeze({ version: 1, vendor: 'troupe', validate: (value: unknown) => ({ value }) }),
});
