/** An agent: a definition that remembers the types of its machine and schemas. */
import type { ActorDefinition } from '@troupe/core';
import type { AnyStateMachine, ContextFrom, EventFrom, OutputFrom, SnapshotFrom } from 'xstate';
import type { Schema } from './schema.ts';
import type { TaskEvent } from './task-event.ts';

/** What goes in and out of an agent. Types only: there is no such value. */
export interface AgentTypes {
  /** What a task carries, as the caller sends it. */
  readonly input: unknown;
  /** What a turn replies, as the caller gets it. */
  readonly output: unknown;
  /** The events that it takes as tasks or signals, as they are sent. */
  readonly event: unknown;
}

/** Made by `defineAgent`. Everything that takes an `ActorDefinition` takes it. */
export interface Agent<
  TType extends string = string,
  TMachine extends AnyStateMachine = AnyStateMachine,
  TTypes extends AgentTypes = AgentTypes,
> extends Omit<ActorDefinition, 'machine' | 'task' | 'events'> {
  readonly type: TType;
  readonly machine: TMachine;
  readonly task: Omit<ActorDefinition['task'], 'input' | 'output'> & {
    readonly input: Schema<TTypes['input']> | undefined;
    readonly output: Schema<TTypes['output']> | undefined;
  };
  /** By event type. A schema is there only where one was given; the types are those of the machine's events otherwise. */
  readonly events: SchemasOfEvents<TTypes['event']>;
  /** Never there at run time; carries the types for `troupe.actor(agent, key)`. */
  readonly '~types'?: TTypes;
}

/** What `troupe.actor(agent, key)` of the client takes an agent's events from. */
export type SchemasOfEvents<TEvent> = {
  readonly [TType in Extract<TEvent, { readonly type: string }>['type']]: Schema<
    Omit<Extract<TEvent, { readonly type: TType }>, 'type'>
  >;
};

/** Any agent or plain definition. */
export type AnyAgent = ActorDefinition | Agent<string, AnyStateMachine, AgentTypes>;

/** What callers may send as a task: its input, or one of its events. */
export type AgentTask<TAgent> = AgentTypesOf<TAgent>['input'] | AgentTypesOf<TAgent>['event'];

/** What callers may send as a signal. */
export type AgentSignal<TAgent> = AgentTypesOf<TAgent>['event'];

/** What callers get. */
export type AgentOutput<TAgent> = AgentTypesOf<TAgent>['output'];

/** The machine's context. */
export type AgentContext<TAgent> = TAgent extends { readonly machine: infer TMachine }
  ? NotAny<ContextFrom<TMachine>>
  : unknown;

/** The machine's state value. */
export type AgentValue<TAgent> = TAgent extends { readonly machine: infer TMachine extends AnyStateMachine }
  ? NotAny<SnapshotFrom<TMachine>['value']>
  : unknown;

/** The machine's own output, once it is done. */
export type AgentFinalOutput<TAgent> = TAgent extends { readonly machine: infer TMachine extends AnyStateMachine }
  ? NotAny<OutputFrom<TMachine>>
  : unknown;

/** The types that an agent carries; unknown for a plain definition. */
export type AgentTypesOf<TAgent> = TAgent extends { readonly '~types'?: infer TTypes }
  ? Exclude<TTypes, undefined> extends infer TFound extends AgentTypes
    ? TFound
    : AgentTypes
  : AgentTypes;

/** `unknown` where a library says `any`. */
export type NotAny<T> = 0 extends 1 & T ? unknown : T;

/** Input of the machine's `TaskEvent`, or unknown when it has none. */
export type MachineTaskInput<TMachine extends AnyStateMachine> = [TaskEventOf<TMachine>] extends [never]
  ? unknown
  : TaskEventOf<TMachine> extends { input: infer TInput }
    ? NotAny<TInput>
    : unknown;

/** The machine's `TaskEvent`; never when it has none. */
export type TaskEventOf<TMachine extends AnyStateMachine> = string extends EventFrom<TMachine>['type']
  ? never
  : Extract<EventFrom<TMachine>, TaskEvent<never> | { type: 'task' }>;

/** The machine's events apart from `TaskEvent`, as callers send them; anything for a machine without event types. */
export type MachineEvents<TMachine extends AnyStateMachine> = string extends EventFrom<TMachine>['type']
  ? { readonly type: string; readonly [field: string]: unknown }
  : Exclude<EventFrom<TMachine>, { type: 'task' }>;
