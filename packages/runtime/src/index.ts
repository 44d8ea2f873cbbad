/** Who runs which actor, where and when. See README.md for the map of this package. */
export { assign, type Candidate, type Code, type Place } from './assignment.ts';
export { DURATION_BUCKETS_S } from './duration-buckets.ts';
export { EFFECT_KINDS_MAX, type EffectFigure } from './effect-figures.ts';
export { machineStructure } from './inspection-control.ts';
export type { EffectNotice, Instrument, InstrumentedActor, StepNotice } from './instrument.ts';
export { type Log, SILENT } from './log.ts';
export { type ResolvedWorkerOptions, resolveWorkerOptions, type WorkerOptions } from './options.ts';
export type { TypeCounters, WorkerCounters } from './partition-host.ts';
export {
  type ActorRange,
  type BusMessage,
  type BusPort,
  type Clock,
  type DeadLetter,
  type DeadLetterPort,
  type JournalInfo,
  type JournalPort,
  type JournalReader,
  type ParkedEntry,
  type ParkingPort,
  type PinnedCode,
  PortError,
  type PortFailureKind,
  type Ports,
  type ReaderOptions,
  type RecordPort,
  type SaveResult,
  type SnapshotPort,
  type StoredSnapshot,
  type TickPort,
  type Timer,
} from './ports.ts';
export { type StartWorkerOptions, startWorker, type Worker, type WorkerStats } from './worker.ts';
