/**
 * Who is alive: this worker's lease, and what it knows of the others'.
 *
 * Invariants
 * 1. The lease counts from the moment its renewal was sent, by the local monotonic clock: a slow
 *    answer never makes it look younger than it is.
 * 2. A worker is dead when its lease has expired; or sooner, when its control subject has no
 *    responders twice in a second while this worker's own connection is steady and some other worker
 *    answers, or no other is known.
 */
import type { Subjects } from '@troupe/wire';
import type { Log } from './log.ts';
import type { ResolvedWorkerOptions } from './options.ts';
import type { Ports } from './ports.ts';
import { rules } from './rules.ts';

/** The lease of a worker, as stored. */
export interface WorkerRecord {
  readonly id: string;
  readonly startedAt: number;
  readonly types: Readonly<Record<string, number>>;
}

const EMPTY = new Uint8Array(0);
const PING_TIMEOUT_MS = 400;
/** A connection younger than this says nothing about others. */
const STEADY_MS = 800;

export class Membership {
  readonly #ports: Ports;
  readonly #subjects: Subjects;
  readonly #options: ResolvedWorkerOptions;
  readonly #log: Log;
  readonly #self: WorkerRecord;
  /** Monotonic time at which the last successful renewal was sent. */
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #connectedAtMs: number;
  readonly #gone = new Set<string>();

  constructor(ports: Ports, subjects: Subjects, options: ResolvedWorkerOptions, log: Log, self: WorkerRecord) {
    this.#ports = ports;
    this.#subjects = subjects;
    this.#options = options;
    this.#log = log;
    this.#self = self;
    this.#connectedAtMs = ports.clock.monotonic();
    ports.bus.onStatus((connected) => {
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

  /** Stores the lease. @returns the monotonic time at which that was sent, for `confirm`. */
  async renew(): Promise<number> {
    const sentAtMs = this.#ports.clock.monotonic();
    await this.#ports.records.put(`worker.${this.#self.id}`, this.#self, { ttlMs: this.#options.leaseTtlMs });
    return sentAtMs;
  }

  /** The partitions' records were read back after that renewal: ownership is as fresh as it (R5). */
  confirm(sentAtMs: number): void {
    this.#renewedAtMs = sentAtMs;
  }

  async leave(): Promise<void> {
    this.#renewedAtMs = Number.NEGATIVE_INFINITY;
    await this.#ports.records.remove(`worker.${this.#self.id}`);
  }

  /** Live workers by id, this one included. */
  async list(): Promise<ReadonlyMap<string, WorkerRecord>> {
    const records = await this.#ports.records.list('worker');
    const workers = new Map<string, WorkerRecord>();
    for (const [, { value }] of records) {
      const worker = value as WorkerRecord;
      if (!this.#gone.has(worker.id)) workers.set(worker.id, worker);
    }
    workers.set(this.#self.id, this.#self);
    return workers;
  }

  /** Looks for workers whose lease still runs though nobody answers for them any more. */
  async findGone(workers: ReadonlyMap<string, WorkerRecord>): Promise<boolean> {
    const others = [...workers.keys()].filter((id) => id !== this.#self.id);
    if (others.length === 0 || !this.#steady()) return false;
    const first = await this.#silent(others);
    if (first.length === 0) return false;
    await new Promise<void>((resolve) => {
      this.#ports.clock.setTimer(resolve, 500);
    });
    const second = await this.#silent(first);
    const someoneAnswers = second.length < others.length || others.length === first.length;
    if (second.length === 0 || !someoneAnswers || !this.#steady()) return false;
    for (const id of second) {
      this.#log.warn({ worker: id }, 'a worker answers no more; its partitions are taken over');
      this.#gone.add(id);
      await this.#ports.records.remove(`worker.${id}`).catch(() => undefined);
    }
    return true;
  }

  #steady(): boolean {
    return this.#ports.bus.connected && this.#ports.clock.monotonic() - this.#connectedAtMs > STEADY_MS;
  }

  /** Those of `ids` whose control subject nobody subscribes to. */
  async #silent(ids: readonly string[]): Promise<string[]> {
    const answers = await Promise.all(
      ids.map((id) =>
        this.#ports.bus.request(this.#subjects.control('ping', id), EMPTY, { timeoutMs: PING_TIMEOUT_MS }).then(
          () => true,
          (error: unknown) => (error as { kind?: string }).kind !== 'no-responders',
        ),
      ),
    );
    return ids.filter((_, at) => !answers[at]);
  }
}
