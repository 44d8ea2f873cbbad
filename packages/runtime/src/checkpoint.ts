/**
 * The checkpoint of a partition: one record that a new owner starts from (R3).
 *
 * Invariants
 * 1. Written by compare-and-set and only under the epoch it carries: an older owner can't write it.
 * 2. A new owner writes its epoch into it before it reads the journal.
 * 3. `mark <= done + 1`; below the mark every entry is covered by a stored snapshot, or parked (R1, R2).
 * 4. An actor all of whose entries are below the mark, and that somebody must wake, is on `woken`.
 */
import { TroupeError } from '@troupe/wire';
import type { RecordPort } from './ports.ts';
import type { Deaths } from './quarantine.ts';

/** Code of one type, as far as later owners must know it. */
export interface FoldingCode {
  /** Of the code that new actors began with. */
  readonly version: number;
  readonly hash: string;
  /** Oldest version that any owner had at hand: a state of an older one was folded no further. Absent: unknown. */
  readonly oldest?: number;
}

export interface Checkpoint extends Deaths {
  readonly format: 1;
  readonly epoch: number;
  readonly worker: string;
  /** One-shot effects of entries up to here are done; their next owner need not repeat them. */
  readonly done: number;
  /** Reading starts here: the low-water mark. */
  readonly mark: number;
  /** `type/key` of actors that must be woken at takeover. */
  readonly woken: readonly string[];
  /** Entries of the partition are parked: a new owner looks whose. Absent: none. */
  readonly parked?: boolean;
  /** By type, the code that folded what lies between mark and head. */
  readonly types: Readonly<Record<string, FoldingCode>>;
  /** By unknown type, the last sequence refused: what was refused stays refused when the type appears. */
  readonly refused: Readonly<Record<string, number>>;
  /** Handed over in good order: nobody has folded anything at or above the mark. */
  readonly released: boolean;
}

export const FIRST_CHECKPOINT: Checkpoint = {
  format: 1,
  epoch: 0,
  worker: '',
  done: 0,
  mark: 1,
  woken: [],
  quarantine: [],
  types: {},
  refused: {},
  released: true,
};

export function checkpointKey(partition: number): string {
  return `checkpoint.${partition}`;
}

export async function readCheckpoint(
  records: RecordPort,
  partition: number,
): Promise<{ readonly revision: number; readonly checkpoint: Checkpoint }> {
  const record = await records.get(checkpointKey(partition));
  if (record === undefined) return { revision: 0, checkpoint: FIRST_CHECKPOINT };
  const checkpoint = record.value as Checkpoint;
  if (checkpoint.format !== 1) {
    throw new TroupeError(
      'JournalGap',
      `Checkpoint of partition ${partition} has format ${String(checkpoint.format)}; this worker reads 1. Run the Troupe version that wrote it, or a newer one.`,
    );
  }
  return { revision: record.revision, checkpoint };
}

/** Whether two checkpoints say the same, so that nothing need be written. */
export function sameCheckpoint(a: Checkpoint, b: Checkpoint): boolean {
  return (
    a.done === b.done &&
    a.mark === b.mark &&
    a.epoch === b.epoch &&
    a.released === b.released &&
    a.woken.length === b.woken.length &&
    a.woken.every((one, at) => one === b.woken[at]) &&
    a.types === b.types &&
    a.refused === b.refused &&
    a.quarantine === b.quarantine &&
    (a.parked ?? false) === (b.parked ?? false) &&
    (a.deaths ?? 0) === (b.deaths ?? 0) &&
    a.stepping === b.stepping
  );
}
