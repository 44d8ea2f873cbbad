/** What one actor does with one entry. See README.md for the map of this package. */
export {
  type ActorDefinition,
  type ActorOptions,
  aliasOf,
  DEFAULT_EFFECT,
  defineActor,
  definitionFor,
  type EffectOptions,
  type ResolvedEffectOptions,
  type StoredState,
  type WaitPolicy,
} from './definition.ts';
export {
  describeState,
  describeTimers,
  type EffectDescription,
  type StateDescription,
  type TimerDescription,
} from './describe.ts';
export {
  type ActionEffect,
  type AnswerEffect,
  type AskEffect,
  type CancelEffect,
  type ChildEventEffect,
  type DeadLetterEffect,
  type Effect,
  type EffectBase,
  type EmitEffect,
  effectIdOf,
  type InvokeEffect,
  type LogEffect,
  parseEffectId,
  type ReplyEffect,
  type SendEffect,
} from './effect.ts';
export {
  type EffectContext,
  type EffectScope,
  effectId,
  installEffectScope,
  progress,
  withEffectId,
} from './effect-scope.ts';
export {
  createEffectLogic,
  createReplyAction,
  createTellAction,
  type EffectKind,
  type EffectMeta,
  type ReplyExpression,
  type ReplyKind,
  recordTransitions,
  type TellAddress,
  type TellExpression,
} from './machine/index.ts';
export type {
  Acceptance,
  ActionHost,
  ChildView,
  InvokeKind,
  LogicInfo,
  MachineAction,
  MachineDriver,
  MachineEvent,
  MachineScope,
  MachineState,
  MachineStep,
  MachineView,
  RunningChild,
  StartChildOptions,
} from './machine/types.ts';
export { migrateState } from './migrate.ts';
export { PersistentMap } from './persistent-map.ts';
export { fold } from './replay.ts';
export { NO_RETRY, type RetryPolicy, retryDelayMs } from './retry.ts';
export { ENTRIES_MAX, isSnapshotDue, type SinceSnapshot } from './snapshot-policy.ts';
export {
  type ActorState,
  emptyState,
  type OpenEffect,
  type OpenTurn,
  type PendingTimer,
  type RecentOutcome,
  type SenderMark,
  type StashedInput,
  type TurnOrigin,
  type TurnStart,
} from './state.ts';
export { type StepResult, step } from './step/step.ts';
export {
  observeState,
  observeTurn,
  type StepRecord,
  stepCorrelation,
  stepFacts,
  stepTrace,
  turnDurationMs,
} from './step-facts.ts';
export {
  decodeStoredState,
  STATE_FORMAT,
  type StoredActorState,
  type StoredTurn,
  storedVersion,
  storeState,
} from './stored-state.ts';
export { type Kept, type Pending, type Remembered, type StoredTaskMemory, TaskMemory } from './task-memory.ts';
export type { NumberRange, TaskKey, TaskRun } from './task-runs.ts';
