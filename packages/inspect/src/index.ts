/** Looking inside: what workers tell, what journals hold, and the formats that other inspectors read. */
export {
  CAPSULE_FORMAT,
  type Capsule,
  type CapsuleEntry,
  finalOf,
  type OpenCapsule,
  openCapsule,
  parseCapsule,
  type ReplayEntry,
} from './capsule/capsule.ts';
export { type DdminOptions, type DdminResult, ddmin } from './capsule/ddmin.ts';
export { type MadeCapsule, type MakeCapsuleOptions, makeCapsule } from './capsule/make-capsule.ts';
export { type Expectation, type ExpectedStep, type ReplayedStep, replaySteps } from './capsule/replay.ts';
export { type ShrinkOptions, type ShrunkCapsule, shrinkCapsule } from './capsule/shrink.ts';
export { describeFailure, type FailureKind, isSameFailure, type StepFailure } from './capsule/step-failure.ts';
export { CORRELATE_MAX, correlate, type SequenceDiagram, type SequenceMessage } from './correlate.ts';
export { CHANGES_MAX, type Change, diffValues } from './diff.ts';
export type { FoldedStep } from './fold.ts';
export { type Fork, forkState } from './fork.ts';
export type { HistoryPorts, KeptSnapshot } from './history-ports.ts';
export type { InspectorSocket } from './outbound.ts';
export { createStatelyFeed, type FeedOptions } from './stately-feed.ts';
export { type RequestBus, requestStructures, type StructureOf } from './structure-of.ts';
export {
  diffStates,
  type EntryRange,
  History,
  type HistoryOptions,
  type HistorySpan,
  openHistory,
  type PageRange,
  type StepRecord,
  Timeline,
} from './time-travel.ts';
export { type InspectBus, type WatchClock, type WatchOptions, watchActors } from './watch.ts';
export { createXStateInspectFeed, type XStateInspectFeedOptions } from './xstate-inspect-feed.ts';
