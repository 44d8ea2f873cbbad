/**
 * One actor in memory: its state, what it still owes, and when it is snapshotted and woken.
 *
 * Invariants
 * 1. Entries are folded in sequence order, each once; while the snapshot is being read they wait in
 *    the queue, and the partition's done mark waits with them (R2).
 * 2. R1: a state serialised at S is stored only once every one-shot effect of this actor caused by
 *    entries at or below S is acknowledged.
 * 3. R7: after a failed compare-and-set the stored snapshot is read, never overwritten: one that this
 *    fold passed through is adopted, one ahead replaces the state, anything else is `JournalGap`.
 * 4. A cell that was dropped does nothing more, whatever comes back to it.
 * 5. What is parked of the actor below the first entry that is given to the cell is folded first, in order; what a suspended
 *    cell is given is parked.
 * 6. A quarantined entry is refused, not stepped; a stored snapshot that covers one without having skipped it is never
 *    adopted.
 */
import {
  type ActorDefinition,
  type ActorState,
  definitionFor,
  type Effect,
  emptyState,
  isSnapshotDue,
  step,
  storedVersion,
  storeState,
} from '@troupe/core';
import { refuseEntry } from '@troupe/core/internal';
import {
  type ActorAddress,
  decodeEntry,
  decodeState,
  encodeState,
  formatAddress,
  fromFailureRecord,
  hash53,
  type JournalEntry,
  type StoredMessage,
  TroupeError,
} from '@troupe/wire';
import { retryWhile } from './backoff.ts';
import type { CellHost } from './cell-host.ts';
import { estimateBytes } from './passivation.ts';
import type { PinnedCode, StoredSnapshot, Timer } from './ports.ts';
import { assertHarmless, quarantined, unskipped } from './quarantine.ts';
import { rules } from './rules.ts';
import { SeqTracker } from './seq-tracker.ts';

/** Where a cell begins. */
export interface CellPlace {
  /** As in a subject: `type.key`, encoded. */
  readonly name: string;
  /** Its entries from here on come from the reader. */
  readonly fromSeq: number;
  /** Entries up to here were refused while nobody had its type, and stay so. */
  readonly refusedUpTo: number;
}

/** Snapshots that are kept of an actor; with fewer, none was forgotten. */
const SNAPSHOTS_KEPT = 10;

/** A wake-up due within this time of a journaled tick counts as fired, ms: setting it again costs little, missing it a timer. */
const TICK_SLACK_MS = 60_000;

interface WantedSnapshot {
  readonly seq: number;
  readonly count: number;
  readonly hash: string;
  readonly bytes: Uint8Array;
}

export class ActorCell {
  readonly address: ActorAddress;
  readonly definition: ActorDefinition;
  readonly name: string;
  readonly refusedUpTo: number;
  /** One-shot effects that are not acknowledged, by the entry that caused them. */
  readonly owed = new SeqTracker();
  /** Undefined while the snapshot is being read. */
  state: ActorState | undefined;
  /** Why entries can't be folded here; they are parked. */
  suspended: TroupeError | undefined;
  /** First entry no stored snapshot covers; 0 when all are covered. */
  dirtySince = 0;
  dirtyAtMs = 0;
  /** Entries the partition had taken by then. */
  dirtyAtEntry = 0;
  lastUsedMs: number;
  /** Failed turns since it was loaded. */
  failures = 0;
  /** When the server will wake it, Unix ms; undefined when no durable wake-up is known. */
  tickAt: number | undefined;
  dropped = false;

  readonly #host: CellHost;
  #queue: StoredMessage[] = [];
  #revision = 0;
  #storedSeq = 0;
  #storedBytes = 0;
  /** Sequences folded since the stored snapshot, to recognise another owner's snapshot (R7). */
  #passed: number[] = [];
  #sinceBytes = 0;
  readonly #fromSeq: number;
  /** What was parked, or has arrived meanwhile, is being folded. */
  #resuming = false;
  /** Of those who wait until it is awake. */
  #awake: PromiseWithResolvers<void> | undefined;
  /** Entries that were parked once: what they cause was not done then, whatever the checkpoint says. */
  #undone: ReadonlySet<number> = new Set();
  /** Quarantined entries that the state has skipped (invariant 6). */
  #skipped: readonly number[] = [];
  /** Of the stored snapshot, while it is the state that nobody here can fold. */
  #storedCode: PinnedCode | undefined;
  #wanted: WantedSnapshot | undefined;
  #saving = false;
  #timer: Timer | undefined;
  #armedFor = Number.POSITIVE_INFINITY;
  /** Due time of the durable wake-up that is being set; undefined when it has fired before that was acknowledged. */
  #setting: number | undefined;

  constructor(host: CellHost, address: ActorAddress, definition: ActorDefinition, place: CellPlace) {
    this.#host = host;
    this.name = place.name;
    this.#fromSeq = place.fromSeq;
    this.refusedUpTo = place.refusedUpTo;
    this.address = address;
    this.definition = definition;
    this.lastUsedMs = host.clock.monotonic();
  }

  get partition(): number {
    return this.#host.partition;
  }

  get waking(): boolean {
    return this.state === undefined || this.#resuming;
  }

  /** First entry that waits to be folded, or Infinity. */
  get firstQueued(): number {
    return this.#queue[0]?.seq ?? Number.POSITIVE_INFINITY;
  }

  /** Sequence of the stored snapshot; 0 without one. */
  get storedSeq(): number {
    return this.#storedSeq;
  }

  /** The code that goes on from here, as far as it is known. */
  get foldedBy(): PinnedCode | undefined {
    if (this.state !== undefined) return { version: this.state.version, hash: this.state.hash };
    return this.#storedCode ?? this.#host.stamped(this.definition.type);
  }

  /** Whether a new owner has to load this actor without an entry telling it so. */
  get wakeful(): boolean {
    const { state } = this;
    // What is parked tells of it as well.
    if (this.suspended !== undefined) return !this.#host.lot.has(this.name);
    if (state === undefined) return true;
    for (const effect of state.effects.values()) if (effect.kind !== 'ask') return true;
    return Number.isFinite(state.nextDueAt) && (this.tickAt === undefined || this.tickAt > state.nextDueAt);
  }

  /** Whether the owner runs something for it, so that it can't be unloaded. */
  get running(): boolean {
    if (this.state === undefined || this.state.effects.size === 0) return false;
    for (const effect of this.state.effects.values()) if (effect.kind !== 'ask') return true;
    return false;
  }

  /** Whether it may leave the memory once it is snapshotted. */
  get unloadable(): boolean {
    return !this.running && (!this.waking || this.suspended !== undefined);
  }

  /** About how much memory it takes. */
  get bytesEstimated(): number {
    let heldBytes = this.#wanted?.bytes.length ?? 0;
    for (const { payload } of this.#queue) heldBytes += payload.length;
    const { stateBytesMax } = this.definition;
    return estimateBytes({ storedBytes: this.#storedBytes, sinceBytes: this.#sinceBytes, stateBytesMax, heldBytes });
  }

  get clean(): boolean {
    if (this.suspended !== undefined && this.state === undefined) return this.owed.size === 0;
    return (
      this.state !== undefined &&
      this.dirtySince === 0 &&
      this.#wanted === undefined &&
      this.owed.size === 0 &&
      this.#queue.length === 0
    );
  }

  /** Takes the next entry from the journal. */
  receive(message: StoredMessage): void {
    this.lastUsedMs = this.#host.clock.monotonic();
    if (this.suspended !== undefined) {
      this.#host.park(this, message);
      return;
    }
    if (this.waking) {
      this.#host.owe(this, message.seq);
      this.#queue.push(message);
      this.#host.queued(1);
      return;
    }
    this.#fold(message);
  }

  /** Reads the snapshot, then folds what is parked, then what has arrived meanwhile. */
  async wake(): Promise<void> {
    try {
      await this.#load();
    } catch (error) {
      if (!this.dropped) this.#suspend(error);
    }
    if (this.dropped) return;
    // As much per turn of the event loop as the pace allows; what arrives meanwhile waits behind (invariant 1).
    const { pace } = this.#host;
    this.#resuming = true;
    while (this.#queue.length > 0 && this.suspended === undefined) {
      const room = pace.take(this.#queue.length) || (await pace.next(this.#queue.length));
      if (this.dropped) return;
      this.#foldQueue(room);
    }
    this.#resuming = false;
    // Of a suspended actor nothing is folded: it is all parked, in order.
    if (this.#queue.length > 0) this.#foldQueue(this.#queue.length);
    this.#tellAwake();
    this.#host.woken(this);
  }

  /** Resolves once it is no longer waking: everything that waited is folded, or it is suspended, or dropped. */
  whenAwake(): Promise<void> {
    if (!this.waking || this.suspended !== undefined || this.dropped) return Promise.resolve();
    this.#awake ??= Promise.withResolvers<void>();
    return this.#awake.promise;
  }

  /** A wake-up set long ago may be gone; asks for it again, and lets the owner start what is open. */
  rearm(): void {
    const due = this.state?.nextDueAt ?? Number.POSITIVE_INFINITY;
    if (due === this.#armedFor) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedFor = due;
    if (this.dropped) return;
    if (Number.isFinite(due)) this.#arm(due);
    else if (this.tickAt !== undefined) this.#cancelTick();
  }

  /** Serialises the state now, and stores it once R1 allows. */
  requestSnapshot(): void {
    const { state } = this;
    if (state === undefined || this.#wanted !== undefined || this.dirtySince === 0) return;
    const code = definitionFor(this.definition, state.version);
    if (code === undefined) return;
    try {
      const bytes = this.#encode(code, state);
      this.#wanted = { seq: state.seq, count: state.count, hash: String(hash53(bytes)), bytes };
    } catch (error) {
      this.#host.log.error(
        { actor: formatAddress(this.address), error: String(error) },
        'state can not be stored; the actor stays in memory',
      );
      return;
    }
    this.trySave();
  }

  /** Stores the wanted snapshot if nothing it covers is still owed. */
  trySave(): void {
    const wanted = this.#wanted;
    if (wanted === undefined || this.#saving || this.dropped || this.#host.owes(this, wanted.seq)) return;
    this.#saving = true;
    this.#host.snapshotSlot(async () => {
      try {
        await this.#save(wanted);
      } catch (error) {
        if (!this.dropped)
          this.#host.log.error(
            { actor: formatAddress(this.address), seq: wanted.seq, error: String(error) },
            'snapshot was not stored',
          );
        this.#wanted = undefined;
      } finally {
        this.#saving = false;
      }
      this.#host.settled(this);
      // Resolving a conflict may have asked for another one.
      this.trySave();
    });
  }

  drop(): void {
    this.dropped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#queue = [];
    this.#tellAwake();
  }

  #tellAwake(): void {
    this.#awake?.resolve();
    this.#awake = undefined;
  }

  async #load(): Promise<void> {
    const { lot, quarantine } = this.#host;
    if (quarantine.size > 0) assertHarmless([...quarantine.values()], this.name, this.definition);
    const stored = await this.#newestSnapshot();
    if (this.dropped) return;
    const { seqs, above, pin } = await lot.pending(this.name, this.address, stored?.seq ?? 0, this.#fromSeq);
    if (this.dropped) return;
    this.#undone = above;
    this.#resuming = seqs.length > 0;
    if (this.#adoptStored(stored, pin)) await this.#storeMigrated();
    if (seqs.length > 0 && !this.dropped) await this.#resume(seqs);
  }

  /** Invariant 5. */
  async #resume(seqs: readonly number[]): Promise<void> {
    const { lot, log } = this.#host;
    await lot.begin(this.address, this.foldedBy!);
    for (const seq of seqs) {
      const entry = await lot.get(this.address, seq);
      if (this.dropped || this.suspended !== undefined) return;
      if (entry === undefined) {
        throw new TroupeError(
          'JournalGap',
          `Entry ${seq} of ${formatAddress(this.address)} was parked, and is gone. Restore the stream of parked entries from a replica or backup.`,
          { details: { seq } },
        );
      }
      await this.#host.guarded(this, seq, () => this.#fold(entry.message, entry.done));
      if (this.dropped || this.suspended !== undefined) return;
    }
    log.info({ actor: formatAddress(this.address), entries: seqs.length }, 'actor resumed: what was parked is folded');
    this.requestSnapshot();
  }

  /** The newest snapshot that may be adopted (invariant 6). */
  async #newestSnapshot(): Promise<StoredSnapshot | undefined> {
    const { clock, log, partition, ports } = this.#host;
    const wanted = (): boolean => !this.dropped;
    const newest = await retryWhile(clock, wanted, () => ports.snapshots.load(partition, this.address));
    if (newest === undefined || !this.#isRefused(newest)) return newest;
    const history = await retryWhile(clock, wanted, () => ports.snapshots.history(partition, this.address));
    if (history === undefined) return undefined;
    const { revision } = newest;
    const older = history.find((one) => !this.#isRefused(one));
    log.warn(
      { actor: formatAddress(this.address), refused: newest.seq, instead: older?.seq ?? 0 },
      'a stored snapshot covers an entry that was set aside; it is folded anew from before',
    );
    if (older !== undefined) return { ...older, revision };
    if (history.length >= SNAPSHOTS_KEPT) {
      throw new TroupeError(
        'JournalGap',
        `Every stored snapshot of ${formatAddress(this.address)} covers an entry that was set aside. Restore an older one from a backup.`,
      );
    }
    this.#revision = revision;
    return undefined;
  }

  #isRefused(stored: StoredSnapshot): boolean {
    const { quarantine } = this.#host;
    if (quarantine.size === 0) return false;
    const { skipped = [] } = decodeState(stored.bytes) as { skipped?: readonly number[] };
    return unskipped([...quarantine.values()], this.name, stored.seq, skipped).length > 0;
  }

  #encode(code: ActorDefinition, state: ActorState): Uint8Array {
    const stored = storeState(code, state);
    return encodeState(this.#skipped.length === 0 ? stored : { ...stored, skipped: this.#skipped });
  }

  /** @param done what it causes was done before; undefined: as the checkpoint says. */
  #fold(message: StoredMessage, done?: boolean): void {
    const before = this.state!;
    if (message.seq <= before.seq) return;
    const entry = decodeEntry(message, this.#host.decoding);
    if (entry.body.kind === 'invalid' && entry.body.error.code === 'RecordTooNew') {
      // A later release wrote it: refusing it here would be a decision that the others don't share.
      this.#suspend(fromFailureRecord(entry.body.error));
      this.#host.park(this, message);
      return;
    }
    const effects = this.#step(before, entry, message);
    if (effects === undefined) return;
    const bytes = message.payload.length + 96;
    this.#markDirty(message.seq);
    this.#passed.push(message.seq);
    this.#sinceBytes += bytes;
    const undone = this.#undone.size > 0 && this.#undone.has(message.seq);
    this.#host.perform(this, before, effects, message, entry, undone ? false : done);
    if (entry.body.kind === 'tick') this.#ticked(entry.at);
    else this.rearm();
    const since = { entries: this.#passed.length, bytes: this.#sinceBytes, lastBytes: this.#storedBytes };
    if (this.#host.live && isSnapshotDue(since, this.definition.snapshot.everyEntries)) this.requestSnapshot();
  }

  #step(before: ActorState, entry: JournalEntry, message: StoredMessage): readonly Effect[] | undefined {
    const listed = this.#host.quarantine.get(message.seq);
    if (listed !== undefined) {
      const refused = refuseEntry(this.definition, before, entry, quarantined(listed));
      this.state = refused.state;
      this.#skipped = [...this.#skipped, message.seq];
      return refused.effects;
    }
    try {
      const { observer } = this.#host;
      const bytes = message.payload.length;
      const result =
        observer.active && this.#host.live
          ? observer.step(this, before, entry, bytes)
          : step(this.definition, before, entry, bytes);
      this.state = result.state;
      return result.effects;
    } catch (error) {
      this.#suspend(error);
      this.#host.park(this, message);
      return undefined;
    }
  }

  #foldQueue(count: number): void {
    const some = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    if (this.#queue.length === 0) this.#resuming = false;
    for (const message of some) {
      if (this.suspended !== undefined) this.#host.park(this, message);
      else this.#fold(message);
      this.#host.pay(this, message.seq);
    }
    this.#host.queued(-some.length);
  }

  #suspend(error: unknown): void {
    this.suspended =
      error instanceof TroupeError
        ? error
        : new TroupeError('ActorSuspended', `${formatAddress(this.address)} can't be folded: ${String(error)}.`, {
            cause: error,
          });
    this.#host.log.error(
      { actor: formatAddress(this.address), code: this.suspended.code },
      `actor suspended: ${this.suspended.message}`,
    );
    this.#tellAwake();
  }

  #markDirty(seq: number): void {
    if (this.dirtySince !== 0) return;
    this.dirtySince = seq;
    this.dirtyAtEntry = this.#host.entriesTaken;
    this.dirtyAtMs = this.#host.clock.monotonic();
  }

  /** Starts from what is stored, or from nothing. @returns whether the state was migrated on the way. */
  #adoptStored(stored: StoredSnapshot | undefined, pin?: PinnedCode): boolean {
    if (stored === undefined) {
      this.#storedCode = pin;
      const code = this.#host.firstCode(this.definition, pin);
      this.state = emptyState(this.address, code.version, code.hash);
      return false;
    }
    const data = decodeState(stored.bytes);
    const { version, hash } = storedVersion(data);
    this.#storedCode = { version, hash };
    const code = this.#host.codeFor(this.definition, version, hash, this.address, pin);
    this.#base(stored);
    this.#skipped = (data as { skipped?: readonly number[] }).skipped ?? [];
    this.state = this.#host.restore(this.definition, code, this.address, data);
    return code === 'migrate';
  }

  /** The snapshot at the switch point: before the new code folds anything, its state is what is stored. */
  async #storeMigrated(): Promise<void> {
    const { clock, ports, partition } = this.#host;
    const state = this.state!;
    this.state = undefined;
    const bytes = this.#encode(this.definition, state);
    const snapshot = { seq: state.seq, count: state.count, hash: String(hash53(bytes)), bytes };
    const result = await retryWhile(
      clock,
      () => !this.dropped,
      () => ports.snapshots.save(partition, this.address, snapshot, this.#revision),
    );
    if (this.dropped || result === undefined) return;
    if (result.kind === 'conflict') {
      this.#host.gap(`the snapshot of ${formatAddress(this.address)} changed while it was migrated`);
      return;
    }
    this.#base({ revision: result.revision, seq: state.seq, bytes });
    this.state = state;
  }

  #base(stored: Pick<StoredSnapshot, 'revision' | 'seq' | 'bytes'>): void {
    this.#revision = stored.revision;
    this.#storedSeq = stored.seq;
    this.#storedBytes = stored.bytes.length;
    const kept = this.#passed.findIndex((seq) => seq > stored.seq);
    // What came since is taken to have had the mean size: it only decides when the next one is due.
    this.#sinceBytes = kept < 0 ? 0 : this.#sinceBytes * (1 - kept / this.#passed.length);
    this.#passed = kept < 0 ? [] : this.#passed.slice(kept);
    this.dirtySince = this.#passed[0] ?? 0;
    if (this.dirtySince === 0) return;
    this.dirtyAtMs = this.#host.clock.monotonic();
    this.dirtyAtEntry = this.#host.entriesTaken;
  }

  async #save(wanted: WantedSnapshot): Promise<void> {
    const { ports, partition, clock } = this.#host;
    const result = await retryWhile(
      clock,
      () => !this.dropped,
      () => ports.snapshots.save(partition, this.address, wanted, this.#revision),
    );
    if (this.dropped || result === undefined) return;
    if (result.kind === 'saved') {
      this.#wanted = undefined;
      this.#base({ revision: result.revision, seq: wanted.seq, bytes: wanted.bytes });
      return;
    }
    await this.#resolveConflict(wanted);
  }

  async #resolveConflict(wanted: WantedSnapshot): Promise<void> {
    const { ports, partition, clock } = this.#host;
    const stored = await retryWhile(
      clock,
      () => !this.dropped,
      () => ports.snapshots.load(partition, this.address),
    );
    if (this.dropped || this.state === undefined) return;
    this.#wanted = undefined;
    if (stored !== undefined && !rules.snapshotAdopted) {
      this.#revision = stored.revision;
      this.requestSnapshot();
      return;
    }
    if (stored === undefined) {
      this.#host.gap(`the snapshot of ${formatAddress(this.address)} has disappeared`);
      return;
    }
    if (this.#isRefused(stored)) {
      this.#revision = stored.revision;
      this.requestSnapshot();
    } else if (stored.seq === wanted.seq && stored.count === wanted.count) {
      if (stored.hash !== wanted.hash) this.#host.divergence(this, wanted.seq);
      this.#base(stored);
    } else if (stored.seq > this.state.seq) {
      this.#passed = [];
      this.#adoptStored(stored);
      this.#host.woken(this);
    } else if (this.#passedThrough(stored)) {
      this.#base(stored);
      this.requestSnapshot();
    } else {
      this.#host.gap(
        `the stored snapshot of ${formatAddress(this.address)} at ${stored.seq} is not on the way of this fold`,
      );
    }
  }

  #passedThrough(stored: StoredSnapshot): boolean {
    if (stored.seq === this.#storedSeq) return true;
    const at = this.#passed.indexOf(stored.seq);
    return at >= 0 && this.state!.count - (this.#passed.length - 1 - at) === stored.count;
  }

  #arm(due: number): void {
    const { clock, options } = this.#host;
    const waitMs = Math.max(0, due - clock.now());
    if (waitMs <= options.tickDurableAfterMs) this.#timer = clock.setTimer(() => this.#wakeUp(due), waitMs);
    else if (this.tickAt === undefined || this.tickAt > due)
      this.#timer = clock.setTimer(() => this.#makeDurable(due), options.tickDurableAfterMs);
  }

  /** The owner's own tick, for short waits. Repeated until the step has moved on. */
  #wakeUp(due: number): void {
    if (this.dropped || this.state?.nextDueAt !== due) return;
    this.#timer = this.#host.clock.setTimer(() => this.#wakeUp(due), 1_000);
    this.#host.tick(this);
  }

  /** A tick that came a moment too early, by the stream's clock, is repeated when its time has come. */
  #ticked(at: number): void {
    // Journaled before it was removed (R12), so whoever took the wake-up, it is seen here that it is gone.
    if (this.tickAt !== undefined && this.tickAt <= at + TICK_SLACK_MS) this.tickAt = undefined;
    if (this.#setting !== undefined && this.#setting <= at + TICK_SLACK_MS) this.#setting = undefined;
    const due = this.state!.nextDueAt;
    if (due !== this.#armedFor || due - at > this.#host.options.tickDurableAfterMs) {
      this.#armedFor = Number.NaN;
      this.rearm();
      return;
    }
    this.#timer?.cancel();
    this.#timer = this.#host.clock.setTimer(() => this.#wakeUp(due), Math.max(1, due - at));
  }

  /** What still waits after a second is kept by the server, so that it survives every worker. */
  #makeDurable(due: number): void {
    if (this.dropped || this.state?.nextDueAt !== due) return;
    const { clock, epoch, ports, partition } = this.#host;
    const wanted = (): boolean => !this.dropped && this.state?.nextDueAt === due;
    this.#setting = due;
    retryWhile(clock, wanted, () => ports.ticks.schedule(partition, this.address, due, epoch))
      .then(() => {
        if (this.#setting !== due || !wanted()) return;
        this.#setting = undefined;
        this.tickAt = due;
      })
      .catch((error: unknown) =>
        this.#host.log.error(
          { actor: formatAddress(this.address), due, error: String(error) },
          'wake-up was not stored',
        ),
      );
  }

  #cancelTick(): void {
    this.tickAt = undefined;
    const { epoch, partition, ports } = this.#host;
    ports.ticks.cancel(partition, this.address, epoch).catch(() => {
      this.#host.log.debug({ actor: formatAddress(this.address) }, 'an unneeded wake-up stays; it will change nothing');
    });
  }
}
