/** The journal port on JetStream. */
import type { ActorRange, Clock, JournalInfo, JournalPort, JournalReader, ReaderOptions } from '@troupe/runtime';
import { PortError } from '@troupe/runtime';
import {
  type ActorAddress,
  encodeInternal,
  type InternalBody,
  type JournalVerb,
  partitionOf,
  type StoredMessage,
  TroupeError,
} from '@troupe/wire';
import type { MsgHdrs } from 'nats';
import type { JournalStream, NatsConfig } from './config.ts';
import { encodeHeaders, headerBytes } from './header-block.ts';
import type { JsApi } from './js-api.ts';
import { type FeedSource, MailboxFeed } from './mailbox-feed.ts';
import { subjectBytes, text } from './message-bytes.ts';
import { apiPortError } from './port-error.ts';
import { READ_AHEAD_FIRST } from './pull-consumer.ts';
import { purgeInSlices } from './purge-slices.ts';
import { findLast } from './seq-of-last.ts';
import { SharedFeed } from './shared-feed.ts';
import { NatsStoredMessage } from './stored-message.ts';
import { scanStream } from './stream-scan.ts';

/**
 * Entries that all partitions which are behind may have read ahead together, where `READ_AHEAD_FIRST` for each of them is less: what
 * is on its way stands before the answers to leases and checkpoints, on the same line.
 */
const READ_AHEAD_ALL_MAX = 4_096;

/** A partition as the server knows it. */
interface LocalPartition {
  readonly stream: JournalStream;
  /** Of the stream. */
  readonly index: number;
  readonly partition: number;
}

export class NatsJournal implements JournalPort {
  readonly partitions: number;
  readonly #api: JsApi;
  readonly #config: NatsConfig;
  readonly #clock: Clock;
  readonly #streamOfType = new Map<string, number>();
  readonly #purgedBelow: number[];
  readonly #feeds = new Set<MailboxFeed>();
  /** By journal stream. */
  readonly #shared: readonly SharedFeed[];

  constructor(api: JsApi, config: NatsConfig, clock: Clock) {
    this.#api = api;
    this.#config = config;
    this.#clock = clock;
    this.partitions = config.partitions * (config.splitByHash ? 1 : config.journals.length);
    this.#purgedBelow = new Array<number>(this.partitions).fill(0);
    const head = `${config.subjects.prefix}.journal.`;
    this.#shared = config.journals.map(
      ({ name }) => new SharedFeed({ api, clock, stream: name, head, partitions: config.partitions }),
    );
    config.journals.forEach(({ types }, i) => {
      for (const type of types ?? []) this.#streamOfType.set(type, i);
    });
  }

  partitionOf(address: ActorAddress): number {
    if (this.#config.splitByHash) return partitionOf(address, this.partitions);
    return this.#streamIndexOf(address.type) * this.#config.partitions + partitionOf(address, this.#config.partitions);
  }

  async append(address: ActorAddress, body: InternalBody): Promise<{ seq: number }> {
    return this.#publish(this.#config.subjects.event(address), encodeInternal(body).payload, undefined);
  }

  async publish(
    verb: Exclude<JournalVerb, 'event'>,
    address: ActorAddress,
    payload: Uint8Array,
    headers: Record<string, string>,
  ): Promise<{ seq: number; duplicate: boolean }> {
    return this.#publish(this.#config.subjects[verb](address), payload, encodeHeaders(headers));
  }

  async read(options: ReaderOptions): Promise<JournalReader> {
    const feed = await MailboxFeed.open(this.#source(options.partition), options, (stopped) =>
      this.#feeds.delete(stopped),
    );
    this.#feeds.add(feed);
    return feed;
  }

  /** Stops all readers. */
  async close(): Promise<void> {
    await Promise.all([...this.#feeds].map((feed) => feed.close()));
  }

  async headSeq(partition: number): Promise<number> {
    const { stream, partition: local } = this.#local(partition);
    const last = await Promise.all(this.#filters(local).map((filter) => this.#api.readLast(stream.name, filter)));
    return Math.max(...last.map((message) => message?.seq ?? 0));
  }

  async *readActor(address: ActorAddress, range: ActorRange): AsyncIterable<StoredMessage> {
    const { stream, partition } = this.#local(this.partitionOf(address));
    const filter = this.#config.subjects.storedOf(partition, address);
    const whole = { fromSeq: range.fromSeq ?? 1, toSeq: range.toSeq ?? Number.MAX_SAFE_INTEGER, skip: 0 };
    const stretch =
      range.last === undefined
        ? whole
        : await findLast({ api: this.#api, stream: stream.name, filter, ...whole, last: range.last });
    if (stretch === undefined) return;
    const { fromSeq, toSeq } = stretch;
    let { skip } = stretch;
    const scan = scanStream({ api: this.#api, clock: this.#clock, stream: stream.name, filters: [filter], fromSeq });
    for await (const { msg, delivery } of scan) {
      if (delivery.seq > toSeq) return;
      if (skip-- > 0) continue;
      const place = this.#config.subjects.parseStored(text(subjectBytes(msg)));
      if (place !== undefined) yield new NatsStoredMessage(msg, delivery, place);
    }
  }

  async firstSeqSince(partition: number, atMs: number): Promise<number> {
    const { stream, partition: local } = this.#local(partition);
    // The head first: an entry that comes in between lies behind it, and so isn't passed over.
    const headSeq = await this.headSeq(partition);
    const read = (filter: string) => this.#api.readSince(stream.name, filter, Math.max(0, atMs));
    const first = await Promise.all(this.#filters(local).map(read));
    return Math.min(...first.map((message) => message?.seq ?? headSeq + 1));
  }

  async purge(partition: number, beforeSeq: number): Promise<number> {
    if (beforeSeq <= 1) return 0;
    const { stream, partition: local } = this.#local(partition);
    this.#purgedBelow[partition] = Math.max(this.#purgedBelow[partition]!, beforeSeq);
    let purged = 0;
    for (const filter of this.#filters(local)) {
      purged += await purgeInSlices(this.#api, stream.name, filter, beforeSeq);
    }
    return purged;
  }

  /** Of several streams, the one that is fullest. */
  async info(): Promise<JournalInfo> {
    const infos = await Promise.all(this.#config.journals.map(({ name }) => this.#streamInfo(name)));
    return infos.reduce((fullest, info) => (usage(info) > usage(fullest) ? info : fullest));
  }

  async #publish(
    subject: string,
    payload: Uint8Array,
    headers: MsgHdrs | undefined,
  ): Promise<{ seq: number; duplicate: boolean }> {
    const bytes = payload.length + headerBytes(headers);
    const bytesMax = this.#api.connection.payloadBytesMax;
    if (bytes > bytesMax)
      throw new PortError('too-large', `the entry has ${bytes} bytes, the server takes ${bytesMax}`);
    const ack = await this.#api.publish(subject, payload, headers);
    if (!ack.ok) throw apiPortError(`publishing to ${subject}`, ack.error);
    return { seq: ack.seq, duplicate: ack.duplicate };
  }

  async #streamInfo(stream: string): Promise<JournalInfo> {
    const info = await this.#api.streamInfo(stream);
    if (info === undefined) throw new PortError('other', `there is no stream ${stream}: provision it first`);
    const { first_seq, last_seq, messages, bytes } = info.state;
    const bytesMax = info.config.max_bytes as number;
    return { firstSeq: first_seq, lastSeq: last_seq, messages, bytes, bytesMax, at: Date.parse(info.ts) };
  }

  #source(partition: number): FeedSource {
    const { stream, partition: local, index } = this.#local(partition);
    return {
      partition: local,
      shared: this.#shared[index]!,
      api: this.#api,
      clock: this.#clock,
      subjects: this.#config.subjects,
      stream: stream.name,
      filters: this.#filters(local),
      headSeq: () => this.headSeq(partition),
      readAheadShare: () => this.#readAheadShare(),
      purgedBelow: () => this.#purgedBelow[partition]!,
    };
  }

  #readAheadShare(): number {
    let behind = 0;
    for (const feed of this.#feeds) if (feed.isBehind) behind++;
    return Math.max(READ_AHEAD_FIRST, Math.floor(READ_AHEAD_ALL_MAX / Math.max(1, behind)));
  }

  #filters(local: number): string[] {
    return this.#config.subjects.journalFilters(local);
  }

  #local(partition: number): LocalPartition {
    const { journals, partitions, splitByHash } = this.#config;
    const index = splitByHash ? partition % journals.length : Math.floor(partition / partitions);
    const stream = journals[index];
    if (stream === undefined || !Number.isInteger(partition) || partition < 0 || partition >= this.partitions) {
      throw new PortError('other', `partition ${partition} is not one of 0 to ${this.partitions - 1}`);
    }
    return { stream, index, partition: partition % partitions };
  }

  takes(partition: number, type: string): boolean {
    const { journals, splitByHash } = this.#config;
    if (splitByHash || journals[0]!.types === undefined) return true;
    return this.#streamOfType.get(type) === this.#local(partition).index;
  }

  #streamIndexOf(type: string): number {
    if (this.#config.journals[0]!.types === undefined) return 0;
    const index = this.#streamOfType.get(type);
    if (index !== undefined) return index;
    const known = [...this.#streamOfType.keys()].join(', ');
    throw new TroupeError('ConfigInvalid', `No journal takes the type "${type}": nats.journals lists ${known}.`);
  }
}

function usage(info: JournalInfo): number {
  return info.bytesMax > 0 ? info.bytes / info.bytesMax : 0;
}
