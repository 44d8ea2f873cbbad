/** What one actor does with one entry. See README.md for the map of this package. */
export {
  type ActorDefinition,
  type ActorOptions,
  DEFAULT_EFFECT,
  defineActor,
  definitionFor,
  type EffectOptions,
  type ResolvedEffectOptions,
  type StoredState,
  type WaitPolicy,
} from './definition.ts';
export { type Effect, effectIdOf, parseEffectId, type ReplyEffect } from './effect.ts';
export { type EffectScope, effectId, installEffectScope, withEffectId } from './effect-scope.ts';
export { createEffectLogic, createReplyAction, createTellAction } from './machine/index.ts';
export type {
  ActionHost,
  InvokeKind,
  MachineDriver,
  MachineEvent,
  MachineState,
  MachineView,
  RunningChild,
} from './machine/types.ts';
export { migrateState } from './migrate.ts';
export { fold } from './replay.ts';
export { NO_RETRY, type RetryPolicy, retryDelayMs } from './retry.ts';
export { ENTRIES_MAX, isSnapshotDue, type SinceSnapshot } from './snapshot-policy.ts';
export {
  type ActorState,
  emptyState,
  type OpenEffect,
  type OpenTurn,
  type PendingTimer,
  type StashedInput,
} from './state.ts';
export { type StepResult, step } from './step/step.ts';
export { decodeStoredState, STATE_FORMAT, type StoredActorState, storedVersion, storeState } from './stored-state.ts';
