/**
 * One consumer for all the partitions of a stream that a connection reads at the head.
 *
 * Why: with a consumer for each of 64 partitions the server spends a third more per entry and sends them one by one; with
 * one it sends them in batches, which is nearly twice as many turns per second. Catching up stays with each partition's
 * own consumer (`MailboxFeed`), so that one which is far behind holds nobody back.
 *
 * Owns: the shared consumer and who is fed by it. Does not own: any position of a member; each drops what it has already.
 *
 * Invariants
 * 1. The consumer starts behind a sequence up to which every member has all its entries, and delivers each member's
 *    entries in order without a hole. So a member may take entries from it and from its own consumer at the same time,
 *    always those above its last one.
 * 2. A member keeps its own consumer until `joined`. Whatever goes wrong with the shared one ends it, and sends every
 *    member back to its own.
 */
import type { Clock, Timer } from '@troupe/runtime';
import type { Msg } from 'nats';
import { consumerName } from './consumer-name.ts';
import type { JsApi } from './js-api.ts';
import { subjectBytes } from './message-bytes.ts';
import { PullConsumer } from './pull-consumer.ts';
import type { Delivery } from './stored-message.ts';

/** A partition's reader, as far as sharing goes. */
export interface SharedMember {
  /** Within the stream. */
  readonly partition: number;
  readonly filters: readonly string[];
  /** Of the last entry received. */
  readonly lastSeq: number;
  /** Of the partition, from the leader. */
  headSeq(): Promise<number>;
  /** The delivery is valid during the call only. */
  receiveShared(msg: Msg, delivery: Delivery): void;
  /** Everything comes from the shared consumer from now on. */
  joined(): void;
  /** Nothing does any more. */
  released(): void;
  /** Entries have vanished from the stream: look whether they were yours. */
  suspectPurge(): void;
}

export interface SharedSource {
  readonly api: JsApi;
  readonly clock: Clock;
  readonly stream: string;
  /** First characters of the subjects of the journal, up to the partition: `<prefix>.journal.` */
  readonly head: string;
  /** How many partitions the stream has. */
  readonly partitions: number;
}

/** One life of the shared consumer. */
interface Group {
  readonly consumer: PullConsumer;
  readonly members: Set<SharedMember>;
  /** By partition. */
  readonly routes: Map<number, SharedMember[]>;
  /** Every member has all its entries up to here. */
  position: number;
  pending: number;
}

/** Members are gathered for so long before a consumer is made for them, ms. */
const GATHER_MS = 50;
/** How long the consumer goes on reading for members that have left, ms. */
const TRIM_MS = 2_000;
const READ_AHEAD_MAX = 4_096;
const DOT = 0x2e;
const ZERO = 0x30;
/** Where what the stream's transform didn't match belongs. */
const UNMATCHED_PARTITION = 0;

export class SharedFeed {
  readonly #source: SharedSource;
  readonly #joining = new Set<SharedMember>();
  #group: Group | undefined;
  /** A group that is being made. */
  #next: Group | undefined;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #making = false;

  constructor(source: SharedSource) {
    this.#source = source;
  }

  /** A member that is at the head asks to be fed. Idempotent. */
  join(member: SharedMember): void {
    if (this.#joining.has(member) || this.#group?.members.has(member) === true) return;
    this.#joining.add(member);
    this.#regroupIn(GATHER_MS);
  }

  /** Harmless for one that isn't here. */
  leave(member: SharedMember): void {
    this.#joining.delete(member);
    if (this.#next !== undefined) remove(this.#next, member);
    const group = this.#group;
    if (group !== undefined && remove(group, member)) {
      if (group.members.size > 0) this.#regroupIn(TRIM_MS);
      else this.#endGroup();
    }
    if (this.#group === undefined && this.#joining.size === 0) this.#cancelTimer();
  }

  /** Nobody is left: no timer may keep the process alive. */
  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #regroupIn(delayMs: number): void {
    const at = this.#source.clock.monotonic() + delayMs;
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#source.clock.setTimer(() => {
      this.#timer = undefined;
      this.#timerAt = Number.POSITIVE_INFINITY;
      void this.#regroup();
    }, delayMs);
  }

  async #regroup(): Promise<void> {
    if (this.#making) {
      this.#regroupIn(GATHER_MS);
      return;
    }
    const members = [...(this.#group?.members ?? []), ...this.#joining];
    // For one partition alone its own consumer is as good.
    if (members.length < 2 || !this.#source.api.connection.connected) return;
    this.#making = true;
    try {
      await this.#makeGroup();
    } catch {
      this.#next = undefined;
      this.#regroupIn(TRIM_MS);
    } finally {
      this.#making = false;
    }
  }

  /** Invariant 1. */
  async #makeGroup(): Promise<void> {
    const joiners = [...this.#joining];
    const position = await this.#positionOf(joiners);
    const staying = [...(this.#group?.members ?? [])];
    const members = [...staying, ...joiners.filter((one) => this.#joining.has(one))];
    const from = Math.min(position, this.#group?.position ?? Number.POSITIVE_INFINITY);
    const next = this.#createGroup(members, from);
    this.#next = next;
    next.pending = Math.max(next.pending, await next.consumer.open());
    if (this.#next !== next) return;
    this.#next = undefined;
    void this.#group?.consumer.close();
    this.#group = next;
    for (const member of [...next.members]) {
      if (this.#joining.delete(member)) member.joined();
    }
    if (next.members.size === 0) this.#endGroup();
  }

  /**
   * A sequence up to which all of them have everything: the stream's end as it was before each one's head was read, or for
   * a member that has not got its head yet, its last entry.
   */
  async #positionOf(joiners: readonly SharedMember[]): Promise<number> {
    if (joiners.length === 0) return Number.POSITIVE_INFINITY;
    const info = await this.#source.api.streamInfo(this.#source.stream);
    const streamEnd = info?.state.last_seq ?? 0;
    const positions = await Promise.all(
      joiners.map(async (one) => {
        const headSeq = await one.headSeq();
        return headSeq <= one.lastSeq ? Math.max(one.lastSeq, streamEnd) : one.lastSeq;
      }),
    );
    return Math.min(...positions);
  }

  #createGroup(members: readonly SharedMember[], position: number): Group {
    const { api, clock, stream } = this.#source;
    const routes = new Map<number, SharedMember[]>();
    for (const member of members) routes.set(member.partition, [...(routes.get(member.partition) ?? []), member]);
    const filters = routes.size === this.#source.partitions ? [] : [...new Set(members.flatMap((one) => one.filters))];
    const consumer: PullConsumer = new PullConsumer({
      api,
      clock,
      stream,
      name: consumerName('shared'),
      filters,
      fromSeq: position + 1,
      readAheadMax: READ_AHEAD_MAX,
      onMessage: (msg, delivery) => this.#receive(group, msg, delivery),
      onEnd: () => this.#groupEnded(group),
    });
    const group: Group = { consumer, members: new Set(members), routes, position, pending: 0 };
    return group;
  }

  #receive(group: Group, msg: Msg, delivery: Delivery): void {
    if (delivery.pending < group.pending - 1) for (const member of [...group.members]) member.suspectPurge();
    group.pending = delivery.pending;
    group.position = delivery.seq;
    const members = group.routes.get(this.#partitionOf(subjectBytes(msg)));
    if (members !== undefined) for (const member of members) member.receiveShared(msg, delivery);
  }

  #partitionOf(subject: Uint8Array): number {
    const { head } = this.#source;
    for (let i = 0; i < head.length; i++) if (subject[i] !== head.charCodeAt(i)) return UNMATCHED_PARTITION;
    let partition = 0;
    for (let i = head.length; i < subject.length && subject[i] !== DOT; i++)
      partition = partition * 10 + subject[i]! - ZERO;
    return partition;
  }

  /** Invariant 2. */
  #groupEnded(group: Group): void {
    if (group === this.#next) this.#next = undefined;
    if (group !== this.#group) return;
    this.#group = undefined;
    for (const member of [...group.members]) member.released();
  }

  #endGroup(): void {
    void this.#group?.consumer.close();
    this.#group = undefined;
  }
}

function remove(group: Group, member: SharedMember): boolean {
  if (!group.members.delete(member)) return false;
  const others = (group.routes.get(member.partition) ?? []).filter((one) => one !== member);
  if (others.length > 0) group.routes.set(member.partition, others);
  else group.routes.delete(member.partition);
  return true;
}
