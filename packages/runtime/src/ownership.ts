/**
 * Which partitions this worker owns: claiming, confirming, giving back.
 *
 * Invariants
 * 1. A partition is claimed by compare-and-set on its record, with an epoch one higher, and only from
 *    nobody, from oneself, or from a worker that is dead.
 * 2. R5: ownership counts as fresh from the moment a renewal was sent, and only once the records of what is owned
 *    were read back in the same round. What names another owner or epoch is dropped first.
 * 3. Renewing never waits for claiming or for giving back: both may take long.
 * 4. A record that names this worker stands only for a partition that it holds or is about to hold.
 * 5. At most `MOVES_MAX` partitions are handed over at once, so that few callers wait at a time; the next owner is told of each
 *    and claims it at once.
 */
import { encodeValue } from '@troupe/wire';
import { needsAfter } from './assignment.ts';
import type { Left } from './calls-elsewhere.ts';
import { readCheckpoint } from './checkpoint.ts';
import type { Membership, WorkerRecord } from './membership.ts';
import type { PartitionHost } from './partition-host.ts';
import { PartitionOwner } from './partition-owner.ts';
import type { Timer } from './ports.ts';
import { rules } from './rules.ts';
import { type PartitionRecord, partitionKey, type Records, recordOf, Shares, type StoredRecord } from './shares.ts';

/** What the next owner is told: the record of the partition once it was freed. */
export interface FreedPartition extends StoredRecord {
  readonly partition: number;
}

/** While something isn't where it belongs, a worker looks again this soon, ms. */
const LOOK_AGAIN_MS = 1_000;
/** A renewal that failed is repeated this soon, ms. */
const RENEW_AGAIN_MS = 500;
const MOVES_MAX = 4;
/** How often a drain looks whether it may go on, ms. */
const DRAIN_STEP_MS = 10;

export class Ownership {
  readonly #host: PartitionHost;
  readonly #membership: Membership;
  readonly #owned = new Map<number, PartitionOwner>();
  /** By partition, what answers queries about it that others forward. */
  readonly #served = new Map<number, { close(): void }>();
  /** By partition, its record as this worker wrote it. */
  readonly #claims = new Map<number, StoredRecord>();
  readonly #claiming = new Set<number>();
  readonly #releasing = new Set<number>();
  readonly #onShare: () => void;
  readonly #shares: Shares;
  /** What is to be handed over. */
  #moves: { readonly partition: number; readonly to: string }[] = [];
  #renewTimer: Timer | undefined;
  #claimTimer: Timer | undefined;
  #share = Number.POSITIVE_INFINITY;
  /** Some partition is not where it belongs, for now or because a worker is gone. */
  #unsettled = false;
  #intake = true;
  #looking = false;
  #again = false;
  /** When a drain ends, by the monotonic clock. */
  #endAtMs = Number.POSITIVE_INFINITY;
  #over = false;

  /** @param onShare called once this worker holds its whole share for the first time. */
  constructor(host: PartitionHost, membership: Membership, onShare: () => void) {
    this.#host = host;
    this.#shares = new Shares(host);
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
    this.#letGo(partition);
  }

  /**
   * Gives everything back, to those whose it is from now on. The lease is kept meanwhile, and until calls that are under way have
   * ended: they are not abandoned.
   */
  async releaseAll(endAtMs: number): Promise<void> {
    this.#intake = false;
    this.#claimTimer?.cancel();
    this.#endAtMs = endAtMs;
    const next = await this.#nextOwners().catch(() => new Map<number, string>());
    const alone = next.size === 0;
    const waiting = [...this.#owned.values()];
    const mover = async (): Promise<void> => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift())
        await this.#release(one, endAtMs, next.get(one.partition));
    };
    await Promise.all(Array.from({ length: alone ? waiting.length : MOVES_MAX * 2 }, mover));
    while (this.#releasing.size > 0) await this.#sleep(DRAIN_STEP_MS);
    await this.#host.runner.leftEnd(endAtMs);
    this.stop();
  }

  /** Tells the others that this worker takes nothing more, and reckons what becomes whose. */
  async #nextOwners(): Promise<ReadonlyMap<number, string>> {
    this.#membership.drain();
    await this.#membership.renew();
    const workers = await this.#membership.list();
    const records = await this.#host.ports.records.list('partition');
    const rightful = this.#shares.ofAll(workers, records);
    return new Map(rightful.flatMap((id, at) => (id === undefined ? [] : [[at, id] as const])));
  }

  /** Stops renewing and claiming; writes nothing more. */
  stop(): void {
    this.#over = true;
    this.#renewTimer?.cancel();
    this.#claimTimer?.cancel();
    for (const partition of [...this.#owned.values()]) {
      partition.drop();
      this.#letGo(partition);
    }
    this.#host.runner.endLeft();
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
    const owned = [...this.#owned.values()];
    const stored = await Promise.all(owned.map((one) => this.#host.ports.records.get(partitionKey(one.partition))));
    if (this.#over) return;
    for (const [at, one] of owned.entries()) this.#dropIfForeign(one, recordOf(stored[at]));
    this.#membership.confirm(sentAtMs);
    for (const partition of this.#owned.values()) void partition.confirmHead();
  }

  #dropIfForeign(partition: PartitionOwner, record: PartitionRecord | undefined): void {
    if (record === undefined || (record.owner === this.#host.workerId && record.epoch === partition.epoch)) return;
    this.lost(partition, `owned by ${record.owner || 'nobody'} in epoch ${record.epoch}`);
  }

  /** Looks who owns what at once; when it does so already, once more afterwards. */
  look(): void {
    if (this.#over || !this.#intake) return;
    this.#again = this.#looking;
    if (this.#looking || this.#claimTimer === undefined) return;
    this.#claimTimer.cancel();
    this.#claimTimer = this.#host.clock.setTimer(() => this.#claimRound(), 0);
  }

  /** Its owner before says that the partition is free, and this worker's. Whether that is so, the compare-and-set decides. */
  async take({ partition, ...freed }: FreedPartition): Promise<void> {
    const known = partition >= 0 && partition < this.#host.ports.journal.partitions;
    if (!known || this.#over || !this.#intake || this.#owned.has(partition) || this.#claiming.has(partition)) return;
    if (recordOf(freed)?.owner === '') await this.#claim(partition, freed);
  }

  #claimRound(): void {
    this.#looking = true;
    void this.#claimShare()
      .catch((error: unknown) => this.#host.log.warn({ error: String(error) }, 'partitions not claimed; trying again'))
      .finally(() => {
        this.#looking = false;
        if (this.#over || !this.#intake) return;
        const complete = this.#owned.size >= this.#share;
        if (complete) this.#onShare();
        this.#claimTimer = this.#host.clock.setTimer(() => this.#claimRound(), this.#waitMs(complete));
        this.#again = false;
      });
  }

  #waitMs(complete: boolean): number {
    const { renewEveryMs } = this.#host.options;
    if (this.#again) return 0;
    const settled = complete && !this.#unsettled && !this.#membership.someoneIsSlow;
    return settled ? renewEveryMs : Math.min(LOOK_AGAIN_MS, renewEveryMs);
  }

  async #claimShare(): Promise<void> {
    const workers = await this.#membership.list();
    const records = await this.#host.ports.records.list('partition');
    if (this.#over) return;
    await this.#claimFrom(workers, records);
  }

  async #claimFrom(workers: ReadonlyMap<string, WorkerRecord>, records: Records): Promise<void> {
    const rightful = this.#shares.ofAll(workers, records);
    const claims: Promise<void>[] = [];
    this.#unsettled = false;
    this.#share = rightful.filter((id) => id === this.#host.workerId).length;
    this.#moves = [];
    for (const [partition, id] of rightful.entries()) {
      const stored = records.get(partitionKey(partition));
      if (recordOf(stored)?.owner !== id) this.#unsettled = true;
      if (id === this.#host.workerId) this.#claimUnlessHeld(partition, stored, workers, claims);
      else if (id !== undefined) this.#giveUp(partition, stored, id);
    }
    this.#move();
    await Promise.all(claims);
  }

  #claimUnlessHeld(
    partition: number,
    stored: StoredRecord | undefined,
    workers: ReadonlyMap<string, WorkerRecord>,
    claims: Promise<void>[],
  ): void {
    if (this.#owned.has(partition) || this.#claiming.has(partition) || this.#over || !this.#intake) return;
    const holder = recordOf(stored)?.owner ?? '';
    if (holder !== '' && holder !== this.#host.workerId && workers.has(holder)) return;
    claims.push(this.#claim(partition, stored));
  }

  /** Another worker's: handed over if it is held, and disowned if only the record says so (invariant 4). */
  #giveUp(partition: number, stored: StoredRecord | undefined, to: string): void {
    if (this.#owned.has(partition)) {
      this.#moves.push({ partition, to });
      return;
    }
    const record = recordOf(stored);
    if (record?.owner !== this.#host.workerId || this.#claiming.has(partition) || this.#releasing.has(partition))
      return;
    void this.#disown(partition, record.epoch, undefined);
  }

  /** Invariant 5. */
  #move(): void {
    while (this.#releasing.size < MOVES_MAX && !this.#over) {
      const move = this.#moves.shift();
      if (move === undefined) return;
      const owned = this.#owned.get(move.partition);
      if (owned === undefined || this.#releasing.has(move.partition)) continue;
      const endAtMs = this.#host.clock.monotonic() + this.#host.options.drainDeadlineMs;
      void this.#release(owned, Math.min(endAtMs, this.#endAtMs), move.to).finally(() => this.#move());
    }
  }

  /** Resolves when the claim is stored; opening goes on in the background (invariant 3). */
  async #claim(partition: number, stored: StoredRecord | undefined): Promise<void> {
    this.#claiming.add(partition);
    try {
      const { records } = this.#host.ports;
      const before = recordOf(stored);
      const claim = this.#claimAfter(partition, before);
      const [result, { revision, checkpoint }] = await Promise.all([
        records.put(partitionKey(partition), claim, { expectedRevision: stored?.revision ?? 0 }),
        // What is written to it in between is found when this owner's epoch is written into it.
        readCheckpoint(records, partition),
      ]);
      if (result.kind === 'conflict' || this.#over || !this.#intake) return;
      this.#host.counters.claims++;
      if (before !== undefined && before.owner !== this.#host.workerId) this.#host.counters.takeovers++;
      const owner = new PartitionOwner(this.#host, partition, claim.epoch, revision, checkpoint, claim.left);
      this.#hold(owner);
      this.#claims.set(partition, { revision: result.revision, value: claim });
      owner.open().catch((error: unknown) => this.lost(owner, `it could not be opened: ${String(error)}`));
    } finally {
      this.#claiming.delete(partition);
    }
  }

  #hold(owner: PartitionOwner): void {
    this.#owned.set(owner.partition, owner);
    this.#served.get(owner.partition)?.close();
    this.#served.set(owner.partition, this.#host.serveForwarded(owner.partition));
  }

  #letGo(owner: PartitionOwner): void {
    if (this.#owned.get(owner.partition) !== owner) return;
    this.#owned.delete(owner.partition);
    this.#claims.delete(owner.partition);
    this.#served.get(owner.partition)?.close();
    this.#served.delete(owner.partition);
  }

  #claimAfter(partition: number, before: PartitionRecord | undefined): PartitionRecord {
    const { definitions, ports, workerId } = this.#host;
    const types = Object.fromEntries([...definitions.values()].map((one) => [one.type, one.version]));
    return {
      owner: workerId,
      epoch: (before?.epoch ?? 0) + 1,
      needs: needsAfter(before?.needs, types, (type) => ports.journal.takes?.(partition, type) ?? true),
      ...(before?.left !== undefined && before.left.worker !== workerId ? { left: before.left } : {}),
    };
  }

  /** @param to who is to own it next, if anybody. */
  async #release(partition: PartitionOwner, endAtMs: number, to: string | undefined): Promise<void> {
    const number = partition.partition;
    if (this.#releasing.has(number)) return;
    this.#releasing.add(number);
    const { clean, left } = await partition.release(endAtMs).catch((error: unknown) => {
      this.#host.log.warn({ partition: number, error: String(error) }, 'partition was not handed over in good order');
      return { clean: false, left: undefined };
    });
    if (!clean)
      this.#host.log.warn(
        { partition: number },
        'partition left with work undone; its next owner goes on from the last checkpoint',
      );
    const freed = await this.#disown(number, partition.epoch, left);
    this.#letGo(partition);
    this.#releasing.delete(number);
    if (to !== undefined && freed !== undefined) this.#tell(to, number, freed);
  }

  #tell(worker: string, partition: number, freed: StoredRecord): void {
    try {
      this.#host.ports.bus.publish(this.#host.subjects.control('take', worker), encodeValue({ partition, ...freed }));
    } catch (error) {
      this.#host.log.warn({ worker, error: String(error) }, 'the next owner was not told; it finds out by itself');
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#host.clock.setTimer(resolve, ms);
    });
  }

  /** @returns the record as it is then, unless it was somebody else's. */
  async #disown(partition: number, epoch: number, left: Left | undefined): Promise<StoredRecord | undefined> {
    const { records } = this.#host.ports;
    const key = partitionKey(partition);
    const known = this.#claims.get(partition);
    this.#claims.delete(partition);
    try {
      const stored = recordOf(known)?.epoch === epoch ? known : await records.get(key);
      const record = recordOf(stored);
      if (stored === undefined || record?.epoch !== epoch || record.owner !== this.#host.workerId) return undefined;
      const { needs } = record;
      const next: PartitionRecord = { owner: '', epoch, ...(needs && { needs }), ...(left && { left }) };
      const result = await records.put(key, next, { expectedRevision: stored.revision });
      return result.kind === 'saved' ? { revision: result.revision, value: next } : undefined;
    } catch (error) {
      this.#host.log.warn(
        { partition, error: String(error) },
        "partition is still in this worker's name; it is given back in the next round",
      );
      return undefined;
    }
  }
}
