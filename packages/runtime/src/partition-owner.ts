/**
 * One owned partition: its reader, its actors, and the order in which they come and go.
 *
 * Invariants (numbers of docs/design/ownership.md; R2 to R4 are kept by `checkpoint-keeper.ts`)
 * R1  A snapshot at S is stored only when nothing at or below S is owed (`owes`).
 * R5  Effects start only while ownership is fresh; until then the desk holds them.
 * R6  Being at the head expires with ownership, and the epoch is read again after first reaching it.
 * R12 A fired wake-up is removed only after its entry is journaled.
 * R14 No effect before the head that was read after the claim has been reached.
 */
import { type ActorDefinition, type ActorState, type Effect, effectIdOf } from '@troupe/core';
import {
  type ActorAddress,
  assertType,
  type DecodeEntryOptions,
  decodeKey,
  formatAddress,
  type JournalEntry,
  type StoredMessage,
  TroupeError,
} from '@troupe/wire';
import { ActorCell, type CellPlace } from './actor-cell.ts';
import { retryWhile } from './backoff.ts';
import { CallsElsewhere, type Left, type LeftOwner } from './calls-elsewhere.ts';
import { type CarefulOwner, CarefulSteps } from './careful-steps.ts';
import type { CellHost } from './cell-host.ts';
import type { Checkpoint } from './checkpoint.ts';
import { CheckpointKeeper, type CheckpointSource } from './checkpoint-keeper.ts';
import {
  assertMigratable,
  type CodeSituation,
  codeFor,
  codeOfSnapshot,
  firstCode,
  isUnfolded,
  restoreState,
} from './code-policy.ts';
import { type DeskOwner, EffectDesk } from './effect-desk.ts';
import type { Log } from './log.ts';
import type { Observer } from './observer.ts';
import type { ResolvedWorkerOptions } from './options.ts';
import type { Pace } from './pace.ts';
import { ParkingLot } from './parking-lot.ts';
import { insist, type PartitionHost, unlessDropped } from './partition-host.ts';
import { type Census, IDLE_MS_MIN } from './passivation.ts';
import type { Clock, JournalReader, PinnedCode, Ports, Timer } from './ports.ts';
import type { Quarantined, Stepping } from './quarantine.ts';
import { Refusals } from './refusals.ts';
import { publishEmit } from './replies.ts';
import { rules, sizes } from './rules.ts';
import { SeqTracker } from './seq-tracker.ts';

/** How often a drain looks whether it may go on, ms. */
const DRAIN_STEP_MS = 5;
/** So long a hand-over goes on taking entries while it snapshots, so that little is left to do once it stops, ms. */
const PREPARE_MS_MAX = 1_000;

/** Entries in memory that wait for the state of their actor, and inputs whose effects are let go; beyond, the reader pauses. */
const QUEUED_MAX = 4_096;

/** Actors that are woken at once to fold what was parked. */
const RESUMING_MAX = 16;

/** Where an owned partition stands, for operators. */
export interface PartitionStats {
  readonly partition: number;
  readonly epoch: number;
  /** `reading`: on its way to the head; `waiting`: live, but ownership isn't fresh; `releasing`: being given back. */
  readonly state: 'reading' | 'waiting' | 'live' | 'releasing';
  /** Last sequence taken from the journal. */
  readonly position: number;
  /** Where its next owner would begin to read, as far as stored. */
  readonly mark: number;
  /** Actors in memory. */
  readonly resident: number;
  /** Inputs with effects that wait for fresh ownership. */
  readonly held: number;
}

/** How a partition was given back. */
export interface Released {
  /** Everything is snapshotted and done. */
  readonly clean: boolean;
  /** Calls that go on here. */
  readonly left: Left | undefined;
}

export class PartitionOwner implements CellHost, DeskOwner, CheckpointSource, LeftOwner {
  readonly partition: number;
  readonly epoch: number;
  readonly cells = new Map<string, ActorCell>();
  live = false;
  dropped = false;
  /** Last sequence taken from the reader. */
  position = 0;
  /** Entries taken from the reader since the claim. */
  entriesTaken = 0;
  /** Monotonic time at which the reader was last known to be at the head. */
  headAtMs = Number.NEGATIVE_INFINITY;

  readonly owed = new SeqTracker();

  readonly #host: PartitionHost;
  readonly #keeper: CheckpointKeeper;
  readonly #desk: EffectDesk;
  readonly lot: ParkingLot;
  readonly #refusals: Refusals;
  readonly #careful: CarefulSteps;
  quarantine: ReadonlyMap<number, Quarantined> = new Map();
  /** R3: on the list at the claim, and not woken here, because their code is elsewhere; undefined before anybody was woken. */
  unwoken: string[] | undefined;
  /** What was parked at the claim has been folded as far as the code here can. */
  resumed = false;
  readonly #freshWaiters: (() => void)[] = [];
  #reader: JournalReader | undefined;
  #ticks: { close(): Promise<void> } | undefined;
  #claimHead = 0;
  #timer: Timer | undefined;
  #purgeTimer: Timer | undefined;
  #lastAt = 0;
  /** It is being handed over; entries are still taken. */
  leaving = false;
  readonly #elsewhere: CallsElsewhere | undefined;
  #released = false;
  #paused = false;
  #queued = 0;
  /** How often the reader had fallen behind too far. */
  #doubts = 0;
  #clearing: Promise<void> | undefined;
  /** The epoch was read again after the head was first reached (R6). */
  #confirmed = false;

  /** @param left calls that the owner before still has under way. */
  constructor(
    host: PartitionHost,
    partition: number,
    epoch: number,
    revision: number,
    checkpoint: Checkpoint,
    left: Left | undefined,
  ) {
    this.#host = host;
    this.#elsewhere = left && new CallsElsewhere(host, this, left);
    this.partition = partition;
    this.epoch = epoch;
    this.#keeper = new CheckpointKeeper(host, this, revision, checkpoint);
    this.#desk = new EffectDesk(host, this);
    this.lot = new ParkingLot(host, this);
    this.#refusals = new Refusals(host, this, this.#desk);
    this.#careful = new CarefulSteps(host, this.#carefulOwner());
  }

  get workerId(): string {
    return this.#host.workerId;
  }
  get ports(): Ports {
    return this.#host.ports;
  }
  get clock(): Clock {
    return this.#host.clock;
  }
  get options(): ResolvedWorkerOptions {
    return this.#host.options;
  }
  get log(): Log {
    return this.#host.log;
  }
  get observer(): Observer {
    return this.#host.observer;
  }
  get decoding(): DecodeEntryOptions {
    return this.#host.decoding;
  }
  get pace(): Pace {
    return this.#host.pace;
  }

  /** R5, R6: the lease was renewed within half the TTL, and no purge can have overtaken the reader. */
  get fresh(): boolean {
    return this.#confirmed && !this.dropped && this.#host.leaseFresh && this.#gapless();
  }

  /** Whether it may answer for its actors: once it is given back it takes no entry any more, and knows only what was. */
  get answers(): boolean {
    return this.fresh && !this.#released;
  }

  /** R6: the reader was at the head within half the TTL, or what it reads is far younger than purge may touch. */
  #gapless(): boolean {
    const { pressure } = this.#host;
    return (
      !rules.headExpires ||
      this.clock.monotonic() - this.headAtMs < this.options.leaseTtlMs / 2 ||
      this.clock.now() - this.#lastAt < (pressure.near ? pressure.purgeAgeMs : sizes.purgeAgeMsMin) / 2
    );
  }

  /** Writes the epoch into the checkpoint (R3), then reads from the mark. */
  open(): Promise<void> {
    return this.#open().catch(unlessDropped);
  }

  async #open(): Promise<void> {
    const { ports } = this.#host;
    await this.#keeper.claim(await this.#insist(() => ports.journal.headSeq(this.partition)));
    const { mark, woken, parked, quarantine } = this.#keeper.current;
    this.quarantine = new Map(quarantine.map((one) => [one.seq, one]));
    await this.lot.open(parked === true);
    this.position = mark - 1;
    this.#claimHead = await this.#insist(() => ports.journal.headSeq(this.partition));
    this.unwoken = woken.filter((name) => !this.#wakeByName(name));
    await this.#insist(async () => {
      const reader = await ports.journal.read({
        partition: this.partition,
        fromSeq: mark,
        onMessage: (message) => this.#arrived(message),
        onHead: () => this.#atHead(),
        onLost: (reason) => this.#host.lost(this, `reader stopped: ${reason}`),
      });
      this.#reader = reader;
      if (this.dropped) await reader.close();
    });
    if (!rules.catchUp) this.#claimHead = 0;
    if (this.#claimHead < mark || this.position >= this.#claimHead) this.#atHead();
    this.#timer = this.clock.setTimer(() => this.#maintain(), this.options.checkpointEveryMs);
    this.#purgeTimer = this.clock.setTimer(() => this.#purge(), this.options.purgeEveryMs);
  }

  /** Called at every renewal of the lease: is the reader at the head, is anything held to be let go? */
  async confirmHead(): Promise<void> {
    if (this.dropped) return;
    const startedMs = this.clock.monotonic();
    if (startedMs - this.headAtMs > this.options.leaseTtlMs / 4) {
      const head = await this.#host.ports.journal.headSeq(this.partition).catch(() => undefined);
      if (head !== undefined && head <= this.position) this.headAtMs = startedMs;
    }
    this.#letGo();
    // Not fresh any more, it has to read on: what is held waits for the head.
    this.#throttle();
  }

  /** Stops taking entries and starting effects; nothing is written any more. */
  drop(): void {
    if (this.dropped) return;
    this.dropped = true;
    this.live = false;
    this.#confirmed = false;
    this.#timer?.cancel();
    this.#purgeTimer?.cancel();
    this.#elsewhere?.stop();
    this.#host.runner.stopAll(this);
    for (const cell of this.cells.values()) cell.drop();
    this.cells.clear();
    this.#desk.clear();
    void this.#reader?.close().catch(() => undefined);
    void this.#ticks?.close().catch(() => undefined);
  }

  /**
   * Graceful hand-over: what is dirty is snapshotted while entries are still taken, then intake stops, the rest is snapshotted, and
   * the checkpoint says so. Calls that are under way go on here.
   */
  async release(deadlineAtMs: number): Promise<Released> {
    await this.#prepare(Math.min(deadlineAtMs, this.clock.monotonic() + PREPARE_MS_MAX));
    this.#released = true;
    void this.#careful.stop();
    void this.#reader?.close().catch(() => undefined);
    void this.#ticks?.close().catch(() => undefined);
    const left = (): boolean => this.clock.monotonic() < deadlineAtMs && !this.dropped;
    // A marked step waits for its mark to be stored, which may be for ever: it has until the deadline like all the rest.
    while (left() && this.#careful.busy) await this.#sleep(DRAIN_STEP_MS);
    while (left() && this.#desk.held > 0) {
      this.#letGo();
      await this.#sleep(DRAIN_STEP_MS);
    }
    const effects = this.dropped ? [] : this.#leave();
    while (left() && !this.#allClean()) {
      for (const cell of this.cells.values()) cell.requestSnapshot();
      await this.#sleep(DRAIN_STEP_MS);
    }
    // An owner that never got to the head leaves what was folded before it as it found it.
    const clean = this.#allClean() && !this.dropped && (this.live || this.#keeper.clean);
    await this.#keeper.write(clean);
    this.drop();
    return { clean, left: effects.length === 0 ? undefined : { worker: this.workerId, epoch: this.epoch, effects } };
  }

  #leave(): readonly string[] {
    return this.#host.runner.leave(this, this.partition);
  }

  /** Entries are still taken: callers notice nothing of it. */
  async #prepare(endAtMs: number): Promise<void> {
    this.leaving = true;
    if (!this.live) return;
    const { position } = this;
    const cells = [...this.cells.values()];
    const busy = (): boolean =>
      this.#host.runner.claiming(this) || cells.some(({ dirtySince }) => dirtySince !== 0 && dirtySince <= position);
    for (const cell of cells) cell.requestSnapshot();
    while (!this.dropped && busy() && this.clock.monotonic() < endAtMs) await this.#sleep(DRAIN_STEP_MS);
  }

  /** Unloads what is idle and clean, and snapshots what is idle and dirty. @param census counts what stays */
  sweep(nowMs: number, idleMs: number, census?: Census): void {
    for (const [name, cell] of this.cells) {
      const idle = nowMs - cell.lastUsedMs;
      const unloadable = idle >= IDLE_MS_MIN && cell.unloadable;
      if (unloadable && idle >= idleMs) {
        if (!cell.clean) cell.requestSnapshot();
        else if (!cell.wakeful) {
          cell.drop();
          this.cells.delete(name);
          continue;
        }
      }
      census?.add(cell.bytesEstimated, unloadable ? idle : undefined);
    }
  }

  stats(): PartitionStats {
    const { partition, epoch, position } = this;
    const state = this.#released ? 'releasing' : !this.live ? 'reading' : this.fresh ? 'live' : 'waiting';
    const { mark } = this.#keeper.current;
    const held = this.#desk.held + this.#refusals.waiting;
    return { partition, epoch, state, position, mark, resident: this.cells.size, held };
  }

  /** The actor's state for a read, loading it if need be; undefined for one that never was. */
  async stateOf(address: ActorAddress, token: string): Promise<ActorCell | undefined> {
    const name = `${address.type}.${token}`;
    const known = this.cells.get(name);
    if (known !== undefined) {
      if (known.waking) {
        await known.whenAwake();
        await this.pace.one();
      }
      return isNobody(known) ? undefined : known;
    }
    const definition = this.#host.definitions.get(address.type);
    if (definition === undefined) return undefined;
    const cell = this.#cell(name, address, definition);
    await cell.wake();
    if (!isNobody(cell)) return cell;
    if (this.cells.get(name) === cell) this.cells.delete(name);
    return undefined;
  }

  // --- CellHost

  owe(cell: ActorCell, seq: number): void {
    this.owed.add(seq);
    cell.owed.add(seq);
  }

  pay(cell: ActorCell, seq: number): void {
    this.owed.remove(seq);
    cell.owed.remove(seq);
    cell.trySave();
  }

  owes(cell: ActorCell, seq: number): boolean {
    return this.#clearing !== undefined || (rules.snapshotAfterSends && cell.owed.owesUpTo(seq));
  }

  queued(count: number): void {
    this.#queued += count;
    if (count < 0) this.#throttle();
  }

  perform(
    cell: ActorCell,
    before: ActorState,
    effects: readonly Effect[],
    message: StoredMessage,
    entry: JournalEntry,
    done = message.seq <= this.#keeper.current.done,
  ): void {
    this.#host.counters.entries++;
    this.#desk.perform(cell, before, effects, message, done);
    if (entry.body.kind === 'claim' && this.live) this.#startOpen(cell);
  }

  woken(cell: ActorCell): void {
    this.#host.counters.wakes++;
    cell.rearm();
    if (this.live) {
      this.#switchVersion(cell);
      this.#startOpen(cell);
    }
  }

  settled(cell: ActorCell): void {
    this.#host.counters.snapshots++;
    if (this.lot.has(cell.name)) void this.lot.covered(cell.name, cell.address, cell.storedSeq);
  }

  park(cell: ActorCell, message: StoredMessage): void {
    const { name, address } = cell;
    this.owe(cell, message.seq);
    const pin = this.#pinOf(message, cell.foldedBy);
    const done = message.seq <= this.#keeper.current.done;
    void this.lot.put({ name, address, message, done, pin }).then((parked) => {
      if (parked) this.pay(cell, message.seq);
    });
  }

  async guarded(cell: ActorCell, seq: number, fold: () => void): Promise<void> {
    if (this.#keeper.careful) await this.#careful.step({ seq, actor: cell.name, hash: cell.definition.hash }, fold);
    else fold();
  }

  stamped(type: string): PinnedCode | undefined {
    return Object.hasOwn(this.#keeper.types, type) ? this.#keeper.types[type] : undefined;
  }

  tick(cell: ActorCell): void {
    if (!this.fresh || this.#released) return;
    void this.#desk.append(cell.address, { kind: 'tick' });
  }

  snapshotSlot(write: () => Promise<void>): void {
    this.#host.snapshotSlots.acquire('snapshot', Number.MAX_SAFE_INTEGER, (release) => {
      void write().finally(release);
    });
  }

  firstCode(definition: ActorDefinition, pin?: PinnedCode): ActorDefinition {
    return firstCode(this.#situation, definition, pin);
  }

  codeFor(
    definition: ActorDefinition,
    version: number,
    hash: string,
    address: ActorAddress,
    pin?: PinnedCode,
  ): ActorDefinition | 'migrate' {
    return codeFor(this.#situation, definition, version, hash, address, pin);
  }

  restore(
    definition: ActorDefinition,
    code: ActorDefinition | 'migrate',
    address: ActorAddress,
    data: unknown,
  ): ActorState {
    return restoreState(definition, code, address, data);
  }

  gap(reason: string): void {
    this.#host.lost(this, `JournalGap: ${reason}`);
  }

  divergence(cell: ActorCell, seq: number): void {
    const error = new TroupeError(
      'DeterminismViolation',
      `Two folds of ${formatAddress(cell.address)} up to ${seq} gave different states. An assign, guard, input or delay reads something outside the event and the context; find it with expectDurable.`,
    );
    this.log.error({ actor: formatAddress(cell.address), seq, code: error.code }, error.message);
  }

  // --- CheckpointSource

  get parks(): boolean {
    // Until it is known what is parked, it is what the owner before said.
    return !this.lot.empty || (!this.lot.known && this.#keeper.current.parked === true);
  }

  taken(epoch: number): void {
    this.#host.lost(this, `another worker has taken it over (epoch ${epoch})`);
  }

  // --- DeskOwner

  worked(): void {
    this.#keeper.worksAgain = true;
  }

  eased(): void {
    this.#throttle();
  }

  announceParked(): Promise<void> {
    return this.#keeper.announceParked();
  }

  announceRefused(type: string, seq: number): Promise<void> {
    return this.#keeper.announceRefused(type, seq);
  }

  whenFresh(callback: () => void): void {
    this.#freshWaiters.push(callback);
  }

  isElsewhere(effectId: string): boolean {
    return this.#elsewhere?.has(effectId) ?? false;
  }

  emit(cell: ActorCell, effectId: string, event: { readonly type: string }): void {
    publishEmit(this.#host, cell, effectId, event);
  }

  // --- LeftOwner

  openCalls(): ReadonlySet<string> | undefined {
    const ids = new Set<string>();
    for (const cell of this.cells.values()) {
      if (cell.waking && cell.suspended === undefined) return undefined;
      for (const effect of cell.state?.effects.values() ?? []) ids.add(effectIdOf(cell.address, effect.id));
    }
    return ids;
  }

  startCalls(): void {
    for (const cell of this.cells.values()) this.#startOpen(cell);
  }

  // --- private

  get #situation(): CodeSituation {
    return { types: this.#keeper.types, clean: this.#keeper.clean, dev: this.#host.dev };
  }

  #arrived(message: StoredMessage): void {
    if (this.dropped || this.#released) return;
    const careful = this.#careful.busy || (message.seq <= this.#claimHead && this.#keeper.careful);
    if (careful) this.#careful.push(message);
    else this.#receive(message);
  }

  #carefulOwner(): CarefulOwner {
    const owner = this;
    return {
      get dropped() {
        return owner.dropped;
      },
      mark: (stepping) => this.#keeper.stepping(stepping),
      steppingOf: (message) => this.#steppingOf(message),
      take: (message) => this.#receive(message),
      awake: async ({ type, keyToken }) => {
        await this.cells.get(`${type}.${keyToken}`)?.whenAwake();
      },
      pause: () => this.#throttle(),
      drained: () => {
        if (!this.live) this.#atHead();
      },
      failed: (error) => this.#host.lost(this, `going entry by entry failed: ${String(error)}`),
    };
  }

  /** Undefined for what nobody steps here: entries without an actor, or that the state has already. */
  #steppingOf({ type, keyToken, seq }: StoredMessage): Stepping | undefined {
    const definition = this.#host.definitions.get(type);
    const actor = `${type}.${keyToken}`;
    const cell = this.cells.get(actor);
    if (definition === undefined || seq > this.#claimHead || this.#released || this.quarantine.has(seq))
      return undefined;
    if (cell !== undefined && (cell.suspended !== undefined || (cell.state?.seq ?? 0) >= seq)) return undefined;
    return { seq, actor, hash: definition.hash };
  }

  /** The code that alone may fold an entry, for some owner before may have folded it; undefined when none can have. */
  #pinOf({ seq, type }: StoredMessage, code: PinnedCode | undefined): PinnedCode | undefined {
    if (code === undefined || seq > this.#claimHead || isUnfolded(this.#situation, type, code.version))
      return undefined;
    return code;
  }

  #cell(name: string, address: ActorAddress, definition: ActorDefinition, fromSeq = this.position + 1): ActorCell {
    const place: CellPlace = { name, fromSeq, refusedUpTo: this.#keeper.refusedUpTo(address.type) };
    const cell = new ActorCell(this, address, definition, place);
    this.cells.set(name, cell);
    return cell;
  }

  #receive(message: StoredMessage): void {
    if (this.dropped || this.#released) return;
    // Before it counts as at the head again: what lies between the last entry and this one may have been purged.
    if (rules.headExpires && this.live && !this.#gapless()) this.#doubt();
    this.position = message.seq;
    this.entriesTaken++;
    this.#lastAt = message.at;
    const name = `${message.type}.${message.keyToken}`;
    const cell = this.cells.get(name) ?? this.#newCell(name, message);
    if (cell !== undefined && message.seq <= cell.refusedUpTo) this.#refuse(message, cell.address);
    else cell?.receive(message);
    if (!this.live && message.seq >= this.#claimHead) this.#atHead();
    this.#throttle();
  }

  /** A new actor in memory, or undefined when the entry names none that lives here. */
  #newCell(name: string, message: StoredMessage): ActorCell | undefined {
    const address = addressOf(message);
    const definition = address && this.#host.definitions.get(address.type);
    const refused = message.seq <= this.#keeper.refusedUpTo(message.type) || this.#host.retired.has(message.type);
    if (address !== undefined && definition === undefined && !refused && this.stamped(message.type) !== undefined) {
      this.#parkUnknown(name, address, message);
      return undefined;
    }
    if (address === undefined || definition === undefined || refused) {
      this.#refuse(message, address);
      return undefined;
    }
    const cell = this.#cell(name, address, definition, message.seq);
    void cell.wake();
    return cell;
  }

  /** A type that had a home here once: its code is away, or will come again. */
  #parkUnknown(name: string, address: ActorAddress, message: StoredMessage): void {
    const { seq, type } = message;
    const done = seq <= this.#keeper.current.done;
    this.owed.add(seq);
    const loading = seq <= this.#claimHead ? this.ports.snapshots.load(this.partition, address) : undefined;
    this.#insist(() => loading ?? Promise.resolve(undefined))
      .then((stored) => {
        const code = stored === undefined ? this.stamped(type) : codeOfSnapshot(stored);
        return this.lot.put({ name, address, message, done, pin: this.#pinOf(message, code) });
      })
      .then((parked) => {
        if (parked) this.owed.remove(seq);
      })
      .catch((error: unknown) => {
        if (!this.dropped) this.log.error({ type, seq, error: String(error) }, 'an entry could not be parked');
      });
  }

  /** What no actor here can take. */
  #refuse(message: StoredMessage, address: ActorAddress | undefined): void {
    if (message.seq <= this.#keeper.current.done) return;
    if (address !== undefined) this.#keeper.refuse(message.type, message.seq);
    this.#refusals.refuse(message, address);
  }

  /**
   * R6: the reader has fallen so far behind that another owner may have purged what it has not read. Only the checkpoint,
   * read from now on, tells that there was none; until then nothing is started, and nothing of this fold is stored.
   */
  #doubt(): void {
    this.#doubts++;
    this.#confirmed = false;
    this.#clearing ??= this.#clearDoubt().catch(unlessDropped);
  }

  async #clearDoubt(): Promise<void> {
    for (let doubts = -1; doubts !== this.#doubts; ) {
      doubts = this.#doubts;
      if (!(await this.#keeper.stillOurs())) return;
      await this.confirmHead();
    }
    this.#clearing = undefined;
    this.#confirmed = true;
    this.#letGo();
    for (const cell of this.cells.values()) cell.trySave();
  }

  #letGo(): void {
    if (!this.fresh) return;
    this.#desk.letGo();
    for (const waiter of this.#freshWaiters.splice(0)) waiter();
    this.#throttle();
  }

  #atHead(): void {
    if (this.dropped || this.position < this.#claimHead || this.#careful.busy) return;
    // What tells of the head may be as late as what it follows.
    if (rules.headExpires && this.live && !this.#gapless()) this.#doubt();
    else this.headAtMs = this.clock.monotonic();
    if (this.live) return;
    this.live = true;
    this.#goLive().catch(unlessDropped);
  }

  /** R6: after the head was first reached, the epoch is read again; only then effects start. */
  async #goLive(): Promise<void> {
    if (rules.epochAgain && !(await this.#keeper.stillOurs())) return;
    this.#confirmed = this.#clearing === undefined;
    this.#letGo();
    for (const cell of [...this.cells.values()]) if (!cell.waking) this.woken(cell);
    this.#elsewhere?.start();
    void this.#resumeParked().catch(unlessDropped);
    await this.#insist(async () => {
      const ticks = await this.#host.ports.ticks.read(this.partition, (due) => this.#due(due.address, due.token));
      this.#ticks = ticks;
      if (this.dropped) await ticks.close();
    });
  }

  /** Actors of which something is parked are woken, for the code here may be what they wait for. */
  async #resumeParked(): Promise<void> {
    const parked = [...this.lot.actors];
    const next = async (): Promise<void> => {
      for (let one = parked.pop(); one !== undefined && !this.dropped && !this.#released; one = parked.pop()) {
        const [name, address] = one;
        if (this.#host.retired.has(address.type)) await this.#refusals.refuseParked(name, address);
        const definition = this.#host.definitions.get(address.type);
        if (definition !== undefined && !this.cells.has(name)) await this.#cell(name, address, definition).wake();
      }
    };
    await Promise.all(Array.from({ length: RESUMING_MAX }, next));
    this.resumed = true;
    this.#keeper.worksAgain = true;
  }

  /** R12: a fired wake-up is removed only after its entry is journaled. */
  #due(address: ActorAddress, token: number): void {
    if (this.dropped || this.#released) return;
    const cell = this.cells.get(this.#nameOf(address));
    if (cell !== undefined) cell.tickAt = undefined;
    const isRetired = this.#host.retired.has(address.type);
    void retryWhile(
      this.clock,
      () => !this.dropped,
      async () => {
        if (isRetired || !rules.tickJournaled) await this.#host.ports.ticks.remove(this.partition, token);
        if (isRetired) return;
        await this.#host.ports.journal.append(address, { kind: 'tick' });
        await this.#host.ports.ticks.remove(this.partition, token);
      },
    ).catch((error: unknown) =>
      this.log.error({ actor: formatAddress(address), error: String(error) }, 'a wake-up could not be journaled'),
    );
  }

  #nameOf(address: ActorAddress): string {
    const subject = this.#host.subjects.event(address);
    return subject.slice(subject.indexOf('.', this.#host.subjects.prefix.length + 1) + 1);
  }

  #startOpen(cell: ActorCell): void {
    if (cell.state === undefined || this.#released) return;
    for (const effect of [...cell.state.effects.values()])
      if (effect.kind !== 'ask') this.#host.runner.start(this, cell, effect);
  }

  /** An actor folded by older code moves to the newest at a journaled version entry. */
  #switchVersion(cell: ActorCell): void {
    const { state, definition } = cell;
    if (state === undefined || state.seq === 0 || state.version >= definition.version) return;
    try {
      assertMigratable(definition, state.version, cell.address);
      const { version, hash } = definition;
      void this.#desk.append(cell.address, { kind: 'version', version, hash });
    } catch (error) {
      cell.suspended = error as TroupeError;
      this.log.error({ actor: formatAddress(cell.address) }, (error as TroupeError).message);
    }
  }

  /** @returns false for an actor whose code is elsewhere. */
  #wakeByName(name: string): boolean {
    const slash = name.indexOf('/');
    const address = { type: name.slice(0, slash), key: name.slice(slash + 1) };
    const definition = this.#host.definitions.get(address.type);
    const token = this.#nameOf(address);
    if (definition === undefined) return this.#host.retired.has(address.type);
    if (!this.cells.has(token)) void this.#cell(token, address, definition).wake();
    return true;
  }

  /** Reading pauses while too much is held back or unacknowledged. */
  #throttle(): void {
    // Once it pauses, half of it has to be done before it goes on.
    const queuedMax = this.#paused ? QUEUED_MAX / 2 : QUEUED_MAX;
    const held = this.#desk.held + this.#refusals.waiting;
    const tooMuch =
      (held > this.options.heldMax && !this.#host.leaseFresh) ||
      // They are being let go, or refused. On the way to the head that takes reading on.
      (held > queuedMax && this.fresh) ||
      this.#queued > queuedMax ||
      this.#host.outbox.waiting > this.options.outboxMax ||
      this.#careful.full;
    if (tooMuch === this.#paused) return;
    this.#paused = tooMuch;
    if (tooMuch) this.#reader?.pause();
    else this.#reader?.resume();
  }

  #maintain(): void {
    if (this.dropped || this.#released) return;
    this.#timer = this.clock.setTimer(() => this.#maintain(), this.options.checkpointEveryMs);
    if (this.live) this.#keeper.maintain();
  }

  #purge(): void {
    if (this.dropped || this.#released) return;
    const purging = this.fresh && this.#lastAt > 0 ? this.#keeper.purge(this.#lastAt, () => this.fresh) : undefined;
    void (purging ?? Promise.resolve())
      .catch((error: unknown) =>
        this.log.warn({ partition: this.partition, error: String(error) }, 'purge failed; it will be tried again'),
      )
      .finally(() => {
        if (!this.dropped && !this.#released)
          this.#purgeTimer = this.clock.setTimer(() => this.#purge(), this.options.purgeEveryMs);
      });
  }

  #allClean(): boolean {
    if (this.owed.size > 0) return false;
    for (const cell of this.cells.values()) if (!cell.clean) return false;
    return true;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimer(resolve, ms);
    });
  }

  #insist<T>(call: () => Promise<T>): Promise<T> {
    return insist(this.clock, () => this.dropped, call);
  }
}

/** Nothing was ever sent to it: only a query has loaded it. */
function isNobody(cell: ActorCell): boolean {
  return cell.state?.seq === 0 && cell.dirtySince === 0;
}

function addressOf(message: StoredMessage): ActorAddress | undefined {
  try {
    assertType(message.type);
    return { type: message.type, key: decodeKey(message.keyToken) };
  } catch {
    return undefined;
  }
}
