/**
 * Which partitions this worker owns: claiming, confirming, giving back.
 *
 * Invariants
 * 1. A partition is claimed by compare-and-set on its record, with an epoch one higher, and only from
 *    nobody, from oneself, or from a worker that is dead.
 * 2. R5: ownership counts as fresh from the moment a renewal was sent, and only once the partitions'
 *    records were read back in the same round. What names another owner or epoch is dropped first.
 * 3. Renewing never waits for claiming or for giving back: both may take long.
 * 4. A record that names this worker stands only for a partition that it holds or is about to hold.
 */
import { ownerOf } from './assignment.ts';
import { readCheckpoint } from './checkpoint.ts';
import type { Membership, WorkerRecord } from './membership.ts';
import type { PartitionHost } from './partition-host.ts';
import { PartitionOwner } from './partition-owner.ts';
import type { Timer } from './ports.ts';
import { rules } from './rules.ts';

/** Who owns a partition, as stored. */
interface PartitionRecord {
  readonly owner: string;
  readonly epoch: number;
}

interface StoredRecord {
  readonly revision: number;
  readonly value: unknown;
}

type Records = ReadonlyMap<string, StoredRecord>;

/** While something of its share is missing, a worker looks again this soon, ms. */
const LOOK_AGAIN_MS = 1_000;
/** A renewal that failed is repeated this soon, ms. */
const RENEW_AGAIN_MS = 500;

export class Ownership {
  readonly #host: PartitionHost;
  readonly #membership: Membership;
  readonly #owned = new Map<number, PartitionOwner>();
  readonly #claiming = new Set<number>();
  readonly #releasing = new Set<number>();
  readonly #onShare: () => void;
  #renewTimer: Timer | undefined;
  #claimTimer: Timer | undefined;
  #share = Number.POSITIVE_INFINITY;
  /** Some partition is not where it belongs, for now or because a worker is gone. */
  #unsettled = false;
  #intake = true;
  #over = false;

  /** @param onShare called once this worker holds its whole share for the first time. */
  constructor(host: PartitionHost, membership: Membership, onShare: () => void) {
    this.#host = host;
    this.#membership = membership;
    this.#onShare = onShare;
  }

  get partitions(): ReadonlyMap<number, PartitionOwner> {
    return this.#owned;
  }

  /** Begins to renew and to claim. The first lease must be stored already. */
  start(): void {
    this.#renewTimer = this.#host.clock.setTimer(() => this.#renewRound(), 0);
    this.#claimTimer = this.#host.clock.setTimer(() => this.#claimRound(), 0);
  }

  /** A partition that can't go on is dropped; it may be claimed again. */
  lost(partition: PartitionOwner, reason: string): void {
    if (partition.dropped) return;
    this.#host.log.warn({ partition: partition.partition, epoch: partition.epoch }, `partition dropped: ${reason}`);
    partition.drop();
    this.#owned.delete(partition.partition);
  }

  /** Gives everything back. The lease is kept meanwhile: effects that still run are not abandoned. */
  async releaseAll(endAtMs: number): Promise<void> {
    this.#intake = false;
    this.#claimTimer?.cancel();
    await Promise.all([...this.#owned.values()].map((partition) => this.#release(partition, endAtMs)));
    this.stop();
  }

  /** Stops renewing and claiming; writes nothing more. */
  stop(): void {
    this.#over = true;
    this.#renewTimer?.cancel();
    this.#claimTimer?.cancel();
    for (const partition of this.#owned.values()) partition.drop();
    this.#owned.clear();
  }

  #renewRound(): void {
    void this.#renew().then(
      () => this.#renewAfter(this.#host.options.renewEveryMs),
      (error: unknown) => {
        this.#host.log.warn({ error: String(error) }, 'lease not renewed; effects pause until it is');
        this.#renewAfter(RENEW_AGAIN_MS);
      },
    );
  }

  #renewAfter(waitMs: number): void {
    if (!this.#over) this.#renewTimer = this.#host.clock.setTimer(() => this.#renewRound(), waitMs);
  }

  async #renew(): Promise<void> {
    const sentAtMs = await this.#membership.renew();
    if (!rules.recordsRead) this.#membership.confirm(sentAtMs);
    const records = await this.#host.ports.records.list('partition');
    if (this.#over) return;
    this.#dropForeign(records);
    this.#membership.confirm(sentAtMs);
    for (const partition of this.#owned.values()) void partition.confirmHead();
  }

  #dropForeign(records: Records): void {
    for (const partition of [...this.#owned.values()]) {
      const record = recordOf(records, partition.partition);
      if (record === undefined || (record.owner === this.#host.workerId && record.epoch === partition.epoch)) continue;
      this.lost(partition, `owned by ${record.owner || 'nobody'} in epoch ${record.epoch}`);
    }
  }

  #claimRound(): void {
    void this.#claimShare()
      .catch((error: unknown) => this.#host.log.warn({ error: String(error) }, 'partitions not claimed; trying again'))
      .finally(() => {
        if (this.#over || !this.#intake) return;
        const complete = this.#owned.size >= this.#share;
        if (complete) this.#onShare();
        const waitMs =
          complete && !this.#unsettled
            ? this.#host.options.renewEveryMs
            : Math.min(LOOK_AGAIN_MS, this.#host.options.renewEveryMs);
        this.#claimTimer = this.#host.clock.setTimer(() => this.#claimRound(), waitMs);
      });
  }

  async #claimShare(): Promise<void> {
    const workers = await this.#membership.list();
    this.#unsettled = await this.#claimFrom(workers, await this.#host.ports.records.list('partition'));
    if (!this.#unsettled || this.#over || !(await this.#membership.findGone(workers))) return;
    const records = await this.#host.ports.records.list('partition');
    this.#unsettled = await this.#claimFrom(await this.#membership.list(), records);
  }

  /**
   * @returns whether some partition is not held by the worker whose share it is: held by another one that looks alive, or
   * left by one that does. A lease is no proof of life: a server that was killed can bring back one that had been removed or
   * had expired, and then never ends it (seen with nats-server 2.15.1).
   */
  async #claimFrom(workers: ReadonlyMap<string, WorkerRecord>, records: Records): Promise<boolean> {
    const names = [...workers.keys()];
    const claims: Promise<void>[] = [];
    let unsettled = false;
    let share = 0;
    for (let partition = 0; partition < this.#host.ports.journal.partitions; partition++) {
      const stored = records.get(partitionKey(partition));
      const rightful = ownerOf(partition, names);
      if (rightful === this.#host.workerId) {
        share++;
        unsettled = this.#claimOrWait(partition, stored, workers, claims) || unsettled;
      } else {
        unsettled = (stored?.value as PartitionRecord | undefined)?.owner !== rightful || unsettled;
        this.#giveUp(partition, stored);
      }
    }
    this.#share = share;
    await Promise.all(claims);
    return unsettled;
  }

  #claimOrWait(
    partition: number,
    stored: StoredRecord | undefined,
    workers: ReadonlyMap<string, WorkerRecord>,
    claims: Promise<void>[],
  ): boolean {
    if (this.#owned.has(partition) || this.#claiming.has(partition) || this.#over || !this.#intake) return false;
    const holder = (stored?.value as PartitionRecord | undefined)?.owner ?? '';
    if (holder !== '' && holder !== this.#host.workerId && workers.has(holder)) return true;
    claims.push(this.#claim(partition, stored));
    return false;
  }

  /** Another worker's: handed over if it is held, and disowned if only the record says so (invariant 4). */
  #giveUp(partition: number, stored: StoredRecord | undefined): void {
    const owned = this.#owned.get(partition);
    if (owned !== undefined) {
      void this.#release(owned, this.#host.clock.monotonic() + this.#host.options.drainDeadlineMs);
      return;
    }
    const record = stored?.value as PartitionRecord | undefined;
    if (record?.owner !== this.#host.workerId || this.#claiming.has(partition) || this.#releasing.has(partition))
      return;
    void this.#disown(partition, record.epoch);
  }

  /** Resolves when the claim is stored; opening goes on in the background (invariant 3). */
  async #claim(partition: number, stored: StoredRecord | undefined): Promise<void> {
    this.#claiming.add(partition);
    try {
      const epoch = ((stored?.value as PartitionRecord | undefined)?.epoch ?? 0) + 1;
      const claim: PartitionRecord = { owner: this.#host.workerId, epoch };
      const { records } = this.#host.ports;
      const result = await records.put(partitionKey(partition), claim, { expectedRevision: stored?.revision ?? 0 });
      if (result.kind === 'conflict' || this.#over) return;
      const { revision, checkpoint } = await readCheckpoint(records, partition);
      if (this.#over || !this.#intake) return;
      const owner = new PartitionOwner(this.#host, partition, epoch, revision, checkpoint);
      this.#owned.set(partition, owner);
      owner.open().catch((error: unknown) => this.lost(owner, `it could not be opened: ${String(error)}`));
    } finally {
      this.#claiming.delete(partition);
    }
  }

  async #release(partition: PartitionOwner, endAtMs: number): Promise<void> {
    const number = partition.partition;
    if (this.#releasing.has(number)) return;
    this.#releasing.add(number);
    const clean = await partition.release(endAtMs).catch((error: unknown) => {
      this.#host.log.warn({ partition: number, error: String(error) }, 'partition was not handed over in good order');
      return false;
    });
    if (!clean)
      this.#host.log.warn(
        { partition: number },
        'partition left with work undone; its next owner goes on from the last checkpoint',
      );
    await this.#disown(number, partition.epoch);
    this.#owned.delete(number);
    this.#releasing.delete(number);
  }

  async #disown(partition: number, epoch: number): Promise<void> {
    const { records } = this.#host.ports;
    const key = partitionKey(partition);
    try {
      const stored = await records.get(key);
      const record = stored?.value as PartitionRecord | undefined;
      if (stored === undefined || record?.epoch !== epoch || record.owner !== this.#host.workerId) return;
      await records.put(key, { owner: '', epoch }, { expectedRevision: stored.revision });
    } catch (error) {
      this.#host.log.warn(
        { partition, error: String(error) },
        "partition is still in this worker's name; it is given back in the next round",
      );
    }
  }
}

function partitionKey(partition: number): string {
  return `partition.${partition}`;
}

function recordOf(records: Records, partition: number): PartitionRecord | undefined {
  return records.get(partitionKey(partition))?.value as PartitionRecord | undefined;
}
