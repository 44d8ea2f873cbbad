/**
 * One owned partition: its reader, its actors, its checkpoint.
 *
 * Invariants (numbers of docs/design/ownership.md)
 * R1  A snapshot at S is stored only when nothing at or below S is owed (`owes`).
 * R2  done = lowest owed sequence - 1, never a maximum (`#done`).
 * R3  One checkpoint record, compare-and-set, under one epoch, written before the journal is read.
 * R4  Purge only below the mark of an acknowledged checkpoint, and nothing younger than the lease TTL.
 * R5  Effects start only while ownership is fresh; until then they are held, in order.
 * R6  Being at the head expires with ownership, and the epoch is read again after first reaching it.
 * R13 An outcome is told only after the entry has been folded.
 * R14 No effect before the head that was read after the claim has been reached.
 */
import {
  type ActorDefinition,
  type ActorState,
  decodeStoredState,
  definitionFor,
  type Effect,
  effectIdOf,
  withEffectId,
} from '@troupe/core';
import { migrateStoredState } from '@troupe/core/internal';
import {
  type ActorAddress,
  assertType,
  type DecodeEntryOptions,
  decodeEntry,
  decodeKey,
  type FailureRecord,
  formatAddress,
  type InternalBody,
  type JournalEntry,
  type StoredMessage,
  type Subjects,
  TroupeError,
  toFailureRecord,
} from '@troupe/wire';
import { ActorCell } from './actor-cell.ts';
import { retryWhile } from './backoff.ts';
import type { CellHost } from './cell-host.ts';
import { type Checkpoint, checkpointKey, readCheckpoint, sameCheckpoint } from './checkpoint.ts';
import type { EffectHost, EffectRunner } from './effect-runner.ts';
import type { Log } from './log.ts';
import type { ResolvedWorkerOptions } from './options.ts';
import type { Outbox } from './outbox.ts';
import type { Clock, JournalReader, Ports, Timer } from './ports.ts';
import { publishEmit, publishOutcome } from './replies.ts';
import { SeqTracker } from './seq-tracker.ts';
import type { Slots } from './slots.ts';

/** What a partition needs of the worker. */
export interface PartitionHost {
  readonly workerId: string;
  readonly ports: Ports;
  readonly clock: Clock;
  readonly subjects: Subjects;
  readonly options: ResolvedWorkerOptions;
  readonly log: Log;
  readonly decoding: DecodeEntryOptions;
  readonly dev: boolean;
  readonly definitions: ReadonlyMap<string, ActorDefinition>;
  readonly outbox: Outbox;
  readonly runner: EffectRunner;
  readonly snapshotSlots: Slots;
  readonly counters: WorkerCounters;
  /** Whether the worker's lease is young enough for effects (R5). */
  readonly leaseFresh: boolean;
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
}

interface Held {
  readonly cell: ActorCell;
  readonly effect: Effect;
  readonly message: StoredMessage;
}

/** R4: entries younger than this are never purged, whatever a policy says; it covers any lease TTL many times over. */
export const PURGE_AGE_MS_MIN = 600_000;

/** A checkpoint that only spares the next owner replies may wait so many times longer: callers drop a second reply. */
const REPLIES_ONLY_FACTOR = 4;

/** Effects that are acknowledged once and then done, and that a new owner need not repeat below `done`. */
const ONE_SHOT: ReadonlySet<Effect['kind']> = new Set([
  'reply',
  'answer',
  'ask',
  'send',
  'emit',
  'action',
  'dead-letter',
]);

export class PartitionOwner implements CellHost, EffectHost {
  readonly partition: number;
  readonly epoch: number;
  readonly cells = new Map<string, ActorCell>();
  live = false;
  dropped = false;
  /** Last sequence taken from the reader. */
  position = 0;
  /** Monotonic time at which the reader was last known to be at the head. */
  headAtMs = Number.NEGATIVE_INFINITY;

  readonly #host: PartitionHost;
  readonly #owed = new SeqTracker();
  readonly #freshWaiters: (() => void)[] = [];
  #held: Held[] = [];
  #reader: JournalReader | undefined;
  #ticks: { close(): Promise<void> } | undefined;
  #checkpoint: Checkpoint;
  #revision: number;
  #acknowledgedMark: number;
  #claimHead = 0;
  #types: Checkpoint['types'];
  #refused: Checkpoint['refused'];
  #writing: Promise<void> | undefined;
  /** Something other than a reply was done that the next owner would do again. */
  #worksAgain = false;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #purgeTimer: Timer | undefined;
  #lastAt = 0;
  #released = false;
  #paused = false;
  /** Nobody folded anything at or above the mark before this claim. */
  #clean = false;
  /** The epoch was read again after the head was first reached (R6). */
  #confirmed = false;

  constructor(host: PartitionHost, partition: number, epoch: number, revision: number, checkpoint: Checkpoint) {
    this.#host = host;
    this.partition = partition;
    this.epoch = epoch;
    this.#revision = revision;
    this.#checkpoint = checkpoint;
    this.#acknowledgedMark = checkpoint.mark;
    this.#types = checkpoint.types;
    this.#refused = checkpoint.refused;
    this.position = checkpoint.mark - 1;
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
  get decoding(): DecodeEntryOptions {
    return this.#host.decoding;
  }

  /** R5, R6: the lease was renewed within half the TTL, and no purge can have overtaken the reader. */
  get fresh(): boolean {
    return this.#confirmed && !this.dropped && this.#host.leaseFresh && this.#gapless();
  }

  /** R6: the reader was at the head within half the TTL, or what it reads is far younger than purge may touch. */
  #gapless(): boolean {
    return (
      this.clock.monotonic() - this.headAtMs < this.options.leaseTtlMs / 2 ||
      this.clock.now() - this.#lastAt < PURGE_AGE_MS_MIN / 2
    );
  }

  /** Writes the epoch into the checkpoint (R3), then reads from the mark. */
  open(): Promise<void> {
    return this.#open().catch(unlessDropped);
  }

  async #open(): Promise<void> {
    const { ports } = this.#host;
    this.#claimHead = await this.#insist(() => ports.journal.headSeq(this.partition));
    await this.#claimCheckpoint();
    this.#claimHead = await this.#insist(() => ports.journal.headSeq(this.partition));
    for (const name of this.#checkpoint.woken) this.#wakeByName(name);
    await this.#insist(async () => {
      const reader = await ports.journal.read({
        partition: this.partition,
        fromSeq: this.#checkpoint.mark,
        onMessage: (message) => this.#receive(message),
        onHead: () => this.#atHead(),
        onLost: (reason) => this.#host.lost(this, `reader stopped: ${reason}`),
      });
      this.#reader = reader;
      if (this.dropped) await reader.close();
    });
    if (this.#claimHead < this.#checkpoint.mark || this.position >= this.#claimHead) this.#atHead();
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
  }

  /** Stops taking entries and starting effects; nothing is written any more. */
  drop(): void {
    if (this.dropped) return;
    this.dropped = true;
    this.live = false;
    this.#confirmed = false;
    this.#timer?.cancel();
    this.#purgeTimer?.cancel();
    this.#host.runner.stopAll(this);
    for (const cell of this.cells.values()) cell.drop();
    this.cells.clear();
    this.#held = [];
    void this.#reader?.close().catch(() => undefined);
    void this.#ticks?.close().catch(() => undefined);
  }

  /** Graceful hand-over: intake stops, effects finish, everything is snapshotted, the checkpoint says so. */
  async release(deadlineAtMs: number): Promise<boolean> {
    this.#released = true;
    await this.#reader?.close().catch(() => undefined);
    await this.#ticks?.close().catch(() => undefined);
    const left = (): boolean => this.clock.monotonic() < deadlineAtMs && !this.dropped;
    while (left() && (this.#host.runner.runningOf(this) > 0 || this.#held.length > 0)) {
      if (this.fresh) this.#letGo();
      if (!(await this.#quiet())) await this.#sleep(20);
      else break;
    }
    this.#host.runner.stopAll(this);
    while (left() && !this.#allClean()) {
      for (const cell of this.cells.values()) cell.requestSnapshot();
      await this.#sleep(5);
    }
    const clean = this.#allClean() && !this.dropped;
    await this.#writeCheckpoint(clean);
    this.drop();
    return clean;
  }

  /** Unloads what is idle and clean, and snapshots what is idle and dirty. @returns how many are loaded. */
  sweep(nowMs: number, idleMs: number): number {
    for (const [name, cell] of this.cells) {
      if (nowMs - cell.lastUsedMs < idleMs || cell.running || cell.waking || cell.suspended !== undefined) continue;
      if (!cell.clean) cell.requestSnapshot();
      else if (!cell.wakeful) {
        cell.drop();
        this.cells.delete(name);
      }
    }
    return this.cells.size;
  }

  /** The actor's state for a read, loading it if need be; undefined for one that never was. */
  async stateOf(address: ActorAddress, token: string): Promise<ActorCell | undefined> {
    const name = `${address.type}.${token}`;
    const known = this.cells.get(name);
    if (known !== undefined) {
      while (known.waking && known.suspended === undefined && !this.dropped) await this.#sleep(2);
      return isNobody(known) ? undefined : known;
    }
    const definition = this.#host.definitions.get(address.type);
    if (definition === undefined) return undefined;
    const cell = new ActorCell(this, address, definition);
    this.cells.set(name, cell);
    await cell.wake();
    if (!isNobody(cell)) return cell;
    if (this.cells.get(name) === cell) this.cells.delete(name);
    return undefined;
  }

  // --- CellHost

  owe(cell: ActorCell, seq: number): void {
    this.#owed.add(seq);
    cell.owed.add(seq);
  }

  pay(cell: ActorCell, seq: number): void {
    this.#owed.remove(seq);
    cell.owed.remove(seq);
    cell.trySave();
  }

  owes(cell: ActorCell, seq: number): boolean {
    return cell.owed.owesUpTo(seq);
  }

  perform(cell: ActorCell, effects: readonly Effect[], message: StoredMessage, entry: JournalEntry): void {
    const { counters } = this.#host;
    counters.entries++;
    const repeated = message.seq <= this.#checkpoint.done;
    for (const effect of effects) {
      if (effect.kind === 'answer' || (effect.kind === 'reply' && !effect.repeat)) counters.turns++;
      if (ONE_SHOT.has(effect.kind) && repeated) continue;
      this.#effect({ cell, effect, message });
    }
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

  settled(_cell: ActorCell): void {
    this.#host.counters.snapshots++;
  }

  tick(cell: ActorCell): void {
    if (!this.fresh || this.#released) return;
    void this.#append(cell, { kind: 'tick' });
  }

  snapshotSlot(write: () => Promise<void>): void {
    this.#host.snapshotSlots.acquire('snapshot', Number.MAX_SAFE_INTEGER, (release) => {
      void write().finally(release);
    });
  }

  firstCode(definition: ActorDefinition): ActorDefinition {
    const stamped = this.#types[definition.type];
    if (stamped === undefined) return definition;
    const code = definitionFor(definition, stamped.version);
    if (code !== undefined && (code.hash === stamped.hash || this.#host.dev)) return code;
    throw new TroupeError(
      'ActorSuspended',
      `Entries of '${definition.type}' in partition ${this.partition} were folded by version ${stamped.version} (${stamped.hash}), and its worker did not hand over in good order. This worker has version ${definition.version} (${definition.hash}). List the earlier definition under previous.`,
      {
        details: { needs: stamped, here: { version: definition.version, hash: definition.hash } },
      },
    );
  }

  codeFor(
    definition: ActorDefinition,
    version: number,
    hash: string,
    address: ActorAddress,
  ): ActorDefinition | 'migrate' {
    const code = definitionFor(definition, version);
    if (code !== undefined) {
      if (code.hash === hash || this.#host.dev) return code;
      throw new TroupeError(
        'VersionConflict',
        `${formatAddress(address)} was written by another definition of '${definition.type}' with the same version ${version}. Raise the version whenever machine or policies change.`,
        { details: { version, stored: hash, here: code.hash } },
      );
    }
    if (version > definition.version) {
      throw new TroupeError(
        'ActorSuspended',
        `${formatAddress(address)} is at version ${version} of '${definition.type}'; this worker has ${definition.version}. Deploy version ${version} or later.`,
        { details: { version, here: definition.version } },
      );
    }
    if (!this.#clean) {
      throw new TroupeError(
        'ActorSuspended',
        `${formatAddress(address)} is at version ${version} of '${definition.type}', and its last worker did not hand over in good order: entries after its snapshot may only be folded by version ${version}. List that definition under previous.`,
        {
          details: { version, here: definition.version },
        },
      );
    }
    return 'migrate';
  }

  restore(
    definition: ActorDefinition,
    code: ActorDefinition | 'migrate',
    address: ActorAddress,
    data: unknown,
  ): ActorState {
    return code === 'migrate' ? migrateStoredState(definition, address, data) : decodeStoredState(code, address, data);
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

  // --- EffectHost

  whenFresh(callback: () => void): void {
    this.#freshWaiters.push(callback);
  }

  emit(cell: ActorCell, effectId: string, event: { readonly type: string }): void {
    publishEmit(this.#host, cell, effectId, event);
  }

  // --- private

  #receive(message: StoredMessage): void {
    if (this.dropped || this.#released) return;
    this.position = message.seq;
    this.#lastAt = message.at;
    const name = `${message.type}.${message.keyToken}`;
    const cell = this.cells.get(name) ?? this.#newCell(name, message);
    cell?.receive(message);
    this.#throttle();
  }

  /** A new actor in memory, or undefined when the entry names none that lives here. */
  #newCell(name: string, message: StoredMessage): ActorCell | undefined {
    const address = addressOf(message);
    const definition = address && this.#host.definitions.get(address.type);
    if (address === undefined || definition === undefined || message.seq <= (this.#refused[message.type] ?? 0)) {
      this.#refuse(message, address);
      return undefined;
    }
    const cell = new ActorCell(this, address, definition);
    this.cells.set(name, cell);
    void cell.wake();
    return cell;
  }

  /** What no actor here can take: an address that isn't one, or a type nobody defines. */
  #refuse(message: StoredMessage, address: ActorAddress | undefined): void {
    if (message.seq <= this.#checkpoint.done) return;
    const entry = decodeEntry(message, this.decoding);
    const known = [...this.#host.definitions.keys()].sort();
    const error: FailureRecord =
      entry.body.kind === 'invalid'
        ? entry.body.error
        : toFailureRecord(
            new TroupeError(
              'UnknownActorType',
              `No worker has actors of type '${message.type}'. Known types: ${known.join(', ') || 'none'}.`,
              { details: { known } },
            ),
          );
    if (address !== undefined) this.#refused = boundedRefusals(this.#refused, message.type, message.seq);
    this.#owed.add(message.seq);
    void this.#deadLetter(address ?? { type: 'invalid', key: 'invalid' }, message, error).finally(() =>
      this.#owed.remove(message.seq),
    );
    if (message.verb !== 'task') return;
    const { body } = entry;
    const replyTo = 'replyTo' in body && body.replyTo !== undefined ? [body.replyTo] : [];
    publishOutcome(this.#host, address ?? { type: 'invalid', key: 'invalid' }, undefined, {
      replyTo,
      taskId: 'taskId' in body && body.taskId !== undefined ? body.taskId : String(message.seq),
      turnSeq: message.seq,
      outcome: { ok: false, error },
      contentType: 'contentType' in body ? body.contentType : 'application/json',
      repeat: address === undefined,
      id: `${message.seq}.0`,
    });
  }

  #effect(held: Held): void {
    if (held.effect.kind === 'reply' && this.#held.length === 0 && this.fresh) {
      publishOutcome(this.#host, held.cell.address, held.cell.definition, held.effect);
      return;
    }
    if (ONE_SHOT.has(held.effect.kind)) {
      this.#worksAgain = true;
      this.owe(held.cell, held.message.seq);
    }
    if (this.#held.length === 0 && this.fresh) this.#execute(held);
    else this.#held.push(held);
  }

  #letGo(): void {
    if (!this.fresh) return;
    const held = this.#held;
    this.#held = [];
    for (const one of held) this.#execute(one);
    for (const waiter of this.#freshWaiters.splice(0)) waiter();
    this.#throttle();
  }

  #execute(held: Held): void {
    const { cell, effect, message } = held;
    const { runner } = this.#host;
    switch (effect.kind) {
      case 'reply':
        publishOutcome(this.#host, cell.address, cell.definition, effect);
        this.pay(cell, message.seq);
        return;
      case 'emit':
        publishEmit(this.#host, cell, effectIdOf(cell.address, effect.id), effect.event, () =>
          this.pay(cell, message.seq),
        );
        return;
      case 'answer':
        this.#send(held, effect.to, { kind: 'outcome', effectId: effect.effectId, result: effect.outcome }, false);
        return;
      case 'ask':
        this.#send(
          held,
          effect.to,
          {
            kind: 'ask',
            effectId: effectIdOf(cell.address, effect.id),
            from: cell.address,
            causedAt: effect.causedAt,
            payload: effect.payload,
            deadlineAt: effect.deadlineAt,
            chain: effect.chain,
            ...(effect.trace && { trace: effect.trace }),
          },
          true,
        );
        return;
      case 'send':
        this.#send(
          held,
          effect.to,
          {
            kind: 'message',
            effectId: effectIdOf(cell.address, effect.id),
            from: cell.address,
            causedAt: effect.causedAt,
            event: effect.event,
            ...(effect.trace && { trace: effect.trace }),
          },
          true,
        );
        return;
      case 'action':
        this.#runAction(held, effect);
        return;
      case 'dead-letter':
        void this.#deadLetter(cell.address, message, effect.error).finally(() => this.pay(cell, message.seq));
        return;
      case 'invoke': {
        const open = cell.state?.effects.get(effect.id);
        if (open !== undefined) runner.start(this, cell, open);
        return;
      }
      case 'cancel':
        runner.stop(this, cell, effect.effectId);
        return;
      case 'child-event':
        runner.send(this, cell, effect.effectId, effect.event);
        return;
      case 'log':
        this.log[effect.level](
          { actor: formatAddress(cell.address), seq: message.seq, value: effect.value },
          effect.message,
        );
        return;
    }
  }

  #send(held: Held, to: ActorAddress, body: InternalBody, ordered: boolean): void {
    const { cell, message } = held;
    this.#host.outbox.send({
      from: cell.address,
      to,
      body,
      ordered,
      wanted: () => !this.dropped,
      onRefused: (error) => {
        this.log.error(
          { actor: formatAddress(cell.address), to: formatAddress(to), error: String(error) },
          'a message to another actor can never be delivered',
        );
        if (body.kind === 'ask')
          void this.#append(cell, {
            kind: 'outcome',
            effectId: body.effectId,
            result: {
              ok: false,
              error: toFailureRecord(error, { code: 'PayloadTooLarge', actor: formatAddress(cell.address) }),
            },
          });
        else if (body.kind === 'outcome' && body.result.ok)
          void this.#appendTo(to, {
            ...body,
            result: {
              ok: false,
              error: toFailureRecord(
                new TroupeError(
                  'OutcomeTooLarge',
                  `The answer of ${formatAddress(cell.address)} can't be delivered: ${String(error)}`,
                ),
              ),
            },
          });
      },
      onDone: () => this.pay(cell, message.seq),
    });
  }

  #runAction(held: Held, effect: Extract<Effect, { kind: 'action' }>): void {
    const { cell, message } = held;
    const effectId = effectIdOf(cell.address, effect.id);
    let k = 0;
    const sent: Promise<unknown>[] = [];
    try {
      withEffectId(effectId, () =>
        effect.run({
          send: (path, event) => {
            sent.push(this.#append(cell, { kind: 'self', effectId: `${effectId}/${k++}`, path, event }));
          },
          emit: (_path, event) => this.emit(cell, effectId, event),
        }),
      );
    } catch (error) {
      this.log.error(
        { actor: formatAddress(cell.address), seq: message.seq, action: effect.type, error: String(error) },
        'a custom action threw',
      );
    }
    if (sent.length === 0) this.pay(cell, message.seq);
    else void Promise.allSettled(sent).then(() => this.pay(cell, message.seq));
  }

  async #deadLetter(address: ActorAddress, message: StoredMessage, error: FailureRecord): Promise<void> {
    this.#host.counters.deadLetters++;
    const letter = {
      seq: message.seq,
      at: message.at,
      address,
      code: error.code,
      message: error.message,
      verb: message.verb,
      subject: `${this.#host.subjects.prefix}.${message.verb}.${message.type}.${message.keyToken}`,
      headers: message.headers(),
      payload: message.payload,
      ...(error.details === undefined ? {} : { details: error.details }),
    };
    await retryWhile(
      this.clock,
      () => !this.dropped,
      () => this.#host.ports.deadLetters.put(letter),
    ).catch((failed: unknown) => {
      this.log.error(
        { seq: message.seq, code: error.code, error: String(failed) },
        'a dead letter could not be stored',
      );
    });
  }

  #append(cell: ActorCell, body: InternalBody): Promise<void> {
    return this.#appendTo(cell.address, body);
  }

  async #appendTo(address: ActorAddress, body: InternalBody): Promise<void> {
    await retryWhile(
      this.clock,
      () => !this.dropped,
      () => this.#host.ports.journal.append(address, body),
    ).catch((error: unknown) => {
      this.log.error(
        { actor: formatAddress(address), kind: body.kind, error: String(error) },
        'an entry could not be journaled',
      );
    });
  }

  #atHead(): void {
    if (this.dropped || this.position < this.#claimHead) return;
    this.headAtMs = this.clock.monotonic();
    if (this.live) return;
    this.live = true;
    this.#goLive().catch(unlessDropped);
  }

  /** R6: after the head was first reached, the epoch is read again; only then effects start. */
  async #goLive(): Promise<void> {
    const { checkpoint } = await this.#insist(() => readCheckpoint(this.#host.ports.records, this.partition));
    if (checkpoint.epoch !== this.epoch) {
      this.#host.lost(this, `another worker has taken it over (epoch ${checkpoint.epoch})`);
      return;
    }
    this.#confirmed = true;
    this.#letGo();
    for (const cell of [...this.cells.values()]) if (!cell.waking) this.woken(cell);
    await this.#insist(async () => {
      const ticks = await this.#host.ports.ticks.read(this.partition, (due) => this.#due(due.address, due.token));
      this.#ticks = ticks;
      if (this.dropped) await ticks.close();
    });
  }

  /** R12: a fired wake-up is removed only after its entry is journaled. */
  #due(address: ActorAddress, token: number): void {
    if (this.dropped || this.#released) return;
    const cell = this.cells.get(this.#nameOf(address));
    if (cell !== undefined) cell.tickAt = undefined;
    void retryWhile(
      this.clock,
      () => !this.dropped,
      async () => {
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
      for (let version = state.version; version < definition.version; version++) {
        if (definition.migrate[version] === undefined)
          throw new TroupeError(
            'MigrationMissing',
            `${formatAddress(cell.address)} is at version ${state.version} of '${definition.type}', and there is no migrate[${version}]. Deploy a definition with migrate: { ${version}: (state) => state }.`,
          );
      }
      void this.#append(cell, { kind: 'version', version: definition.version, hash: definition.hash });
    } catch (error) {
      cell.suspended = error as TroupeError;
      this.log.error({ actor: formatAddress(cell.address) }, (error as TroupeError).message);
    }
  }

  #wakeByName(name: string): void {
    const slash = name.indexOf('/');
    const address = { type: name.slice(0, slash), key: name.slice(slash + 1) };
    const definition = this.#host.definitions.get(address.type);
    const token = this.#nameOf(address);
    if (definition === undefined || this.cells.has(token)) return;
    const cell = new ActorCell(this, address, definition);
    this.cells.set(token, cell);
    void cell.wake();
  }

  /** Reading pauses while too much is held back or unacknowledged. */
  #throttle(): void {
    const tooMuch =
      (this.#held.length > this.options.heldMax && !this.#host.leaseFresh) ||
      this.#host.outbox.waiting > this.options.outboxMax;
    if (tooMuch === this.#paused) return;
    this.#paused = tooMuch;
    if (tooMuch) this.#reader?.pause();
    else this.#reader?.resume();
  }

  // --- checkpoint, mark, purge

  async #claimCheckpoint(): Promise<void> {
    for (;;) {
      const claimed: Checkpoint = {
        ...this.#checkpoint,
        epoch: this.epoch,
        worker: this.#host.workerId,
        types: this.#typesAtClaim(),
        released: false,
      };
      const result = await this.#insist(() =>
        this.#host.ports.records.put(checkpointKey(this.partition), claimed, { expectedRevision: this.#revision }),
      );
      if (result.kind === 'saved') {
        this.#revision = result.revision;
        this.#checkpoint = claimed;
        this.#types = claimed.types;
        return;
      }
      const { revision, checkpoint } = await this.#insist(() =>
        readCheckpoint(this.#host.ports.records, this.partition),
      );
      if (checkpoint.epoch === this.epoch) {
        // This owner's own write, whose acknowledgement was lost.
        this.#revision = revision;
        this.#checkpoint = checkpoint;
        this.#types = checkpoint.types;
        return;
      }
      if (checkpoint.epoch > this.epoch) {
        this.#host.lost(this, `another worker has taken it over (epoch ${checkpoint.epoch})`);
        throw new Dropped();
      }
      this.#revision = revision;
      this.#checkpoint = checkpoint;
      this.#acknowledgedMark = checkpoint.mark;
      this.position = checkpoint.mark - 1;
    }
  }

  /** After a clean hand-over nothing above the mark was folded by anybody: the new code may begin there. */
  #typesAtClaim(): Checkpoint['types'] {
    const types = { ...this.#checkpoint.types };
    this.#clean = this.#checkpoint.released || this.#claimHead < this.#checkpoint.mark;
    for (const definition of this.#host.definitions.values()) {
      if (this.#clean || types[definition.type] === undefined || this.#host.dev)
        types[definition.type] = { version: definition.version, hash: definition.hash };
    }
    return types;
  }

  #done(): number {
    return Math.max(this.#checkpoint.done, Math.min(this.#owed.lowest() - 1, this.position));
  }

  #mark(): number {
    let mark = Math.min(this.position, this.#done()) + 1;
    for (const cell of this.cells.values()) {
      if (cell.dirtySince !== 0 && cell.dirtySince < mark) mark = cell.dirtySince;
      if (cell.firstQueued < mark) mark = cell.firstQueued;
    }
    return Math.max(mark, this.#checkpoint.mark);
  }

  #maintain(): void {
    if (this.dropped || this.#released) return;
    this.#timer = this.clock.setTimer(() => this.#maintain(), this.options.checkpointEveryMs);
    if (!this.live) return;
    this.#pullMark();
    this.#moveTypes();
    const nowMs = this.clock.monotonic();
    if (!this.#worksAgain && nowMs - this.#writtenAtMs < this.options.checkpointEveryMs * REPLIES_ONLY_FACTOR) return;
    this.#worksAgain = false;
    this.#writtenAtMs = nowMs;
    this.#writing ??= this.#writeCheckpoint(false).finally(() => {
      this.#writing = undefined;
    });
  }

  /** Snapshots the actors that hold the mark back too far. */
  #pullMark(): void {
    const nowMs = this.clock.monotonic();
    for (const cell of this.cells.values()) {
      if (cell.dirtySince === 0) continue;
      const lags =
        this.position - cell.dirtySince > this.options.markLagMax || nowMs - cell.dirtyAtMs > this.options.markAgeMsMax;
      if (lags) cell.requestSnapshot();
    }
  }

  /** Once everything older code folded is covered by snapshots, new actors begin with the new code. */
  #moveTypes(): void {
    if (this.#acknowledgedMark <= this.#claimHead) return;
    let types = this.#types;
    for (const definition of this.#host.definitions.values()) {
      const stamped = types[definition.type];
      if (stamped?.version === definition.version && stamped.hash === definition.hash) continue;
      types = { ...types, [definition.type]: { version: definition.version, hash: definition.hash } };
    }
    this.#types = types;
  }

  async #writeCheckpoint(released: boolean): Promise<void> {
    if (this.dropped || (this.#owed.size > 0 && released)) return;
    const woken: string[] = [];
    for (const cell of this.cells.values()) if (cell.wakeful) woken.push(formatAddress(cell.address));
    const next: Checkpoint = {
      ...this.#checkpoint,
      done: this.#done(),
      mark: this.#mark(),
      woken: woken.sort(),
      types: this.#types,
      refused: this.#refused,
      released,
    };
    if (sameCheckpoint(next, this.#checkpoint)) return;
    try {
      const result = await this.#host.ports.records.put(checkpointKey(this.partition), next, {
        expectedRevision: this.#revision,
      });
      if (this.dropped) return;
      if (result.kind === 'saved') {
        this.#revision = result.revision;
        this.#checkpoint = next;
        this.#acknowledgedMark = next.mark;
        return;
      }
      await this.#resolveCheckpoint();
    } catch (error) {
      this.log.warn(
        { partition: this.partition, error: String(error) },
        'checkpoint not written; it will be tried again',
      );
    }
  }

  async #resolveCheckpoint(): Promise<void> {
    const { revision, checkpoint } = await readCheckpoint(this.#host.ports.records, this.partition);
    if (this.dropped) return;
    if (checkpoint.epoch !== this.epoch) {
      this.#host.lost(this, `another worker has taken it over (epoch ${checkpoint.epoch})`);
      return;
    }
    this.#revision = revision;
    this.#checkpoint = checkpoint;
    this.#acknowledgedMark = checkpoint.mark;
  }

  #purge(): void {
    if (this.dropped || this.#released) return;
    void this.#purgeOnce()
      .catch((error: unknown) =>
        this.log.warn({ partition: this.partition, error: String(error) }, 'purge failed; it will be tried again'),
      )
      .finally(() => {
        if (!this.dropped && !this.#released)
          this.#purgeTimer = this.clock.setTimer(() => this.#purge(), this.options.purgeEveryMs);
      });
  }

  async #purgeOnce(): Promise<void> {
    if (!this.fresh || this.#lastAt === 0) return;
    const keepMs = Math.max(
      PURGE_AGE_MS_MIN,
      this.options.leaseTtlMs,
      ...[...this.#host.definitions.values()].map((one) => one.history.keepForMs),
    );
    const young = await this.#host.ports.journal.firstSeqSince(this.partition, this.#lastAt - keepMs);
    const before = Math.min(this.#acknowledgedMark, young);
    if (before > 1 && this.fresh) await this.#host.ports.journal.purge(this.partition, before);
  }

  #allClean(): boolean {
    if (this.#owed.size > 0) return false;
    for (const cell of this.cells.values()) if (cell.suspended === undefined && !cell.clean) return false;
    return true;
  }

  /** Nothing runs and nothing is held: a drain may go on. */
  async #quiet(): Promise<boolean> {
    return this.#host.runner.runningOf(this) === 0 && this.#held.length === 0;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimer(resolve, ms);
    });
  }

  /** Repeats until it succeeds. @throws Dropped when the partition is given up meanwhile. */
  async #insist<T>(call: () => Promise<T>): Promise<T> {
    let done: { readonly value: T } | undefined;
    await retryWhile(
      this.clock,
      () => !this.dropped,
      async () => {
        done = { value: await call() };
      },
    );
    if (done === undefined || this.dropped) throw new Dropped();
    return done.value;
  }
}

/** Ends what is under way for a partition that was given up; never leaves this file. */
class Dropped extends Error {}

function unlessDropped(error: unknown): void {
  if (!(error instanceof Dropped)) throw error;
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

const REFUSED_TYPES_MAX = 256;

function boundedRefusals(refused: Checkpoint['refused'], type: string, seq: number): Checkpoint['refused'] {
  const next = { ...refused, [type]: seq };
  const names = Object.keys(next);
  if (names.length <= REFUSED_TYPES_MAX) return next;
  const oldest = names.reduce((a, b) => (next[a]! < next[b]! ? a : b));
  delete next[oldest];
  return next;
}
