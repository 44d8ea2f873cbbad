/**
 * What schemas say about types. Any library that speaks Standard Schema will do (https://standardschema.dev): zod,
 * valibot, arktype and others.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** A schema of any library. It has to validate synchronously: a step can't wait. */
export type Schema<TIn = unknown, TOut = TIn> = StandardSchemaV1<TIn, TOut>;

/** What may be handed to a schema: what callers send. */
export type SchemaInput<TSchema extends Schema> = StandardSchemaV1.InferInput<TSchema>;

/** What a schema makes of it: what the machine sees. */
export type SchemaOutput<TSchema extends Schema> = StandardSchemaV1.InferOutput<TSchema>;

/** Schemas of events, by event type. */
export type EventSchemas = Readonly<Record<string, Schema>>;

/** The events that schemas describe, as they are sent. */
export type EventsSent<TEvents extends EventSchemas> = {
  [TType in keyof TEvents & string]: Flat<{ readonly type: TType } & Fields<SchemaInput<TEvents[TType]>>>;
}[keyof TEvents & string];

/** The same events as the machine gets them. */
export type EventsReceived<TEvents extends EventSchemas> = {
  [TType in keyof TEvents & string]: Flat<{ type: TType } & Fields<SchemaOutput<TEvents[TType]>>>;
}[keyof TEvents & string];

/** An object without fields is `Record<string, never>` to some libraries, which would forbid the field `type`. */
export type Fields<T> = T extends Readonly<Record<string, never>> ? unknown : T;

/** One object type instead of an intersection, for readable hints. */
export type Flat<T> = { [K in keyof T]: T[K] };
