/**
 * Reads one partition of the journal, for as long as its owner wants to.
 *
 * Owns: the life after life of a `PullConsumer`, the entries read ahead. Does not own: any position on the server; the
 * only cursor is the last sequence handed over. At the head it gives its consumer up for one that the partitions of a
 * connection share (`SharedFeed`), and makes one again when anything is wrong with that.
 *
 * Invariants
 * 1. Entries are handed over in sequence order, each once, from `fromSeq` on. A new consumer starts behind the last entry
 *    received, so what was lost on the way comes again and what was received doesn't.
 * 2. A purge that overtook the reader is told by `onLost` where it can be seen. Whenever one may have happened (the
 *    pending count fell by more than one, an entry comes after a gap in time, a new consumer is made), the last entry
 *    received must still be there, unless a purge of this connection explains that it isn't. A purge that hides behind as
 *    many new entries within a moment can't be seen: R5 (effects need fresh ownership) covers it.
 * 3. At most `READ_AHEAD_MAX_DEFAULT` entries are buffered.
 * 4. Every `POLL_MS` without an entry the leader is asked for the partition's last one, so that a consumer which the
 *    server forgot to feed is noticed.
 */
import type { Clock, JournalReader, ReaderOptions, Timer } from '@troupe/runtime';
import type { Subjects } from '@troupe/wire';
import type { Msg } from 'nats';
import { consumerName } from './consumer-name.ts';
import type { JsApi } from './js-api.ts';
import { subjectText } from './message-bytes.ts';
import { PullConsumer, READ_AHEAD_MAX_DEFAULT } from './pull-consumer.ts';
import type { SharedFeed, SharedMember } from './shared-feed.ts';
import { type Delivery, NatsStoredMessage } from './stored-message.ts';

export interface FeedSource {
  /** Within the stream. */
  readonly partition: number;
  /** Of this stream. */
  readonly shared: SharedFeed;
  readonly api: JsApi;
  readonly clock: Clock;
  readonly subjects: Subjects;
  readonly stream: string;
  readonly filters: readonly string[];
  /** Of the partition, from the leader. */
  headSeq(): Promise<number>;
  /** Entries that one of the partitions that are behind may have read ahead. */
  readAheadShare(): number;
  /** Entries below it were purged by this very connection. */
  purgedBelow(): number;
}

interface Item {
  readonly message: NatsStoredMessage;
  readonly isHead: boolean;
}

const RETRY_WAIT_MS = 100;
const RETRY_WAIT_MAX_MS = 5_000;
const POLL_MS = 30_000;
/** Entries handed over from memory in one turn of the event loop. */
const DRAIN_MAX = 32;
/** Time between two entries in which a purge may have passed, at the head (nothing younger is ever purged) and behind it. */
const GAP_MS = 5_000;
const GAP_BEHIND_MS = 200;

export class MailboxFeed implements JournalReader, SharedMember {
  readonly #source: FeedSource;
  readonly #options: ReaderOptions;
  readonly #onStopped: (feed: MailboxFeed) => void;
  readonly #storedPrefixLength: number;
  readonly #status: { close(): void };
  #state: 'running' | 'paused' | 'closed' = 'running';
  #consumer: PullConsumer | undefined;
  /** Fed by the shared consumer; there is none of its own. */
  #isShared = false;
  /** Of the last entry received, or the one before `fromSeq`. */
  #lastSeq: number;
  #received = false;
  #pending = 0;
  #receivedAt = 0;
  /** There was more behind the last entry. */
  #isBehind = false;
  /** The buffer was so full that the server may have had to wait. */
  #isStalled = false;
  #items: Item[] = [];
  /** The next part of `#items` is handed over in the next turn of the event loop. */
  #isDraining = false;
  #retry: Timer | undefined;
  #retryWaitMs = RETRY_WAIT_MS;
  #poll: Timer | undefined;
  #quiet = true;

  private constructor(source: FeedSource, options: ReaderOptions, onStopped: (feed: MailboxFeed) => void) {
    this.#source = source;
    this.#onStopped = onStopped;
    this.#options = options;
    this.#storedPrefixLength = source.subjects.prefix.length + '.journal.'.length;
    this.#lastSeq = Math.max(0, options.fromSeq - 1);
    this.#status = source.api.connection.onStatus((connected) => {
      if (connected) this.#restart();
      else this.#leave();
    });
  }

  /** Resolves once the consumer exists. Rejects with `PortError`. `onStopped`: it was closed, or is lost. */
  static async open(
    source: FeedSource,
    options: ReaderOptions,
    onStopped: (feed: MailboxFeed) => void,
  ): Promise<MailboxFeed> {
    const feed = new MailboxFeed(source, options, onStopped);
    try {
      await feed.#openConsumer();
    } catch (error) {
      feed.#stop();
      throw error;
    }
    feed.#pollLater();
    return feed;
  }

  /** It reads by itself, for it is behind. */
  get isBehind(): boolean {
    return !this.#isShared;
  }

  get partition(): number {
    return this.#source.partition;
  }

  get filters(): readonly string[] {
    return this.#source.filters;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  headSeq(): Promise<number> {
    return this.#source.headSeq();
  }

  receiveShared(msg: Msg, delivery: Delivery): void {
    if (delivery.seq <= this.#lastSeq || this.#state === 'closed') return;
    this.#take(msg, delivery);
    // Too far behind the others: reads by itself, at its own pace.
    if (this.#isShared && this.#items.length >= READ_AHEAD_MAX_DEFAULT) this.#restart();
  }

  joined(): void {
    if (this.#state === 'closed') return;
    this.#dropConsumer();
    this.#isShared = true;
  }

  released(): void {
    this.#restart();
  }

  suspectPurge(): void {
    if (this.#received) void this.#checkOvertaken(this.#lastSeq);
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#drain();
  }

  async close(): Promise<void> {
    const consumer = this.#consumer;
    this.#stop();
    await consumer?.close();
  }

  async #openConsumer(): Promise<void> {
    const { api, clock, stream, filters } = this.#source;
    const consumer: PullConsumer = new PullConsumer({
      api,
      clock,
      stream,
      name: consumerName(`p${this.#options.partition}`),
      filters,
      fromSeq: this.#lastSeq + 1,
      share: () => this.#source.readAheadShare(),
      onMessage: (msg, delivery) => this.#receive(msg, delivery),
      onEnd: (reason, fatal) => {
        if (consumer !== this.#consumer) return;
        this.#consumer = undefined;
        if (fatal) this.#lose(reason);
        else this.#restart();
      },
    });
    this.#consumer = consumer;
    consumer.buffered(this.#items.length);
    this.#pending = 0;
    const waiting = await consumer.open();
    if (consumer !== this.#consumer) return;
    this.#retryWaitMs = RETRY_WAIT_MS;
    this.#pending = Math.max(this.#pending, waiting);
    if (waiting === 0) this.#source.clock.defer(() => this.#headIfIdle(consumer));
  }

  /** Nothing waited when the consumer was made. */
  #headIfIdle(consumer: PullConsumer): void {
    if (consumer !== this.#consumer || this.#state !== 'running' || this.#items.length > 0) return;
    this.#options.onHead();
    this.#share();
  }

  #receive(msg: Msg, delivery: Delivery): void {
    if (delivery.seq <= this.#lastSeq) return;
    if (delivery.pending < this.#pending - 1 && this.#received) void this.#checkOvertaken(this.#lastSeq);
    this.#pending = delivery.pending;
    this.#take(msg, delivery);
    this.#consumer?.buffered(this.#items.length);
    if (delivery.pending === 0 && this.#items.length === 0) this.#share();
  }

  #take(msg: Msg, delivery: Delivery): void {
    const now = this.#source.clock.monotonic();
    const isGap = this.#isStalled || now - this.#receivedAt > (this.#isBehind ? GAP_BEHIND_MS : GAP_MS);
    if (isGap && this.#received) void this.#checkOvertaken(this.#lastSeq);
    this.#receivedAt = now;
    this.#isBehind = delivery.pending > 0;
    this.#lastSeq = delivery.seq;
    this.#received = true;
    this.#quiet = false;
    const message = new NatsStoredMessage(msg, delivery, this.#placeOf(msg));
    const isHead = delivery.pending === 0;
    if (this.#state === 'running' && this.#items.length === 0) this.#handOver(message, isHead);
    else this.#items.push({ message, isHead });
    this.#isStalled = false;
  }

  /** At the head: the shared consumer will do. */
  #share(): void {
    if (this.#state === 'running' && this.#consumer !== undefined) this.#source.shared.join(this);
  }

  #placeOf(msg: Msg): { verb: 'task' | 'signal' | 'event'; type: string; keyToken: string } {
    const subject = subjectText(msg);
    const partitionEnd = subject.indexOf('.', this.#storedPrefixLength);
    const verbEnd = subject.indexOf('.', partitionEnd + 1);
    const typeEnd = subject.indexOf('.', verbEnd + 1);
    const verb = subject.slice(partitionEnd + 1, verbEnd);
    if (typeEnd !== -1 && subject.startsWith('.journal.', this.#storedPrefixLength - 9) && isVerb(verb)) {
      return { verb, type: subject.slice(verbEnd + 1, typeEnd), keyToken: subject.slice(typeEnd + 1) };
    }
    return this.#source.subjects.parseStored(subject) ?? { verb: 'task', type: '', keyToken: subject };
  }

  #handOver(message: NatsStoredMessage, isHead: boolean): void {
    this.#options.onMessage(message);
    if (isHead && this.#state === 'running') this.#options.onHead();
  }

  /** What waited in memory, in parts: many partitions may go on at the same moment. */
  #drain(): void {
    this.#isStalled ||= this.#items.length >= READ_AHEAD_MAX_DEFAULT / 2;
    for (let taken = 0; this.#state === 'running' && this.#items.length > 0 && taken < DRAIN_MAX; taken++) {
      const { message, isHead } = this.#items.shift()!;
      this.#handOver(message, isHead);
    }
    if (this.#state === 'closed') return;
    this.#consumer?.buffered(this.#items.length);
    if (this.#items.length === 0 || this.#state !== 'running' || this.#isDraining) return;
    this.#isDraining = true;
    this.#source.clock.defer(() => {
      this.#isDraining = false;
      if (this.#state === 'running') this.#drain();
    });
  }

  /** From here on nothing feeds it. */
  #leave(): void {
    this.#dropConsumer();
    this.#source.shared.leave(this);
    this.#isShared = false;
  }

  #dropConsumer(): void {
    void this.#consumer?.close();
    this.#consumer = undefined;
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  /** A new consumer behind the last entry; again and again, less and less often, until there is one. */
  #restart(): void {
    if (this.#state === 'closed') return;
    this.#leave();
    void this.#reopen();
  }

  async #reopen(): Promise<void> {
    try {
      if (await this.#isOvertaken(this.#lastSeq)) {
        this.#lose(
          `entry ${this.#lastSeq} was purged while the reader of partition ${this.#options.partition} was away`,
        );
        return;
      }
      if (this.#state !== 'closed' && this.#consumer === undefined) await this.#openConsumer();
    } catch (error) {
      this.#consumer = undefined;
      this.#reopenFailed(error);
    }
  }

  #reopenFailed(error: unknown): void {
    if (this.#state === 'closed') return;
    const { kind, message } = error as { kind?: string; message: string };
    if (kind === 'denied' || kind === 'other' || kind === 'closed') {
      this.#lose(message);
      return;
    }
    if (!this.#source.api.connection.connected) return;
    this.#retry = this.#source.clock.setTimer(() => this.#restart(), this.#retryWaitMs);
    this.#retryWaitMs = Math.min(this.#retryWaitMs * 2, RETRY_WAIT_MAX_MS);
  }

  /** Invariant 2. */
  async #isOvertaken(seq: number): Promise<boolean> {
    if (!this.#received || seq < this.#source.purgedBelow()) return false;
    return (
      (await this.#source.api.readSeq(this.#source.stream, seq)) === undefined && seq >= this.#source.purgedBelow()
    );
  }

  async #checkOvertaken(seq: number): Promise<void> {
    const overtaken = await this.#isOvertaken(seq).catch(() => false);
    if (overtaken) this.#lose(`a purge overtook the reader of partition ${this.#options.partition} at entry ${seq}`);
  }

  /** Invariant 4. */
  #pollLater(): void {
    this.#poll = this.#source.clock.setTimer(() => void this.#pollHead(), POLL_MS);
  }

  async #pollHead(): Promise<void> {
    if (this.#quiet && (this.#consumer !== undefined || this.#isShared) && this.#source.api.connection.connected) {
      const consumer = this.#consumer;
      const headSeq = await this.#source.headSeq().catch(() => 0);
      if (this.#state === 'closed') return;
      if (headSeq > this.#lastSeq && this.#quiet && consumer === this.#consumer) this.#restart();
    }
    this.#quiet = true;
    this.#pollLater();
  }

  #lose(reason: string): void {
    if (this.#state === 'closed') return;
    const consumer = this.#consumer;
    this.#stop();
    void consumer?.close();
    this.#options.onLost(reason);
  }

  #stop(): void {
    this.#state = 'closed';
    this.#onStopped(this);
    this.#source.shared.leave(this);
    this.#status.close();
    this.#retry?.cancel();
    this.#poll?.cancel();
    this.#items = [];
    this.#consumer = undefined;
  }
}

function isVerb(verb: string): verb is 'task' | 'signal' | 'event' {
  return verb === 'task' || verb === 'signal' || verb === 'event';
}
