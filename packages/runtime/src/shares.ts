/** Whose each partition should be, reckoned from the records of workers and partitions. */
import { assign, type Code, type Place } from './assignment.ts';
import type { Left } from './calls-elsewhere.ts';
import type { WorkerRecord } from './membership.ts';
import type { PartitionHost } from './partition-host.ts';

/** Who owns a partition, as stored. */
export interface PartitionRecord {
  /** Empty: nobody. */
  readonly owner: string;
  readonly epoch: number;
  /** The oldest code that can fold what is in it, by type. Absent: unknown. */
  readonly needs?: Code;
  /** Calls that the owner before still has under way: they are not started again while it lives. */
  readonly left?: Left;
}

export interface StoredRecord {
  readonly revision: number;
  readonly value: unknown;
}

export type Records = ReadonlyMap<string, StoredRecord>;

/** So long the code that a partition needs is waited for; then somebody without it takes over, and suspends what it can't fold, ms. */
const CODE_WAIT_MS = 15_000;

export class Shares {
  readonly #host: PartitionHost;
  /** By partition, since when no live worker has the code that it needs. */
  readonly #codeMissingSince = new Map<number, number>();

  constructor(host: PartitionHost) {
    this.#host = host;
  }

  /** By partition, whose it should be; undefined when no live worker may have it. */
  ofAll(workers: ReadonlyMap<string, WorkerRecord>, records: Records): readonly (string | undefined)[] {
    const candidates = [...workers.values()].filter((one) => one.draining !== true);
    const places = this.#places(workers, records);
    const owners = assign(candidates, places);
    const nowMs = this.#host.clock.monotonic();
    const without: number[] = [];
    for (const [partition, owner] of owners.entries()) {
      if (owner !== undefined || candidates.length === 0) this.#codeMissingSince.delete(partition);
      else {
        const sinceMs = this.#codeMissingSince.get(partition) ?? nowMs;
        this.#codeMissingSince.set(partition, sinceMs);
        // A worker that is alone waits for nobody: no deployment is under way.
        if (candidates.length === 1 || nowMs - sinceMs >= CODE_WAIT_MS) without.push(partition);
      }
    }
    if (without.length === 0) return owners;
    this.#host.log.warn(
      { partitions: without.length },
      'no worker has the code that these partitions need; they are taken over without it',
    );
    return assign(
      candidates,
      places.map((place, partition) => (without.includes(partition) ? { ...place, needs: {} } : place)),
    );
  }

  #places(workers: ReadonlyMap<string, WorkerRecord>, records: Records): Place[] {
    const { journal } = this.#host.ports;
    return Array.from({ length: journal.partitions }, (_, partition) => {
      const record = recordOf(records.get(partitionKey(partition)));
      const owner = record !== undefined && workers.has(record.owner) ? record.owner : undefined;
      return { owner, needs: record?.needs, takes: (type) => journal.takes?.(partition, type) ?? true };
    });
  }
}

export function partitionKey(partition: number): string {
  return `partition.${partition}`;
}

export function recordOf(stored: StoredRecord | undefined): PartitionRecord | undefined {
  return stored?.value as PartitionRecord | undefined;
}
