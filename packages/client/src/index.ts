/** Talking to actors from outside: ask, send, signal, query, watch. */

export {
  type ActorAddress,
  type ContentType,
  type ErrorCode,
  isTroupeError,
  type TraceContext,
  TroupeError,
} from '@troupe/wire';
export { ActorRef } from './actor-ref.ts';
export type {
  Accepted,
  AskOptions,
  Progress,
  ReadOptions,
  SendingOptions,
  SendOptions,
  SignalOptions,
  TaskOptions,
} from './call-options.ts';
export { connect } from './connect.ts';
export type {
  ActorContract,
  AnyEvent,
  EventOfContract,
  EventOfSchema,
  InputOfContract,
  OutputOfContract,
  SchemaInput,
  SchemaLike,
  SchemaOutput,
} from './contract.ts';
export type { HistoryEntry, HistoryOptions } from './history.ts';
export type { ActorPage, ActorSummary, ListOptions } from './listing.ts';
export type { ConnectOptions } from './options.ts';
export type { OutcomeView, TaskOutcome } from './outcome.ts';
export { matchesState, type StateFields, type StateValue, type StateView, type TimerView } from './state-view.ts';
export type { ClientSpan, TracingOptions } from './tracing.ts';
export { type CloseOptions, Troupe, type TroupeStatus } from './troupe.ts';
export type { WaitForOptions } from './wait-for.ts';
export { Watch, type WatchEvent, type WatchedEvent, type WatchedOutcome, type WatchOptions } from './watch.ts';
