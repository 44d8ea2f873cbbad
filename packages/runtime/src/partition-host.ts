/** What a partition needs of its worker, and how it ends what is under way when it is given up. */
import type { ActorDefinition } from '@troupe/core';
import type { DecodeEntryOptions, Subjects } from '@troupe/wire';
import { retryWhile } from './backoff.ts';
import type { EffectRunner } from './effect-runner.ts';
import type { Log } from './log.ts';
import type { Observer } from './observer.ts';
import type { ResolvedWorkerOptions } from './options.ts';
import type { Outbox } from './outbox.ts';
import type { Pace } from './pace.ts';
import type { PartitionOwner } from './partition-owner.ts';
import type { Clock, Ports } from './ports.ts';
import type { JournalPressure } from './pressure.ts';
import type { Slots } from './slots.ts';

export interface PartitionHost {
  readonly workerId: string;
  readonly ports: Ports;
  readonly clock: Clock;
  readonly subjects: Subjects;
  readonly options: ResolvedWorkerOptions;
  readonly log: Log;
  readonly observer: Observer;
  readonly pace: Pace;
  readonly decoding: DecodeEntryOptions;
  readonly dev: boolean;
  readonly definitions: ReadonlyMap<string, ActorDefinition>;
  /** Types that have ended: what comes for them is refused. */
  readonly retired: ReadonlySet<string>;
  readonly outbox: Outbox;
  readonly runner: EffectRunner;
  readonly snapshotSlots: Slots;
  readonly counters: WorkerCounters;
  readonly pressure: JournalPressure;
  /** Whether the worker's lease is young enough for effects (R5). */
  readonly leaseFresh: boolean;
  /** Whether a worker is not known to be dead. */
  lives(worker: string): boolean;
  /** Answers what others forward about this partition. */
  serveForwarded(partition: number): { close(): void };
  /** The partition can't go on; it is dropped and may be claimed again. */
  lost(partition: PartitionOwner, reason: string): void;
}

export interface WorkerCounters {
  entries: number;
  turns: number;
  deadLetters: number;
  snapshots: number;
  wakes: number;
  repeats: number;
  /** Partitions claimed. */
  claims: number;
  /** Those that had another owner before, dead or alive. */
  takeovers: number;
  checkpoints: number;
  /** Turns ended, by type. */
  readonly byType: Map<string, TypeCounters>;
}

export interface TypeCounters {
  turns: number;
  /** Those that ended with an error. */
  failed: number;
  /** Time of those that were not done by an owner before, by the journal's clock, seconds. */
  seconds: number;
  /** The same turns per bound of `DURATION_BUCKETS_S`, not cumulated, and one for what took longer. */
  readonly buckets: number[];
}

/** Ends what is under way for a partition that was given up. */
export class Dropped extends Error {}

/** Rethrows everything but `Dropped`. */
export function unlessDropped(error: unknown): void {
  if (!(error instanceof Dropped)) throw error;
}

/** Repeats until it succeeds. @throws Dropped when the partition is given up meanwhile. */
export async function insist<T>(clock: Clock, isDropped: () => boolean, call: () => Promise<T>): Promise<T> {
  let done: { readonly value: T } | undefined;
  await retryWhile(
    clock,
    () => !isDropped(),
    async () => {
      done = { value: await call() };
    },
  );
  if (done === undefined || isDropped()) throw new Dropped();
  return done.value;
}
