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

/** What may be handed to a schema; `unknown` for what is none. */
export type SchemaInput<TSchema> = TSchema extends { readonly '~standard': { readonly types?: infer TTypes } }
  ? NonNullable<TTypes> extends { readonly input: infer TIn }
    ? TIn
    : unknown
  : unknown;

/** What a schema makes of it; `unknown` for what is none. */
export type SchemaOutput<TSchema> = TSchema extends { readonly '~standard': { readonly types?: infer TTypes } }
  ? NonNullable<TTypes> extends { readonly output: infer TOut }
    ? TOut
    : unknown
  : unknown;

/** An event of this type with the fields of this schema; none for a schema of nothing. */
export type EventOfSchema<TType extends string, TSchema> =
  SchemaInput<TSchema> extends infer TFields
    ? TFields extends Readonly<Record<string, never>> // No fields, to some libraries; it would forbid `type` too.
      ? { readonly type: TType }
      : TFields extends object
        ? { readonly type: TType } & TFields
        : { readonly type: TType }
    : never;

/** What a task of this contract carries, as the caller sends it; `unknown` without a schema. */
export type InputOfContract<TContract extends ActorContract> = TContract extends {
  readonly task?: { readonly input?: infer TSchema } | undefined;
}
  ? SchemaInput<NonNullable<TSchema>>
  : unknown;

/** What a turn of this contract replies; `unknown` without a schema. */
export type OutputOfContract<TContract extends ActorContract> = TContract extends {
  readonly task?: { readonly output?: infer TSchema } | undefined;
}
  ? SchemaOutput<NonNullable<TSchema>>
  : unknown;

/** The events of this contract, as they are sent; any event without schemas. */
export type EventOfContract<TContract extends ActorContract> = TContract extends { readonly events?: infer TEvents }
  ? [keyof NonNullable<TEvents> & string] extends [never]
    ? AnyEvent
    : {
        [TType in keyof NonNullable<TEvents> & string]: EventOfSchema<TType, NonNullable<TEvents>[TType]>;
      }[keyof NonNullable<TEvents> & string]
  : AnyEvent;
