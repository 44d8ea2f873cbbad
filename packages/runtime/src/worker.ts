/**
 * A worker: takes its share of the partitions, keeps its lease, and gives everything back in order.
 *
 * Invariants
 * 1. Draining stops intake first and ends within its deadline; what is not finished is left to the
 *    next owner, which loses nothing.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type ActorDefinition, type EffectContext, type EffectScope, installEffectScope } from '@troupe/core';
import { assertType, createSubjects, type Subjects, TroupeError } from '@troupe/wire';
import { retryWhile } from './backoff.ts';
import { serveControl } from './control.ts';
import { serveDiscovery } from './discovery.ts';
import type { EffectFigure } from './effect-figures.ts';
import { EffectRunner } from './effect-runner.ts';
import { serveInspection } from './inspection-control.ts';
import type { Instrument } from './instrument.ts';
import { type Log, SILENT } from './log.ts';
import { Membership, type WorkerRecord } from './membership.ts';
import { Observer } from './observer.ts';
import { type ResolvedWorkerOptions, resolveWorkerOptions, type WorkerOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import { OwnerGates } from './owner-gates.ts';
import { type FreedPartition, Ownership } from './ownership.ts';
import { Pace } from './pace.ts';
import type { TypeCounters, WorkerCounters } from './partition-host.ts';
import type { PartitionOwner, PartitionStats } from './partition-owner.ts';
import { Passivation } from './passivation.ts';
import type { Ports } from './ports.ts';
import { JournalPressure } from './pressure.ts';
import { ProgressPublisher } from './progress.ts';
import { serveForwarded } from './queries.ts';
import type { ControlHost } from './requests.ts';
import { Slots } from './slots.ts';

export interface StartWorkerOptions {
  readonly ports: Ports;
  /** First token of every subject. Default `troupe`. */
  readonly prefix?: string;
  readonly definitions: readonly ActorDefinition[];
  /** Types that have ended: what is sent to them, and what is parked of them, is refused (`ActorTypeRetired`). Default none. */
  readonly retired?: readonly string[];
  /** Unique among live workers. Default: random. Letters, digits, `-` and `_`. */
  readonly id?: string;
  readonly options?: WorkerOptions;
  readonly log?: Log;
  /** A changed definition with the same version is taken as an edit in progress. Default false. */
  readonly dev?: boolean;
  /** Whether anybody may watch this worker's actors. Default true: it costs nothing while nobody does. */
  readonly observe?: boolean;
  /** How often to look whether anybody subscribes to every observation, without having asked, ms. Default: never. */
  readonly watchProbeMs?: number;
  /** What its process knows of itself (pid, memory ...), asked for whenever somebody asks for `stats`. */
  readonly about?: () => Readonly<Record<string, unknown>>;
}

export interface WorkerStats {
  readonly id: string;
  /** Unix ms. */
  readonly startedAt: number;
  /** Whether its lease is young enough for effects (R5). */
  readonly fresh: boolean;
  /** It gives everything back. */
  readonly draining: boolean;
  readonly partitions: readonly number[];
  readonly live: number;
  /** Actors in memory. */
  readonly resident: number;
  /** What they take, by estimate. */
  readonly residentBytes: number;
  readonly effectsRunning: number;
  readonly outboxWaiting: number;
  /** Chunks of `progress()`: told, and left out. */
  readonly progress: { readonly published: number; readonly dropped: number };
  /** Since it started. */
  readonly counters: Readonly<Omit<WorkerCounters, 'byType'>>;
  /** Turns ended since it started, by type. */
  readonly turnsByType: Readonly<Record<string, TypeCounters>>;
  /** Effects since it started, by type and source. */
  readonly effects: readonly EffectFigure[];
  /** Inputs that wait behind an open turn: of all actors in memory, and of the one with the most. */
  readonly mailbox: { readonly waiting: number; readonly deepest: number };
  /** Actors in memory that nobody here can fold, and entries of its partitions that were set aside. */
  readonly suspended: number;
  readonly quarantined: number;
  /** Who looks on, and how much was told and left out. */
  readonly observer: { readonly watchers: number; readonly observed: number; readonly dropped: number };
  readonly types: Readonly<Record<string, number>>;
  /** See `StartWorkerOptions.about`. */
  readonly about?: Readonly<Record<string, unknown>>;
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
  /** Lets an instrument look on beside those that do; without any, a step reads one boolean. @returns what ends that. */
  addInstrument(instrument: Instrument): () => void;
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
const EMPTY = new Uint8Array(0);

const storage = new AsyncLocalStorage<EffectContext>();
const asyncScope: EffectScope = {
  run: (context, call) => storage.run(context, call),
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
  readonly retired: ReadonlySet<string>;
  readonly outbox: Outbox;
  readonly progress: ProgressPublisher;
  readonly runner: EffectRunner;
  readonly observer: Observer;
  readonly snapshotSlots: Slots;
  readonly gates: OwnerGates;
  readonly pace: Pace;
  readonly pressure: JournalPressure;
  readonly counters: WorkerCounters = {
    entries: 0,
    turns: 0,
    deadLetters: 0,
    snapshots: 0,
    wakes: 0,
    repeats: 0,
    claims: 0,
    takeovers: 0,
    checkpoints: 0,
    byType: new Map(),
  };
  readonly ready: Promise<void>;
  readonly stopped: Promise<void>;

  readonly #startedAt: number;
  readonly #about: StartWorkerOptions['about'];
  readonly #observe: boolean;
  readonly #watchProbeMs: number | undefined;
  readonly #membership: Membership;
  readonly #ownership: Ownership;
  readonly #passivation: Passivation;
  #control: { close(): void } | undefined;
  #draining: Promise<void> | undefined;
  #over = false;
  #complete = false;
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
    this.#observe = options.observe ?? true;
    this.#watchProbeMs = options.watchProbeMs;
    this.definitions = byType(options.definitions);
    this.retired = retiredTypes(options.retired ?? [], this.definitions);
    this.outbox = new Outbox(this.ports.journal, this.ports.clock, this.log);
    this.observer = new Observer({
      workerId: this.id,
      bus: this.ports.bus,
      clock: this.ports.clock,
      subjects: this.subjects,
    });
    this.progress = new ProgressPublisher(this.ports.bus, this.subjects, this.ports.clock);
    this.runner = new EffectRunner(
      this.ports.journal,
      this.ports.clock,
      this.log,
      this.options.effectsRunningMax,
      this.observer,
      this.progress,
    );
    this.pressure = new JournalPressure(this.ports.journal, this.ports.clock, this.log, this.options);
    this.pace = new Pace(this.ports.clock);
    this.gates = new OwnerGates(this.ports.clock, this.pace);
    this.snapshotSlots = new Slots(this.options.snapshotsInFlightMax);
    const types = Object.fromEntries([...this.definitions.values()].map((one) => [one.type, one.version]));
    this.#startedAt = this.ports.clock.now();
    this.#about = options.about;
    const record: WorkerRecord = { id: this.id, startedAt: this.#startedAt, types };
    this.#membership = new Membership(this.ports, this.subjects, this.options, this.log, record, () =>
      this.#tellChange(),
    );
    this.#ownership = new Ownership(this, this.#membership, () => this.#shareComplete());
    this.#passivation = new Passivation(this, () => this.#ownership.partitions.values());
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
        this.#membership.confirm(await this.#membership.renew());
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
    const control = serveControl(this);
    const discovery = serveDiscovery(this);
    const inspection = this.#observe ? serveInspection(this, this.#watchProbeMs) : { close: () => {} };
    this.#control = {
      close: () => {
        control.close();
        discovery.close();
        inspection.close();
      },
    };
    void this.pressure.start();
    this.#ownership.start();
    this.#tellChange();
    this.#passivation.start();
  }

  owner(partition: number): PartitionOwner | undefined {
    return this.#ownership.partitions.get(partition);
  }

  lives(worker: string): boolean {
    return this.#membership.lives(worker);
  }

  serveForwarded(partition: number): { close(): void } {
    return serveForwarded(this, partition);
  }

  workersChanged(): void {
    this.#ownership.look();
  }

  take(freed: FreedPartition): Promise<void> {
    return this.#ownership.take(freed);
  }

  lost(partition: PartitionOwner, reason: string): void {
    this.#ownership.lost(partition, reason);
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
    this.#ownership.stop();
    this.#resolveStopped();
  }

  stats(): WorkerStats {
    let resident = 0;
    let residentBytes = 0;
    let live = 0;
    let waiting = 0;
    let deepest = 0;
    let suspended = 0;
    let quarantined = 0;
    for (const partition of this.#ownership.partitions.values()) {
      resident += partition.cells.size;
      if (partition.live) live++;
      quarantined += partition.quarantine.size;
      for (const cell of partition.cells.values()) {
        const depth = cell.state?.stash.length ?? 0;
        waiting += depth;
        deepest = Math.max(deepest, depth);
        residentBytes += cell.bytesEstimated;
        if (cell.suspended !== undefined) suspended++;
      }
    }
    return {
      id: this.id,
      startedAt: this.#startedAt,
      fresh: this.leaseFresh,
      draining: this.#draining !== undefined,
      partitions: [...this.#ownership.partitions.keys()].sort((a, b) => a - b),
      live,
      resident,
      residentBytes,
      effectsRunning: this.runner.running,
      outboxWaiting: this.outbox.waiting,
      progress: { published: this.progress.published, dropped: this.progress.dropped },
      counters: plainCounters(this.counters),
      turnsByType: Object.fromEntries(this.counters.byType),
      effects: this.runner.figures.read(),
      mailbox: { waiting, deepest },
      suspended,
      quarantined,
      observer: {
        watchers: this.observer.watchers,
        observed: this.observer.observed,
        dropped: this.observer.dropped,
      },
      types: Object.fromEntries([...this.definitions.values()].map((one) => [one.type, one.version])),
      ...(this.#about === undefined ? {} : { about: this.#about() }),
    };
  }

  addInstrument(instrument: Instrument): () => void {
    return this.observer.addInstrument(instrument);
  }

  partitionStats(): readonly PartitionStats[] {
    return [...this.#ownership.partitions.values()].map((one) => one.stats());
  }

  async #drain(deadlineMs: number): Promise<void> {
    await this.#ownership.releaseAll(this.clock.monotonic() + deadlineMs);
    this.#stop();
    await this.#membership
      .leave()
      .catch((error: unknown) =>
        this.log.warn({ error: String(error) }, 'the lease could not be given back; it expires by itself'),
      );
    this.#tellChange();
    this.#resolveStopped();
  }

  /** Every worker looks who owns what, this one included; whoever misses it does so within `renewEveryMs`. */
  #tellChange(): void {
    this.#ownership.look();
    this.ports.bus.publish(this.subjects.control('changed'), EMPTY);
  }

  #stop(): void {
    this.#over = true;
    this.#membership.stop();
    this.#passivation.stop();
    this.pressure.stop();
    this.#control?.close();
  }

  #shareComplete(): void {
    if (this.#complete) return;
    this.#complete = true;
    void this.#whenLive();
  }

  async #whenLive(): Promise<void> {
    while (!this.#over && [...this.#ownership.partitions.values()].some((partition) => !partition.fresh)) {
      await new Promise<void>((resolve) => {
        this.clock.setTimer(resolve, 5);
      });
    }
    this.log.info(
      { worker: this.id, partitions: this.#ownership.partitions.size, types: [...this.definitions.keys()] },
      'worker is ready',
    );
    this.#resolveReady();
  }
}

function plainCounters({ byType: _types, ...counters }: WorkerCounters): WorkerStats['counters'] {
  return counters;
}

function retiredTypes(types: readonly string[], hosted: ReadonlyMap<string, unknown>): ReadonlySet<string> {
  for (const type of types) {
    assertType(type);
    if (hosted.has(type))
      throw new TroupeError(
        'ConfigInvalid',
        `The type '${type}' is retired, and there is a definition of it. Take it off one of the two lists.`,
      );
  }
  return new Set(types);
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
