/** The front door: what a project needs to define its agents. */

export type { ActorDefinition, EffectOptions, RetryPolicy, StoredState, WaitPolicy } from '@troupe/core';
export { aliasOf, effectId, progress } from '@troupe/core';
export type { EntryRange } from '@troupe/inspect';
export {
  type ActorAddress,
  type AnyCode,
  CODES,
  type ErrorCode,
  formatAddress,
  isTroupeError,
  parseAddress,
  TroupeError,
} from '@troupe/wire';
export type { ActionParams, AnyValue, Expression, PlainAction } from './action-types.ts';
export type {
  Agent,
  AgentContext,
  AgentFinalOutput,
  AgentOutput,
  AgentSignal,
  AgentTask,
  AgentTypes,
  AgentTypesOf,
  AgentValue,
  AnyAgent,
  MachineEvents,
  MachineTaskInput,
  NotAny,
  SchemasOfEvents,
  TaskEventOf,
} from './agent.ts';
export type { AgentPolicies, ContractAgentOptions, OwnAgentOptions, TaskPolicies } from './agent-options.ts';
export { type AskInput, type AskLogic, ask, type UntypedAskLogic } from './ask.ts';
export type {
  DevConfig,
  DoctorConfig,
  LogLevel,
  NatsConfig,
  ProcessConfig,
  StreamsConfig,
  TracesConfig,
  TroupeConfig,
  TroupeConfigOptions,
} from './config.ts';
export {
  type AnyContract,
  type Contract,
  type ContractEvent,
  type ContractInput,
  type ContractMachineEvent,
  type ContractOptions,
  type ContractOutput,
  contract,
} from './contract.ts';
export { type ContractTypes, defineAgent, type OwnTypes } from './define-agent.ts';
export { defineConfig } from './define-config.ts';
export type { FailReason } from './fail.ts';
export { fail } from './fail.ts';
export type { JournalState, PendingWork } from './journal-state.ts';
export {
  type JournalStep,
  type OpenedJournal,
  type OpenJournalOptions,
  openJournal,
} from './open-journal.ts';
export { reply } from './reply.ts';
export type {
  EventSchemas,
  EventsReceived,
  EventsSent,
  Fields,
  Flat,
  Schema,
  SchemaInput,
  SchemaOutput,
} from './schema.ts';
export type { TaskEvent, TaskInfo } from './task-event.ts';
export { type AnyEvent, type TellEvent, type TellOptions, tell } from './tell.ts';
