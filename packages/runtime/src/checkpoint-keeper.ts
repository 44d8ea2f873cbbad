/**
 * The checkpoint of an owned partition: claimed, kept up to date, and what may be purged by it.
 *
 * Invariants
 * R2  done = lowest sequence owed, or not folded yet (also by a suspended actor) - 1, never a maximum.
 * R3  One record, compare-and-set, under one epoch, written before the journal is read.
 * R4  Purge only below the mark of an acknowledged checkpoint, and nothing younger than `sizes.purgeAgeMsMin`; in a journal
 *     that is nearly full, than the age of `JournalPressure`.
 */
import type { ActorDefinition } from '@troupe/core';
import { formatAddress } from '@troupe/wire';
import type { ActorCell } from './actor-cell.ts';
import { type Checkpoint, checkpointKey, type FoldingCode, readCheckpoint, sameCheckpoint } from './checkpoint.ts';
import { Dropped, insist, type PartitionHost } from './partition-host.ts';
import { PortError } from './ports.ts';
import { deathsAfter, isCareful, type Stepping } from './quarantine.ts';
import { rules, sizes } from './rules.ts';
import type { SeqTracker } from './seq-tracker.ts';

/** A checkpoint that only spares the next owner replies may wait so many times longer: callers drop a second reply. */
const REPLIES_ONLY_FACTOR = 4;
/** Snapshots that pull the mark: this share of the entries, and at least so many per round. */
const PULLS_SHARE = 0.1;
const PULLS_MIN = 2;
const REFUSED_TYPES_MAX = 256;

/** What a checkpoint is made of. */
export interface CheckpointSource {
  readonly partition: number;
  readonly epoch: number;
  readonly dropped: boolean;
  /** Last sequence taken from the reader. */
  readonly position: number;
  readonly cells: ReadonlyMap<string, ActorCell>;
  readonly owed: SeqTracker;
  /** Names on the list that nobody has woken here; undefined: the whole list as it was found. */
  readonly unwoken: readonly string[] | undefined;
  /** Something of the partition is parked. */
  readonly parks: boolean;
  /** What was parked at the claim has been folded as far as the code here can. */
  readonly resumed: boolean;
  /** Entries taken from the reader since the claim. */
  readonly entriesTaken: number;
  /** Another owner has written: nothing may be done any more. */
  taken(epoch: number): void;
}

export class CheckpointKeeper {
  readonly #host: PartitionHost;
  readonly #source: CheckpointSource;
  #current: Checkpoint;
  #revision: number;
  #types: Checkpoint['types'];
  #refused: Checkpoint['refused'];
  #clean = false;
  #claimHead = 0;
  #pulledAt = 0;
  #writing: Promise<void> | undefined;
  /** Writes go one after the other, each made of what the one before has stored. */
  #storing: Promise<unknown> = Promise.resolve();
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  /** Something other than a reply was done that the next owner would do again. */
  worksAgain = false;

  constructor(host: PartitionHost, source: CheckpointSource, revision: number, checkpoint: Checkpoint) {
    this.#host = host;
    this.#source = source;
    this.#revision = revision;
    this.#current = checkpoint;
    this.#types = checkpoint.types;
    this.#refused = checkpoint.refused;
  }

  /** The last acknowledged checkpoint. */
  get current(): Checkpoint {
    return this.#current;
  }
  get types(): Checkpoint['types'] {
    return this.#types;
  }
  /** Nobody folded anything at or above the mark before this claim. */
  get clean(): boolean {
    return this.#clean;
  }

  /** Writes this owner's epoch. @throws Dropped when a later owner was faster. */
  async claim(head: number): Promise<void> {
    const { records } = this.#host.ports;
    this.#claimHead = head;
    // Read after the partition was taken on: a later owner has been here already, and what it wrote may not go back (R3).
    if (this.#current.epoch > this.#source.epoch) {
      this.#source.taken(this.#current.epoch);
      throw new Dropped();
    }
    if (!rules.epochFirst) {
      this.#current = this.#claimed(head);
      return;
    }
    for (;;) {
      const claimed = this.#claimed(head);
      const result = await this.#insist(() => records.put(this.#key, claimed, { expectedRevision: this.#revision }));
      if (result.kind === 'saved') {
        this.#adopt(result.revision, claimed);
        return;
      }
      const stored = await this.#insist(() => readCheckpoint(records, this.#source.partition));
      if (stored.checkpoint.epoch > this.#source.epoch) {
        this.#source.taken(stored.checkpoint.epoch);
        throw new Dropped();
      }
      this.#adopt(stored.revision, stored.checkpoint);
      // This owner's own write, whose acknowledgement was lost.
      if (stored.checkpoint.epoch === this.#source.epoch) return;
    }
  }

  /** Whether this owner goes entry by entry. */
  get careful(): boolean {
    return isCareful(this.#current);
  }

  /** Names the entry inside whose step this owner is, or says that it is in none. @throws Dropped */
  async stepping(stepping: Stepping | undefined): Promise<void> {
    await this.#insist(async () => {
      if (this.#source.dropped) throw new Dropped();
      await this.#store((current) => ({ ...current, stepping }));
      if (!this.#source.dropped && this.#current.stepping?.seq !== stepping?.seq)
        throw new PortError('other', 'the checkpoint was written by another call');
    });
  }

  /** Says that something is parked, before anything is: a new owner would not look for it. @throws Dropped */
  async announceParked(): Promise<void> {
    const said = (): boolean => this.#current.parked === true;
    await this.#insist(async () => {
      if (this.#source.dropped) throw new Dropped();
      if (said()) return;
      await this.#store((current) => ({ ...current, parked: true }));
      if (!this.#source.dropped && !said()) throw new PortError('other', 'the checkpoint was written by another call');
    });
  }

  /** R6: the epoch is read again. @returns whether it is still this owner's. */
  async stillOurs(): Promise<boolean> {
    const { checkpoint } = await this.#insist(() => readCheckpoint(this.#host.ports.records, this.#source.partition));
    if (checkpoint.epoch === this.#source.epoch) return true;
    this.#source.taken(checkpoint.epoch);
    return false;
  }

  /** The last refused sequence of an unknown type: what was refused stays refused when the type appears. */
  refusedUpTo(type: string): number {
    return this.#refused[type] ?? 0;
  }

  refuse(type: string, seq: number): void {
    const next = { ...this.#refused, [type]: seq };
    const names = Object.keys(next);
    if (names.length > REFUSED_TYPES_MAX) delete next[names.reduce((a, b) => (next[a]! < next[b]! ? a : b))];
    this.#refused = next;
  }

  /** Stores up to where a type is refused, before anybody is told: code that comes later would take it else. @throws Dropped */
  async announceRefused(type: string, seq: number): Promise<void> {
    // Of too many types the oldest are forgotten.
    const said = (): boolean => (this.#current.refused[type] ?? 0) >= Math.min(seq, this.refusedUpTo(type));
    await this.#insist(async () => {
      if (this.#source.dropped) throw new Dropped();
      if (said()) return;
      await this.#store((current) => (said() ? undefined : { ...current, refused: this.#refused }));
      if (!this.#source.dropped && !said()) throw new PortError('other', 'the checkpoint was written by another call');
    });
  }

  /** Called every `checkpointEveryMs`. */
  maintain(): void {
    this.#pullMark();
    this.#moveTypes();
    const { clock, options } = this.#host;
    const nowMs = clock.monotonic();
    if (!this.worksAgain && nowMs - this.#writtenAtMs < options.checkpointEveryMs * REPLIES_ONLY_FACTOR) return;
    this.worksAgain = false;
    this.#writtenAtMs = nowMs;
    this.#writing ??= this.write(false).finally(() => {
      this.#writing = undefined;
    });
  }

  /** @param released nobody has folded anything at or above the mark. */
  async write(released: boolean): Promise<void> {
    const { position, cells, dropped, owed } = this.#source;
    if (dropped || (released && owed.size > 0)) return;
    // Who gives it back before it has woken anybody passes the list on.
    const listed = new Set<string>(rules.wakingListed ? (this.#source.unwoken ?? this.#current.woken) : []);
    let undone = rules.doneContiguous ? owed.lowest() : Number.POSITIVE_INFINITY;
    let caughtUp = this.#source.resumed;
    for (const cell of cells.values()) {
      if (cell.waking && cell.suspended === undefined) caughtUp = false;
      if (cell.wakeful && (rules.wakingListed || !cell.waking)) listed.add(formatAddress(cell.address));
      if (rules.doneContiguous && cell.firstQueued < undone) undone = cell.firstQueued;
    }
    const done = Math.max(this.#current.done, Math.min(undone - 1, position));
    const forgiven = caughtUp && done >= this.#claimHead ? { deaths: 0, suspects: {} } : {};
    const mark = this.#mark(done);
    const [types, refused] = [this.#types, this.#refused];
    // Who has not reached what others had folded can't speak for it.
    const left = released && (this.#clean || position >= this.#claimHead);
    const woken = [...listed].sort();
    try {
      await this.#store((current) => {
        const parked = this.#source.parks;
        const next = { ...current, ...forgiven, done, mark, woken, types, refused, parked, released: left };
        return sameCheckpoint(next, current) ? undefined : next;
      });
    } catch (error) {
      this.#host.log.warn(
        { partition: this.#source.partition, error: String(error) },
        'checkpoint not written; it will be tried again',
      );
    }
  }

  /** Removes what is covered by stored snapshots and old enough. `lastAt`: time of the last entry read. */
  async purge(lastAt: number, isFresh: () => boolean): Promise<void> {
    const { partition } = this.#source;
    const { journal } = this.#host.ports;
    const policies = [...this.#host.definitions.values()].map((one) => one.history.keepForMs);
    const keepMs = Math.max(sizes.purgeAgeMsMin, this.#host.options.leaseTtlMs, ...policies);
    const { pressure } = this.#host;
    const keepFrom = pressure.forced ? pressure.serverNow - pressure.purgeAgeMs : lastAt - keepMs;
    const young = rules.purgeAged
      ? await journal.firstSeqSince(partition, Math.max(keepFrom, lastAt - keepMs))
      : Number.POSITIVE_INFINITY;
    const before = Math.min(this.#purgeMark(), young);
    if (before > 1 && isFresh()) await journal.purge(partition, before);
  }

  #purgeMark(): number {
    if (!rules.purgeCovered) return this.#source.position + 1;
    if (!rules.purgeAcknowledged) return this.#mark(this.#source.position);
    return this.#current.mark;
  }

  get #key(): string {
    return checkpointKey(this.#source.partition);
  }

  #adopt(revision: number, checkpoint: Checkpoint): void {
    this.#revision = revision;
    this.#current = checkpoint;
    this.#types = checkpoint.types;
  }

  /** After a clean hand-over nothing above the mark was folded by anybody: the new code may begin there. */
  #claimed(head: number): Checkpoint {
    const { dev, definitions, workerId } = this.#host;
    this.#clean = this.#current.released || head < this.#current.mark;
    const types = { ...this.#current.types };
    for (const definition of definitions.values()) {
      const { type } = definition;
      const here = foldingCode(definition);
      const before = types[type];
      if (this.#clean || before === undefined) types[type] = here;
      else types[type] = { ...(dev ? here : before), oldest: Math.min(here.oldest, before.oldest ?? 0) };
    }
    const { epoch } = this.#source;
    return { ...this.#current, ...deathsAfter(this.#current), epoch, worker: workerId, types, released: false };
  }

  #mark(done: number): number {
    // What is owed may lie below done: an entry whose effects were done before, and that is being parked now.
    const owed = rules.doneContiguous ? this.#source.owed.lowest() : Number.POSITIVE_INFINITY;
    let mark = Math.min(this.#source.position + 1, done + 1, owed);
    for (const cell of this.#source.cells.values()) {
      if (cell.dirtySince !== 0 && cell.dirtySince < mark) mark = cell.dirtySince;
      if (cell.firstQueued < mark) mark = cell.firstQueued;
    }
    return Math.max(mark, this.#current.mark);
  }

  /** Snapshots the actors that hold the mark back too far, within a share of the turns; in a nearly full journal all. */
  #pullMark(): void {
    const { forced } = this.#host.pressure;
    const { markLagMax, markAgeMsMax } = this.#host.options;
    const { entriesTaken, cells } = this.#source;
    const nowMs = this.#host.clock.monotonic();
    let left = forced ? Number.POSITIVE_INFINITY : Math.max(PULLS_MIN, (entriesTaken - this.#pulledAt) * PULLS_SHARE);
    this.#pulledAt = entriesTaken;
    for (const cell of cells.values()) {
      if (left < 1) return;
      if (cell.dirtySince === 0) continue;
      const lags = entriesTaken - cell.dirtyAtEntry > markLagMax || nowMs - cell.dirtyAtMs > markAgeMsMax;
      if (!lags && !forced) continue;
      cell.requestSnapshot();
      left--;
    }
  }

  /** Once everything older code folded is covered by snapshots, new actors begin with the new code. */
  #moveTypes(): void {
    if (this.#current.mark <= this.#claimHead) return;
    let types = this.#types;
    for (const definition of this.#host.definitions.values()) {
      const stamped = types[definition.type];
      const here = foldingCode(definition);
      if (stamped?.version !== here.version || stamped.hash !== here.hash || stamped.oldest !== here.oldest)
        types = { ...types, [definition.type]: here };
    }
    this.#types = types;
  }

  /** `make` answers undefined when nothing need be written. */
  #store(make: (current: Checkpoint) => Checkpoint | undefined): Promise<void> {
    const storing = this.#storing.then(async () => {
      const next = make(this.#current);
      if (next !== undefined && !this.#source.dropped) await this.#put(next);
    });
    this.#storing = storing.catch(() => undefined);
    return storing;
  }

  async #put(next: Checkpoint): Promise<void> {
    const { records } = this.#host.ports;
    const options = rules.checkpointCompared ? { expectedRevision: this.#revision } : {};
    const result = await records.put(this.#key, next, options);
    if (this.#source.dropped) return;
    if (result.kind === 'saved') {
      this.#revision = result.revision;
      this.#current = next;
      this.#host.counters.checkpoints++;
      return;
    }
    const { revision, checkpoint } = await readCheckpoint(records, this.#source.partition);
    if (this.#source.dropped) return;
    if (checkpoint.epoch !== this.#source.epoch) this.#source.taken(checkpoint.epoch);
    else this.#adopt(revision, checkpoint);
  }

  #insist<T>(call: () => Promise<T>): Promise<T> {
    return insist(this.#host.clock, () => this.#source.dropped, call);
  }
}

function foldingCode({ version, hash, previous }: ActorDefinition): Required<FoldingCode> {
  return { version, hash, oldest: Math.min(version, ...previous.map((one) => one.version)) };
}
