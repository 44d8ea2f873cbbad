/** What an actor in memory needs of the partition it lives in. */
import type { ActorDefinition, ActorState, Effect } from '@troupe/core';
import type { ActorAddress, DecodeEntryOptions, JournalEntry, StoredMessage } from '@troupe/wire';
import type { ActorCell } from './actor-cell.ts';
import type { Log } from './log.ts';
import type { Observer } from './observer.ts';
import type { ResolvedWorkerOptions } from './options.ts';
import type { Pace } from './pace.ts';
import type { ParkingLot } from './parking-lot.ts';
import type { Clock, PinnedCode, Ports } from './ports.ts';
import type { Quarantined } from './quarantine.ts';

export interface CellHost {
  readonly partition: number;
  readonly epoch: number;
  readonly ports: Ports;
  readonly clock: Clock;
  readonly options: ResolvedWorkerOptions;
  readonly log: Log;
  readonly observer: Observer;
  readonly pace: Pace;
  readonly decoding: DecodeEntryOptions;
  /** The reader has reached the head since the claim: effects may start. */
  readonly live: boolean;
  /** Entries the partition has taken from its reader. */
  readonly entriesTaken: number;
  /** Entries that are never stepped, by sequence. */
  readonly quarantine: ReadonlyMap<number, Quarantined>;
  readonly lot: ParkingLot;
  /** Copies an entry of a suspended actor to where it waits for other code, and owes it until then. */
  park(cell: ActorCell, message: StoredMessage): void;
  /** Folds a parked entry: marked before and after, where owners have died. */
  guarded(cell: ActorCell, seq: number, fold: () => void): Promise<void>;
  /** The code that folds the first entries of actors of a type, as far as it is known. */
  stamped(type: string): PinnedCode | undefined;
  /** An entry waits, or an effect of it is not acknowledged. */
  owe(cell: ActorCell, seq: number): void;
  pay(cell: ActorCell, seq: number): void;
  owes(cell: ActorCell, seq: number): boolean;
  /** So many more (or fewer) entries wait in memory for the state of their actor. */
  queued(count: number): void;
  /**
   * @param before the state that was stepped
   * @param done its one-shot effects were done by an owner before. Default: by the checkpoint.
   */
  perform(
    cell: ActorCell,
    before: ActorState,
    effects: readonly Effect[],
    message: StoredMessage,
    entry: JournalEntry,
    done?: boolean,
  ): void;
  /** The state is there (again): start what is open. */
  woken(cell: ActorCell): void;
  /** A snapshot was stored, or given up. */
  settled(cell: ActorCell): void;
  /** Journals a wake-up for the actor. */
  tick(cell: ActorCell): void;
  /** Runs when fewer than `snapshotsInFlightMax` are being written. */
  snapshotSlot(write: () => Promise<void>): void;
  /** The code that folds the first entries of an actor without a snapshot. */
  firstCode(definition: ActorDefinition, pin?: PinnedCode): ActorDefinition;
  /** The code that may read a stored state. @throws TroupeError when it isn't here. */
  codeFor(
    definition: ActorDefinition,
    version: number,
    hash: string,
    address: ActorAddress,
    pin?: PinnedCode,
  ): ActorDefinition | 'migrate';
  restore(
    definition: ActorDefinition,
    code: ActorDefinition | 'migrate',
    address: ActorAddress,
    data: unknown,
  ): ActorState;
  /** The journal and a snapshot contradict each other: the partition is taken over again. */
  gap(reason: string): void;
  /** Two folds of the same entries disagree. */
  divergence(cell: ActorCell, seq: number): void;
}
