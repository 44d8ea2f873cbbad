/**
 * What is parked of one partition: entries whose actor is suspended here, or whose type nobody defines now.
 *
 * Invariants
 * 1. An entry counts as parked only once its copy is durable; until then it is owed, and holds back done and mark (R2). So below
 *    the mark every entry is covered by a snapshot, or parked; above it, the journal has it, whatever is parked.
 * 2. An actor folds what is parked below the first entry that the reader gives it, and nothing else of it: what lies above comes
 *    from the journal.
 * 3. A copy is removed only once a stored snapshot covers it.
 * 4. Entries that an owner may have folded are pinned to its code before they are parked, and what is parked to the code that
 *    begins to fold it, before it does. Other code leaves them alone.
 * 5. Only a fresh owner parks (R5).
 * 6. The checkpoint says that something is parked before the first copy is stored: a new owner would not look for it.
 * 7. Done passes what is parked, though nobody has done what it causes: the copy says so, and whoever folds the entry, from here or
 *    from the journal, does it.
 */
import { type ActorAddress, formatAddress, type StoredMessage } from '@troupe/wire';
import { retryWhile } from './backoff.ts';
import { insist, type PartitionHost } from './partition-host.ts';
import { type ParkedEntry, type PinnedCode, PortError } from './ports.ts';
import { Slots } from './slots.ts';

/** Entries in memory that wait to be parked; beyond, they are left to the journal, and hold back the mark. */
const WAITING_MAX = 10_000;
/** Copies being stored at once. */
const IN_FLIGHT_MAX = 16;

/** What parking needs of the partition. */
export interface LotOwner {
  readonly partition: number;
  readonly dropped: boolean;
  readonly fresh: boolean;
  whenFresh(callback: () => void): void;
  /** The checkpoint says that something is parked. @throws Dropped */
  announceParked(): Promise<void>;
  /** Something was done that the next owner would do again. */
  worked(): void;
}

/** An entry on its way into the lot. */
export interface ToPark {
  /** Of its actor, as in a subject: `type.key`. */
  readonly name: string;
  readonly address: ActorAddress;
  readonly message: StoredMessage;
  readonly done: boolean;
  /** Code that may have folded it. */
  readonly pin: PinnedCode | undefined;
}

/** What waits for an actor that wakes. */
export interface Pending {
  /** To be folded first, ascending. */
  readonly seqs: readonly number[];
  /** Copies of entries that the journal has as well. */
  readonly above: ReadonlySet<number>;
  readonly pin: PinnedCode | undefined;
}

const NOTHING_PENDING: Pending = { seqs: [], above: new Set(), pin: undefined };

export class ParkingLot {
  readonly #host: PartitionHost;
  readonly #owner: LotOwner;
  /** Actors of which something is parked, by name. */
  readonly #actors = new Map<string, ActorAddress>();
  readonly #pinned = new Set<string>();
  readonly #slots = new Slots(IN_FLIGHT_MAX);
  #waiting = 0;
  #overfull = false;
  #known = false;

  constructor(host: PartitionHost, owner: LotOwner) {
    this.#host = host;
    this.#owner = owner;
  }

  /** Reads which actors have something here; `any`: as the checkpoint says. */
  async open(any: boolean): Promise<void> {
    if (any) await this.#read();
    this.#known = true;
  }

  /** Whether it is known what is parked. */
  get known(): boolean {
    return this.#known;
  }

  async #read(): Promise<void> {
    const { clock, ports } = this.#host;
    const found = new Map<string, ActorAddress>();
    await insist(
      clock,
      () => this.#owner.dropped,
      async () => {
        found.clear();
        for await (const { address } of ports.parking.list({ partition: this.#owner.partition }))
          found.set(this.#nameOf(address), address);
      },
    );
    for (const [name, address] of found) this.#actors.set(name, address);
  }

  /** Whether nothing is parked, or about to be. */
  get empty(): boolean {
    return this.#actors.size === 0 && this.#waiting === 0;
  }

  get actors(): ReadonlyMap<string, ActorAddress> {
    return this.#actors;
  }

  has(name: string): boolean {
    return this.#actors.has(name);
  }

  /** @returns whether it is parked; if not, it stays in the journal, and has to hold back the mark. */
  async put(entry: ToPark): Promise<boolean> {
    if (this.#waiting >= WAITING_MAX) {
      this.#warnOverfull(entry);
      return false;
    }
    this.#waiting++;
    try {
      await this.#whenFresh();
      await this.#owner.announceParked();
      const release = await this.#slot();
      try {
        return await this.#store(entry);
      } finally {
        release();
      }
    } catch (error) {
      if (!this.#owner.dropped) {
        this.#host.log.error(
          { actor: formatAddress(entry.address), seq: entry.message.seq, error: String(error) },
          'an entry could not be parked; it stays in the journal',
        );
      }
      return false;
    } finally {
      this.#waiting--;
    }
  }

  /**
   * What an actor has to fold before anything of the journal (invariant 2), the code it is pinned to, and the sequences of copies
   * above: those entries come from the journal, and nobody has done what they cause, though done has passed them.
   */
  async pending(name: string, address: ActorAddress, afterSeq: number, belowSeq: number): Promise<Pending> {
    if (!this.#actors.has(name)) return NOTHING_PENDING;
    const { parking } = this.#host.ports;
    const { partition } = this.#owner;
    const all = await this.#insist(() => parking.seqs(partition, address));
    const seqs = all.filter((seq) => seq > afterSeq && seq < belowSeq);
    const above = new Set(all.filter((seq) => seq >= belowSeq));
    if (seqs.length > 0) return { seqs, above, pin: await this.#insist(() => parking.pinned(partition, address)) };
    await this.covered(name, address, afterSeq);
    return { seqs, above, pin: undefined };
  }

  /** Invariant 4: from now on only this code folds it. */
  async begin(address: ActorAddress, code: PinnedCode): Promise<void> {
    const { log, ports } = this.#host;
    await this.#insist(() =>
      ports.parking.pin(this.#owner.partition, address, code).catch((error: unknown) => {
        if (!(error instanceof PortError) || error.kind !== 'full') throw error;
        // Folding makes room; waiting for room would never end.
        log.warn(
          { actor: formatAddress(address) },
          'no room to note which code folds what is parked: it is folded all the same',
        );
      }),
    );
  }

  get(address: ActorAddress, seq: number): Promise<ParkedEntry | undefined> {
    return this.#insist(() => this.#host.ports.parking.get(this.#owner.partition, address, seq));
  }

  /** A stored snapshot covers the actor up to `seq` (invariant 3). */
  async covered(name: string, address: ActorAddress, seq: number): Promise<void> {
    const { clock, log, ports } = this.#host;
    const known = this.#actors.get(name);
    if (known === undefined || this.#owner.dropped) return;
    try {
      const left = await retryWhile(
        clock,
        () => !this.#owner.dropped,
        () => ports.parking.remove(this.#owner.partition, address, seq),
      );
      // Something may have been parked meanwhile.
      if (left !== 0 || this.#actors.get(name) !== known) return;
      this.#actors.delete(name);
      this.#pinned.delete(name);
      this.#owner.worked();
    } catch (error) {
      log.warn({ actor: formatAddress(address), error: String(error) }, 'parked entries that were folded stay a while');
    }
  }

  async #store({ name, address, message, done, pin }: ToPark): Promise<boolean> {
    const { clock, ports } = this.#host;
    const { partition } = this.#owner;
    const stored = await retryWhile(
      clock,
      () => !this.#owner.dropped,
      async () => {
        if (pin !== undefined && !this.#pinned.has(name)) await ports.parking.pin(partition, address, pin);
        if (pin !== undefined) this.#pinned.add(name);
        await ports.parking.put(partition, { message, done });
        return true;
      },
    );
    if (stored !== true || this.#owner.dropped) return false;
    this.#actors.set(name, { ...address });
    this.#owner.worked();
    return true;
  }

  #whenFresh(): Promise<void> {
    if (this.#owner.fresh) return Promise.resolve();
    return new Promise((resolve) => {
      this.#owner.whenFresh(resolve);
    });
  }

  #slot(): Promise<() => void> {
    return new Promise((resolve) => {
      this.#slots.acquire('park', IN_FLIGHT_MAX, resolve);
    });
  }

  #warnOverfull({ address }: ToPark): void {
    if (this.#overfull) return;
    this.#overfull = true;
    this.#host.log.error(
      { partition: this.#owner.partition, actor: formatAddress(address), waiting: this.#waiting },
      'too many entries wait to be parked: further ones stay in the journal, which is not purged past them',
    );
  }

  #nameOf(address: ActorAddress): string {
    const { subjects } = this.#host;
    const subject = subjects.event(address);
    return subject.slice(subject.indexOf('.', subjects.prefix.length + 1) + 1);
  }

  #insist<T>(call: () => Promise<T>): Promise<T> {
    return insist(this.#host.clock, () => this.#owner.dropped, call);
  }
}
