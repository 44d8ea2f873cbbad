/** What an actor takes and answers, as types: read from a contract of `@troupe/agent`, or anything of that form. */

/** As much of a Standard Schema (https://standardschema.dev) as types need. */
export interface SchemaLike<TIn = unknown, TOut = TIn> {
  readonly '~standard': { readonly types?: { readonly input: TIn; readonly output: TOut } | undefined };
}

/**
 * What tells the types of an actor. `contract()` and `defineAgent()` of `@troupe/agent` make values that fit; the client
 * reads only `type` of it: schemas are checked by the worker.
 *
 * @example
 * const support = { type: 'support', task: { input: z.string(), output: z.string() } } as const satisfies ActorContract;
 */
export interface ActorContract {
  /** Name of the actor type. */
  readonly type: string;
  readonly task?: { readonly input?: SchemaLike | undefined; readonly output?: SchemaLike | undefined } | undefined;
  /** Of events, by event type; without the field `type`. */
  readonly events?: Readonly<Record<string, SchemaLike>> | undefined;
}

/** Any event: an object with a string `type`. */
export type AnyEvent = { readonly type: string } | { readonly type: string; readonly [field: string]: unknown };

/** What the schema takes, `Fallback` without one. */
type InputOf<TSchema, Fallback> = TSchema extends { readonly '~standard': { readonly types?: infer TTypes } }
  ? NonNullable<TTypes> extends { readonly input: infer TIn }
    ? TIn
    : Fallback
  : Fallback;

/** What the schema makes of it, `Fallback` without one. */
type OutputOf<TSchema, Fallback> = TSchema extends { readonly '~standard': { readonly types?: infer TTypes } }
  ? NonNullable<TTypes> extends { readonly output: infer TOut }
    ? TOut
    : Fallback
  : Fallback;

type TaskOf<TContract> = TContract extends { readonly task?: infer TTask } ? NonNullable<TTask> : unknown;
type SchemasOf<TContract> = TContract extends { readonly events?: infer TEvents } ? NonNullable<TEvents> : unknown;

/** One object type instead of an intersection, for readable hints. */
type Flat<T> = { [K in keyof T]: T[K] };

/** The fields of an event besides its type; none for a schema of nothing. */
type FieldsOf<TSchema> = InputOf<TSchema, unknown> extends object ? InputOf<TSchema, unknown> : unknown;

/** What a task of this contract carries, as the caller sends it; `unknown` without a schema. */
export type InputOfContract<TContract extends ActorContract> =
  TaskOf<TContract> extends { readonly input?: infer TSchema } ? InputOf<TSchema, unknown> : unknown;

/** What a turn of this contract replies; `unknown` without a schema. */
export type OutputOfContract<TContract extends ActorContract> =
  TaskOf<TContract> extends { readonly output?: infer TSchema } ? OutputOf<TSchema, unknown> : unknown;

/** The events of this contract, as they are sent; any event without schemas. */
export type EventOfContract<TContract extends ActorContract> =
  SchemasOf<TContract> extends infer TEvents
    ? [keyof TEvents & string] extends [never]
      ? AnyEvent
      : { [TType in keyof TEvents & string]: Flat<{ readonly type: TType } & FieldsOf<TEvents[TType]>> }[keyof TEvents &
          string]
    : never;
