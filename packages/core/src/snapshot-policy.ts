/**
 * When a snapshot is worth its bytes.
 *
 * A snapshot is due after `everyEntries` entries, but not before the entries folded since the last
 * one take as many bytes as that one did: so snapshots never cost more than the journal itself, at
 * turn 10 and at turn 5,000 alike. `ENTRIES_MAX` bounds the fold that a restart has to do.
 */
export const ENTRIES_MAX = 2_048;

export interface SinceSnapshot {
  /** Entries folded since the last snapshot. */
  readonly entries: number;
  /** Their stored bytes together. */
  readonly bytes: number;
  /** Size of the last snapshot, bytes; 0 when there is none. */
  readonly lastBytes: number;
}

/** @example isSnapshotDue({ entries: 64, bytes: 12_800, lastBytes: 4_000 }, 64) // true */
export function isSnapshotDue(since: SinceSnapshot, everyEntries: number): boolean {
  if (since.entries < everyEntries) return false;
  return since.bytes >= since.lastBytes || since.entries >= Math.max(ENTRIES_MAX, everyEntries);
}
