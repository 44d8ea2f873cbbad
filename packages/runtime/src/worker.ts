/**
 * A worker: takes its share of the partitions, keeps its lease, and gives everything back in order.
 *
 * Invariants
 * 1. A partition is claimed by compare-and-set on its record, with an epoch one higher, and only from
 *    nobody, from oneself, or from a worker that is dead.
 * 2. A partition whose record names another owner or epoch is dropped before anything else is done.
 * 3. Draining stops intake first and ends within its deadline; what is not finished is left to the
 *    next owner, which loses nothing.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type ActorDefinition, installEffectScope } from '@troupe/core';
import { createSubjects, type Subjects, TroupeError } from '@troupe/wire';
import { ownerOf } from './assignment.ts';
import { retryWhile } from './backoff.ts';
import { readCheckpoint } from './checkpoint.ts';
import { type ControlHost, serveControl } from './control.ts';
import { EffectRunner } from './effect-runner.ts';
import { type Log, SILENT } from './log.ts';
import { Membership, type WorkerRecord } from './membership.ts';
import { type ResolvedWorkerOptions, resolveWorkerOptions, type WorkerOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import { PartitionOwner, type WorkerCounters } from './partition-owner.ts';
import type { Ports, Timer } from './ports.ts';
import { Slots } from './slots.ts';

export interface StartWorkerOptions {
  readonly ports: Ports;
  /** First token of every subject. Default `troupe`. */
  readonly prefix?: string;
  readonly definitions: readonly ActorDefinition[];
  /** Unique among live workers. Default: random. Letters, digits, `-` and `_`. */
  readonly id?: string;
  readonly options?: WorkerOptions;
  readonly log?: Log;
  /** A changed definition with the same version is taken as an edit in progress. Default false. */
  readonly dev?: boolean;
}

export interface WorkerStats {
  readonly id: string;
  readonly partitions: readonly number[];
  readonly live: number;
  readonly resident: number;
  readonly effectsRunning: number;
  readonly outboxWaiting: number;
  readonly counters: WorkerCounters;
  readonly types: Readonly<Record<string, number>>;
}

export interface Worker {
  readonly id: string;
  /** Resolves once every partition of this worker's share is live. */
  readonly ready: Promise<void>;
  /** Resolves when the worker has stopped for whatever reason. */
  readonly stopped: Promise<void>;
  /** Gives everything back: stops intake, lets effects finish, snapshots, releases. Idempotent. */
  drain(options?: { readonly deadlineMs?: number }): Promise<void>;
  /** Stops at once and writes nothing more, as a crash would. */
  kill(): void;
  stats(): WorkerStats;
}

/** Who owns a partition, as stored. */
interface PartitionRecord {
  readonly owner: string;
  readonly epoch: number;
}

/**
 * Starts a worker on the given ports.
 *
 * @throws TroupeError `ConfigInvalid` when definitions clash; `NotConnected` when the ports can't be reached.
 * @example
 * const worker = await startWorker({ ports, definitions: [order] });
 * await worker.ready;
 */
export async function startWorker(options: StartWorkerOptions): Promise<Worker> {
  installEffectScope(asyncScope);
  const worker = new WorkerProcess(options);
  await worker.start();
  return worker;
}

/** How long a worker tries to store its first lease, ms. */
const START_WITHIN_MS = 30_000;

const storage = new AsyncLocalStorage<string>();
const asyncScope = {
  run: <T>(effectId: string, call: () => T): T => storage.run(effectId, call),
  get: () => storage.getStore(),
};

class WorkerProcess implements Worker, ControlHost {
  readonly id: string;
  readonly ports: Ports;
  readonly subjects: Subjects;
  readonly options: ResolvedWorkerOptions;
  readonly log: Log;
  readonly dev: boolean;
  readonly definitions: ReadonlyMap<string, ActorDefinition>;
  readonly outbox: Outbox;
  readonly runner: EffectRunner;
  readonly snapshotSlots: Slots;
  readonly counters: WorkerCounters = { entries: 0, turns: 0, deadLetters: 0, snapshots: 0, wakes: 0, repeats: 0 };
  readonly ready: Promise<void>;
  readonly stopped: Promise<void>;

  readonly #membership: Membership;
  readonly #owned = new Map<number, PartitionOwner>();
  readonly #claiming = new Set<number>();
  #timer: Timer | undefined;
  #sweeper: Timer | undefined;
  #control: { close(): void } | undefined;
  #round: Promise<void> | undefined;
  #draining: Promise<void> | undefined;
  #over = false;
  #firstRoundDone = false;
  #resolveReady: () => void = () => {};
  #resolveStopped: () => void = () => {};

  constructor(options: StartWorkerOptions) {
    this.ports = options.ports;
    this.id = options.id ?? `w-${crypto.randomUUID().slice(0, 13)}`;
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(this.id))
      throw new TroupeError(
        'ConfigInvalid',
        `Worker id ${JSON.stringify(this.id)} must be 1 to 64 letters, digits, - or _.`,
      );
    this.subjects = createSubjects(options.prefix);
    this.options = resolveWorkerOptions(options.options);
    this.log = options.log ?? SILENT;
    this.dev = options.dev ?? false;
    this.definitions = byType(options.definitions);
    this.outbox = new Outbox(this.ports.journal, this.ports.clock, this.log);
    this.runner = new EffectRunner(this.ports.journal, this.ports.clock, this.log, this.options.effectsRunningMax);
    this.snapshotSlots = new Slots(this.options.snapshotsInFlightMax);
    const types = Object.fromEntries([...this.definitions.values()].map((one) => [one.type, one.version]));
    const record: WorkerRecord = { id: this.id, startedAt: this.ports.clock.now(), types };
    this.#membership = new Membership(this.ports, this.subjects, this.options, this.log, record);
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
  }

  get workerId(): string {
    return this.id;
  }
  get clock(): Ports['clock'] {
    return this.ports.clock;
  }
  get decoding(): { readonly replyToPrefixes: readonly string[] } {
    return { replyToPrefixes: this.options.replyPrefixes };
  }
  get leaseFresh(): boolean {
    return this.#membership.fresh;
  }

  async start(): Promise<void> {
    const endAtMs = this.clock.monotonic() + START_WITHIN_MS;
    const renewed = await retryWhile(
      this.clock,
      () => this.clock.monotonic() < endAtMs && !this.#over,
      async () => {
        await this.#membership.renew();
        return true;
      },
    );
    if (renewed !== true) {
      throw new TroupeError(
        'NotConnected',
        `Worker ${this.id} could not store its lease within ${START_WITHIN_MS} ms. Is the server up, and are its streams provisioned? See troupe doctor.`,
        { retryable: true },
      );
    }
    this.#control = serveControl(this);
    await this.#doRound().catch((error: unknown) => this.#roundFailed(error));
    this.#scheduleRound();
    this.#sweeper = this.clock.setTimer(() => this.#sweep(), 1_000);
  }

  #roundFailed(error: unknown): void {
    this.log.warn(
      { error: String(error) },
      'a round of lease and claims failed; it is repeated, and effects pause until it works',
    );
  }

  owner(partition: number): PartitionOwner | undefined {
    return this.#owned.get(partition);
  }

  lost(partition: PartitionOwner, reason: string): void {
    if (partition.dropped) return;
    this.log.warn({ partition: partition.partition, epoch: partition.epoch }, `partition dropped: ${reason}`);
    partition.drop();
    this.#owned.delete(partition.partition);
  }

  requestDrain(): void {
    void this.drain();
  }

  drain(options: { readonly deadlineMs?: number } = {}): Promise<void> {
    this.#draining ??= this.#drain(options.deadlineMs ?? this.options.drainDeadlineMs);
    return this.#draining;
  }

  kill(): void {
    this.#stop();
    for (const partition of this.#owned.values()) partition.drop();
    this.#owned.clear();
    this.#resolveStopped();
  }

  stats(): WorkerStats {
    let resident = 0;
    let live = 0;
    for (const partition of this.#owned.values()) {
      resident += partition.cells.size;
      if (partition.live) live++;
    }
    return {
      id: this.id,
      partitions: [...this.#owned.keys()].sort((a, b) => a - b),
      live,
      resident,
      effectsRunning: this.runner.running,
      outboxWaiting: this.outbox.waiting,
      counters: { ...this.counters },
      types: Object.fromEntries([...this.definitions.values()].map((one) => [one.type, one.version])),
    };
  }

  async #drain(deadlineMs: number): Promise<void> {
    const endAtMs = this.clock.monotonic() + deadlineMs;
    this.#over = true;
    this.#timer?.cancel();
    this.#sweeper?.cancel();
    await this.#round?.catch(() => undefined);
    const renewing = this.#keepLease();
    await Promise.all([...this.#owned.values()].map((partition) => this.#release(partition, endAtMs)));
    renewing.cancel();
    this.#stop();
    await this.#membership
      .leave()
      .catch((error: unknown) =>
        this.log.warn({ error: String(error) }, 'the lease could not be given back; it expires by itself'),
      );
    this.#resolveStopped();
  }

  /** The lease is kept while draining, or effects that still run would count as abandoned. */
  #keepLease(): Timer {
    let timer = this.clock.setTimer(renew, this.options.renewEveryMs);
    const self = this;
    function renew(): void {
      timer = self.clock.setTimer(renew, self.options.renewEveryMs);
      void self.#membership.renew().catch(() => undefined);
    }
    return { cancel: () => timer.cancel() };
  }

  async #release(partition: PartitionOwner, endAtMs: number): Promise<void> {
    const clean = await partition.release(endAtMs).catch((error: unknown) => {
      this.log.warn(
        { partition: partition.partition, error: String(error) },
        'partition was not handed over in good order',
      );
      return false;
    });
    if (!clean)
      this.log.warn(
        { partition: partition.partition },
        'partition left with work undone; its next owner goes on from the last checkpoint',
      );
    const key = partitionKey(partition.partition);
    await this.ports.records
      .get(key)
      .then(async (record) => {
        const value = record?.value as PartitionRecord | undefined;
        if (record === undefined || value?.epoch !== partition.epoch || value.owner !== this.id) return;
        await this.ports.records.put(key, { owner: '', epoch: partition.epoch }, { expectedRevision: record.revision });
      })
      .catch(() => undefined);
    this.#owned.delete(partition.partition);
  }

  #stop(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#sweeper?.cancel();
    this.#control?.close();
  }

  #scheduleRound(): void {
    if (this.#over) return;
    const soon =
      this.#owned.size < this.#wantedCount ? Math.min(1_000, this.options.renewEveryMs) : this.options.renewEveryMs;
    this.#timer = this.clock.setTimer(() => {
      this.#round = this.#doRound()
        .catch((error: unknown) => this.#roundFailed(error))
        .finally(() => this.#scheduleRound());
    }, soon);
  }

  #wantedCount = 0;

  /** Renews the lease, re-reads what it owns (R5), gives back what is no longer its own, claims what is. */
  async #doRound(): Promise<void> {
    await this.#membership.renew();
    if (this.#over) return;
    let workers = await this.#membership.list();
    const records = await this.ports.records.list('partition');
    if (this.#over) return;
    this.#dropForeign(records);
    await Promise.all([...this.#owned.values()].map((partition) => partition.confirmHead()));
    const blocked = await this.#claimShare(workers, records);
    if (blocked && !this.#over && (await this.#membership.findGone(workers))) {
      workers = await this.#membership.list();
      await this.#claimShare(workers, await this.ports.records.list('partition'));
    }
    if (!this.#firstRoundDone && this.#owned.size >= this.#wantedCount) {
      this.#firstRoundDone = true;
      void this.#whenLive();
    }
  }

  #dropForeign(records: ReadonlyMap<string, { readonly value: unknown }>): void {
    for (const partition of [...this.#owned.values()]) {
      const record = records.get(partitionKey(partition.partition))?.value as PartitionRecord | undefined;
      if (record !== undefined && (record.owner !== this.id || record.epoch !== partition.epoch))
        this.lost(partition, `owned by ${record.owner || 'nobody'} in epoch ${record.epoch}`);
    }
  }

  /** @returns whether something of this worker's share is still held by another one that looks alive. */
  async #claimShare(
    workers: ReadonlyMap<string, WorkerRecord>,
    records: ReadonlyMap<string, { readonly revision: number; readonly value: unknown }>,
  ): Promise<boolean> {
    const names = [...workers.keys()];
    let blocked = false;
    let wanted = 0;
    const claims: Promise<void>[] = [];
    for (let partition = 0; partition < this.ports.journal.partitions; partition++) {
      const mine = ownerOf(partition, names) === this.id;
      const owned = this.#owned.get(partition);
      if (mine) wanted++;
      if (!mine && owned !== undefined)
        claims.push(this.#release(owned, this.clock.monotonic() + this.options.drainDeadlineMs));
      if (!mine || owned !== undefined || this.#claiming.has(partition)) continue;
      const record = records.get(partitionKey(partition));
      const holder = (record?.value as PartitionRecord | undefined)?.owner ?? '';
      if (holder !== '' && holder !== this.id && workers.has(holder)) blocked = true;
      else claims.push(this.#claim(partition, record));
    }
    this.#wantedCount = wanted;
    await Promise.all(claims);
    return blocked;
  }

  async #claim(
    partition: number,
    record: { readonly revision: number; readonly value: unknown } | undefined,
  ): Promise<void> {
    this.#claiming.add(partition);
    try {
      const epoch = ((record?.value as PartitionRecord | undefined)?.epoch ?? 0) + 1;
      const claim: PartitionRecord = { owner: this.id, epoch };
      const result = await this.ports.records.put(partitionKey(partition), claim, {
        expectedRevision: record?.revision ?? 0,
      });
      if (result.kind === 'conflict' || this.#over) return;
      const { revision, checkpoint } = await readCheckpoint(this.ports.records, partition);
      if (this.#over) return;
      const owner = new PartitionOwner(this, partition, epoch, revision, checkpoint);
      this.#owned.set(partition, owner);
      await owner.open();
    } finally {
      this.#claiming.delete(partition);
    }
  }

  async #whenLive(): Promise<void> {
    while (!this.#over && [...this.#owned.values()].some((partition) => !partition.fresh)) {
      await new Promise<void>((resolve) => {
        this.clock.setTimer(resolve, 5);
      });
    }
    this.log.info(
      { worker: this.id, partitions: this.#owned.size, types: [...this.definitions.keys()] },
      'worker is ready',
    );
    this.#resolveReady();
  }

  /** Unloads idle actors; sooner when more are loaded than may be. */
  #sweep(): void {
    if (this.#over) return;
    this.#sweeper = this.clock.setTimer(() => this.#sweep(), 1_000);
    const { residentMax, idleUnloadMs } = this.options;
    const nowMs = this.clock.monotonic();
    let resident = 0;
    for (const partition of this.#owned.values()) resident += partition.sweep(nowMs, idleUnloadMs);
    if (resident <= residentMax) return;
    const idleMs = Math.max(250, (idleUnloadMs * residentMax) / resident / 8);
    for (const partition of this.#owned.values()) partition.sweep(nowMs, idleMs);
  }
}

function partitionKey(partition: number): string {
  return `partition.${partition}`;
}

function byType(definitions: readonly ActorDefinition[]): ReadonlyMap<string, ActorDefinition> {
  const map = new Map<string, ActorDefinition>();
  for (const definition of definitions) {
    if (map.has(definition.type))
      throw new TroupeError(
        'ConfigInvalid',
        `Two definitions have the type '${definition.type}'. List the newest, with the older one under its 'previous'.`,
      );
    map.set(definition.type, definition);
  }
  return map;
}
