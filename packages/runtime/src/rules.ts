/**
 * The guards of ownership, as switches for the simulation: it turns one off and has to fail. They are on in every process
 * that doesn't do so by hand; no option, file or variable reaches them. Numbers: docs/design/ownership.md.
 */
export const rules = {
  /** R1: a snapshot at S waits until what was sent up to S is acknowledged. */
  snapshotAfterSends: true,
  /** R2: the done mark is contiguous, never a maximum. */
  doneContiguous: true,
  /** R3: a checkpoint is written by compare-and-set. */
  checkpointCompared: true,
  /** R3: a new owner writes its epoch before it reads. */
  epochFirst: true,
  /** R3: what is still being woken stays on the list. */
  wakingListed: true,
  /** R4: purge by the mark of the last acknowledged checkpoint only. */
  purgeAcknowledged: true,
  /** R4: purge only what stored snapshots cover. */
  purgeCovered: true,
  /** R4: nothing young is purged. */
  purgeAged: true,
  /** R5: effects start only while the lease is fresh. */
  freshLease: true,
  /** R5: the lease counts only once the partitions' records were read in the same round. */
  recordsRead: true,
  /** R6: being at the head expires. */
  headExpires: true,
  /** R6: the epoch is read again after first reaching the head. */
  epochAgain: true,
  /** R7: snapshots are written by compare-and-set. */
  snapshotCompared: true,
  /** R7: what another owner stored is never overwritten. */
  snapshotAdopted: true,
  /** R8: snapshots are read from the leader. In memory only: the adapter knows no other read. */
  leaderReads: true,
  /** R9: one unconfirmed publish per sender and receiver. */
  lanes: true,
  /** R11: `retry: never` starts under its own first claim only. */
  claims: true,
  /** R12: a wake-up is removed only after its entry is journaled. */
  tickJournaled: true,
  /** R14: no effect before the head that was read after the claim. */
  catchUp: true,
};

/** Sizes that the simulation makes smaller, so that minutes show what takes hours. */
export const sizes = {
  /** Entries younger than this are not purged, whatever a policy says; it covers any lease TTL many times over. */
  purgeAgeMsMin: 600_000,
};
