/**
 * What the checks look at. Everything is read once, however many checks need it, and nothing is changed.
 *
 * Invariants
 * 1. Reads are shared: the second asks for the promise of the first, its failure included.
 * 2. Lists are bounded: beyond `ACTORS_MAX` and `ROWS_MAX` it is said that there are more.
 */
import type { OpenPorts } from '@troupe/service-worker';
import { type ActorAddress, decodeValue } from '@troupe/wire';
import type { CommandContext, Project } from '../context.ts';
import { type PartitionView, readPartitions } from '../operator/partition-views.ts';
import { readWorkers, type WorkerView } from '../operator/workers.ts';
import type { Limits } from './limits.ts';

/** An actor in the memory of a worker, as it tells of it. */
export interface Resident {
  readonly worker: string;
  readonly actor: string;
  readonly status: string;
  readonly turnSince?: number;
}

/** Actors that have a stored state. */
export interface StoredActors {
  readonly countByType: ReadonlyMap<string, number>;
  /** Some of them, each as likely as any other. */
  readonly sample: readonly { readonly partition: number; readonly address: ActorAddress }[];
  /** There are more than were counted. */
  readonly isCut: boolean;
}

/** Stored actors looked at, at most. */
export const ACTORS_MAX = 100_000;
/** Pages of 500 actors in memory read from each worker, at most. */
const PAGES_MAX = 40;
const CELLS_MS = 5_000;

export class Look {
  readonly context: CommandContext;
  readonly project: Project;
  readonly open: OpenPorts;
  readonly limits: Limits;
  #workers: Promise<readonly WorkerView[]> | undefined;
  #partitions: Promise<readonly PartitionView[]> | undefined;
  #residents: Promise<readonly Resident[]> | undefined;
  #stored: Promise<StoredActors> | undefined;

  constructor(context: CommandContext, project: Project, open: OpenPorts, limits: Limits) {
    this.context = context;
    this.project = project;
    this.open = open;
    this.limits = limits;
  }

  /** Everybody who has a lease. */
  workers(): Promise<readonly WorkerView[]> {
    this.#workers ??= readWorkers(this.open);
    return this.#workers;
  }

  /** Those that answer; none when nobody does. */
  async answering(): Promise<readonly (WorkerView & { readonly stats: NonNullable<WorkerView['stats']> })[]> {
    const views = await this.workers();
    return views.flatMap(({ lease, stats }) => (stats === undefined ? [] : [{ lease, stats }]));
  }

  partitions(): Promise<readonly PartitionView[]> {
    this.#partitions ??= readPartitions(this.open);
    return this.#partitions;
  }

  /** Actors in the memory of all workers that answer. */
  residents(): Promise<readonly Resident[]> {
    this.#residents ??= this.#readResidents();
    return this.#residents;
  }

  stored(): Promise<StoredActors> {
    this.#stored ??= this.#readStored();
    return this.#stored;
  }

  async #readResidents(): Promise<Resident[]> {
    const workers = await this.answering();
    return (await Promise.all(workers.map(({ lease }) => this.#cellsOf(lease.id)))).flat();
  }

  async #cellsOf(worker: string): Promise<Resident[]> {
    const { bus } = this.open.ports;
    const subject = this.open.config.subjects.control('cells', worker);
    const found = new Map<string, Resident>();
    let afterSeq = 0;
    for (let page = 0; page < PAGES_MAX; page++) {
      const request = new TextEncoder().encode(JSON.stringify({ query: 'cells', afterSeq }));
      const headers = { Accept: 'application/msgpack' };
      const answer = await bus.request(subject, request, { timeoutMs: CELLS_MS, headers });
      const { rows, more } = decodeValue(answer.payload) as {
        readonly rows: readonly (Resident & { readonly seq: number })[];
        readonly more: boolean;
      };
      for (const { actor, status, turnSince } of rows)
        found.set(actor, { worker, actor, status, ...(turnSince === undefined ? {} : { turnSince }) });
      afterSeq = rows.at(-1)?.seq ?? afterSeq;
      if (!more) break;
    }
    return [...found.values()];
  }

  async #readStored(): Promise<StoredActors> {
    const countByType = new Map<string, number>();
    const sample: StoredActors['sample'][number][] = [];
    let seen = 0;
    for await (const one of this.open.ports.snapshots.list({})) {
      if (seen >= ACTORS_MAX) return { countByType, sample, isCut: true };
      seen++;
      countByType.set(one.address.type, (countByType.get(one.address.type) ?? 0) + 1);
      // Reservoir: the n-th takes a place with the chance of size / n.
      const place = sample.length < this.limits.sample ? sample.length : Math.floor(Math.random() * seen);
      if (place < this.limits.sample) sample[place] = one;
    }
    return { countByType, sample, isCut: false };
  }
}
