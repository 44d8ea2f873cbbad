/**
 * Who is alive: this worker's lease, and what it knows of the others'.
 *
 * A killed process loses its subscriptions with its connection, so a ping to it has no responders at once; one that is frozen
 * or busy keeps them, and only its lease ends it. What also takes subscriptions away for a moment is a server that restarts:
 * so each lease names the server that its worker is connected to.
 *
 * Invariants
 * 1. The lease counts from the moment its renewal was sent, by the local monotonic clock: a slow
 *    answer never makes it look younger than it is.
 * 2. A worker is dead when its lease has expired; or sooner, when nothing but "no responders" has come from its control subject
 *    for a while, over a connection of one's own that was steady all the time: for `SILENT_MS` if its lease names the
 *    server that this worker is connected to, and some other worker answers or none other is known; else for `SILENT_LONG_MS`, in
 *    which those that a server left behind have long been connected to another.
 * 3. A lease that is written again after its worker was given up makes it alive again; one that merely reappears (a server
 *    that was killed may bring it back) doesn't.
 * 4. A worker watches at most `WATCHED_MAX` others, the next ones in the ring of ids, so that watching costs the same however many
 *    there are.
 */
import type { Subjects } from '@troupe/wire';
import type { Log } from './log.ts';
import type { ResolvedWorkerOptions } from './options.ts';
import type { Ports, Timer } from './ports.ts';
import { rules } from './rules.ts';

/** The lease of a worker, as stored. */
export interface WorkerRecord {
  readonly id: string;
  /** Unix ms. */
  readonly startedAt: number;
  readonly types: Readonly<Record<string, number>>;
  /** It gives everything back, and takes nothing. */
  readonly draining?: boolean;
  /** The server process that it was connected to when it wrote this. */
  readonly server?: string;
}

/** A worker as another one sees it. */
interface Seen {
  readonly record: WorkerRecord;
  readonly revision: number;
}

const EMPTY = new Uint8Array(0);
/** Pings per renewal: every 500 ms at its default. */
const PINGS_PER_RENEWAL = 8;
const PING_TIMEOUT_MS = 400;
/** At least, and at least two pings long. */
const SILENT_MS = 1_000;
const SILENT_LONG_MS = 4_000;
const WATCHED_MAX = 8;
/** A connection younger than this says nothing about others. */
const STEADY_MS = 800;

export class Membership {
  readonly #ports: Ports;
  readonly #subjects: Subjects;
  readonly #options: ResolvedWorkerOptions;
  readonly #log: Log;
  readonly #onChange: () => void;
  #self: WorkerRecord;
  /** Monotonic time at which the last successful renewal was sent. */
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #connectedAtMs: number;
  /** By id, the last lease known of each other live worker. */
  #seen = new Map<string, Seen>();
  /** By id, the revision of the lease of a worker that was given up. */
  readonly #gone = new Map<string, number>();
  /** By id, since when there is nobody, by the monotonic clock. */
  readonly #silentSince = new Map<string, number>();
  #slow = false;
  #watcher: Timer | undefined;
  #over = false;

  /** @param onChange some worker was found dead: look who owns what. */
  constructor(
    ports: Ports,
    subjects: Subjects,
    options: ResolvedWorkerOptions,
    log: Log,
    self: WorkerRecord,
    onChange: () => void,
  ) {
    this.#ports = ports;
    this.#subjects = subjects;
    this.#options = options;
    this.#log = log;
    this.#self = self;
    this.#onChange = onChange;
    this.#connectedAtMs = ports.clock.monotonic();
    ports.bus.onStatus((connected) => {
      this.#silentSince.clear();
      if (connected) this.#connectedAtMs = ports.clock.monotonic();
    });
  }

  /** R5: whether effects may start. */
  get fresh(): boolean {
    return (
      !rules.freshLease ||
      (this.#ports.bus.connected && this.#ports.clock.monotonic() - this.#renewedAtMs < this.#options.leaseTtlMs / 2)
    );
  }

  /** Some worker keeps its connection but doesn't answer: its lease may end soon. */
  get someoneIsSlow(): boolean {
    return this.#slow;
  }

  /** Whether a worker is known and not known to be dead. */
  lives(id: string): boolean {
    return id === this.#self.id || this.#seen.has(id);
  }

  /** Stores the lease. @returns the monotonic time at which that was sent, for `confirm`. */
  async renew(): Promise<number> {
    const sentAtMs = this.#ports.clock.monotonic();
    const { server } = this.#ports.bus;
    const record = server === undefined ? this.#self : { ...this.#self, server };
    await this.#ports.records.put(`worker.${this.#self.id}`, record, { ttlMs: this.#options.leaseTtlMs });
    return sentAtMs;
  }

  /** The partitions' records were read back after that renewal: ownership is as fresh as it (R5). */
  confirm(sentAtMs: number): void {
    this.#renewedAtMs = sentAtMs;
  }

  /** From the next renewal on the others see that this worker takes nothing more. */
  drain(): void {
    this.#self = { ...this.#self, draining: true };
  }

  async leave(): Promise<void> {
    this.#renewedAtMs = Number.NEGATIVE_INFINITY;
    await this.#ports.records.remove(`worker.${this.#self.id}`);
  }

  /** Live workers by id, this one included. */
  async list(): Promise<ReadonlyMap<string, WorkerRecord>> {
    const records = await this.#ports.records.list('worker');
    const seen = new Map<string, Seen>();
    for (const [, { value, revision }] of records) {
      const record = value as WorkerRecord;
      const goneAt = this.#gone.get(record.id);
      if (record.id === this.#self.id || (goneAt !== undefined && revision <= goneAt)) continue;
      this.#gone.delete(record.id);
      seen.set(record.id, { record, revision });
    }
    this.#seen = seen;
    this.#watch();
    for (const id of this.#silentSince.keys()) if (!seen.has(id)) this.#silentSince.delete(id);
    const workers = new Map([...seen].map(([id, { record }]) => [id, record]));
    return workers.set(this.#self.id, this.#self);
  }

  /** Looks again and again whether the others are still there, while there are any. */
  #watch(): void {
    if (this.#over || this.#watcher !== undefined || this.#seen.size === 0) return;
    this.#watcher = this.#ports.clock.setTimer(() => {
      void this.#look().finally(() => {
        this.#watcher = undefined;
        this.#watch();
      });
    }, this.#pingEveryMs);
  }

  get #pingEveryMs(): number {
    return Math.max(PING_TIMEOUT_MS / 2, this.#options.renewEveryMs / PINGS_PER_RENEWAL);
  }

  stop(): void {
    this.#over = true;
    this.#watcher?.cancel();
  }

  async #look(): Promise<void> {
    const ids = this.#watched();
    if (ids.length === 0 || !this.#steady()) {
      this.#slow = false;
      return;
    }
    const sentAtMs = this.#ports.clock.monotonic();
    const answers = await Promise.all(ids.map((id) => this.#ping(id)));
    if (this.#over || !this.#steady()) return;
    this.#slow = answers.includes('slow');
    const silent = ids.filter((_, at) => answers[at] === 'nobody');
    for (const id of ids) if (!silent.includes(id)) this.#silentSince.delete(id);
    for (const id of silent.filter((one) => !this.#silentSince.has(one))) {
      this.#silentSince.set(id, sentAtMs);
      await this.#refresh(id);
    }
    const dead = silent.filter((id) => this.#isDead(id, sentAtMs));
    if (dead.length === 0) return;
    const given = await Promise.all(dead.map((id) => this.#giveUp(id)));
    if (given.includes(true)) this.#onChange();
  }

  /** What it wrote last before it fell silent. @returns whether that was new. */
  async #refresh(id: string): Promise<boolean> {
    const before = this.#seen.get(id);
    const stored = await this.#ports.records.get(`worker.${id}`).catch(() => undefined);
    if (stored === undefined || stored.revision === before?.revision) return false;
    this.#seen.set(id, { record: stored.value as WorkerRecord, revision: stored.revision });
    return true;
  }

  /** The next ones in the ring of ids. */
  #watched(): string[] {
    const others = [...this.#seen.keys()].sort();
    const after = others.filter((id) => id > this.#self.id);
    return [...after, ...others.slice(0, others.length - after.length)].slice(0, WATCHED_MAX);
  }

  #steady(): boolean {
    return this.#ports.bus.connected && this.#ports.clock.monotonic() - this.#connectedAtMs > STEADY_MS;
  }

  /** Invariant 2. */
  #isDead(id: string, nowMs: number): boolean {
    const seen = this.#seen.get(id);
    const since = this.#silentSince.get(id);
    if (seen === undefined || since === undefined) return false;
    const others = Math.min(this.#seen.size, WATCHED_MAX) - 1;
    const someoneAnswers = others === 0 || this.#silentSince.size <= others;
    const sameServer = seen.record.server === this.#ports.bus.server;
    const silentMs = sameServer && someoneAnswers ? SILENT_MS : SILENT_LONG_MS;
    return nowMs - since >= Math.max(silentMs, 2 * this.#pingEveryMs);
  }

  /** @returns whether it is given up: a lease written since it fell silent says that it lives, whoever answers for it. */
  async #giveUp(id: string): Promise<boolean> {
    if (await this.#refresh(id)) {
      this.#silentSince.delete(id);
      return false;
    }
    this.#log.warn({ worker: id }, 'a worker answers no more; its partitions are taken over');
    this.#gone.set(id, this.#seen.get(id)?.revision ?? 0);
    this.#seen.delete(id);
    this.#silentSince.delete(id);
    await this.#ports.records.remove(`worker.${id}`).catch(() => undefined);
    return true;
  }

  async #ping(id: string): Promise<'here' | 'slow' | 'nobody'> {
    try {
      await this.#ports.bus.request(this.#subjects.control('ping', id), EMPTY, { timeoutMs: PING_TIMEOUT_MS });
      return 'here';
    } catch (error) {
      return (error as { kind?: string }).kind === 'no-responders' ? 'nobody' : 'slow';
    }
  }
}
