/** The journal port in memory. */
import type { ActorAddress, InternalBody, JournalVerb, StoredMessage } from '@troupe/wire';
import { encodeInternal, encodeKey, partitionOf } from '@troupe/wire';
import { checkedHeaders } from '../header-check.ts';
import type { ActorRange, JournalInfo, JournalPort, JournalReader, ReaderOptions } from '../ports.ts';
import type { MemoryBroker } from './memory-broker.ts';
import type { MemoryConnection } from './memory-connection.ts';
import { MemoryReader } from './memory-reader.ts';

export class MemoryJournal implements JournalPort {
  readonly partitions: number;
  readonly #broker: MemoryBroker;
  readonly #connection: MemoryConnection;

  constructor(broker: MemoryBroker, connection: MemoryConnection) {
    this.partitions = broker.partitions;
    this.#broker = broker;
    this.#connection = connection;
  }

  partitionOf(address: ActorAddress): number {
    return partitionOf(address, this.partitions);
  }

  async append(address: ActorAddress, body: InternalBody): Promise<{ seq: number }> {
    const subject = this.#broker.subjects.event(address);
    const { payload } = encodeInternal(body);
    return this.#connection.call(
      'journal.append',
      () => this.#broker.capture(subject, payload, undefined, this.#connection.name)!,
    );
  }

  async publish(
    verb: Exclude<JournalVerb, 'event'>,
    address: ActorAddress,
    payload: Uint8Array,
    headers: Record<string, string>,
  ): Promise<{ seq: number; duplicate: boolean }> {
    const subject = this.#broker.subjects[verb](address);
    const sent = checkedHeaders(headers);
    return this.#connection.call('journal.publish', () => ({
      ...this.#broker.capture(subject, payload, sent, this.#connection.name)!,
      duplicate: false,
    }));
  }

  read(options: ReaderOptions): Promise<JournalReader> {
    const broker = this.#broker;
    return this.#connection.call(
      'journal.open',
      () => new MemoryReader(broker.journal, this.#connection, options, broker.overtaken),
    );
  }

  headSeq(partition: number): Promise<number> {
    return this.#connection.call('journal.head', () => this.#broker.journal.headSeq(partition));
  }

  async *readActor(address: ActorAddress, range: ActorRange): AsyncIterable<StoredMessage> {
    const keyToken = encodeKey(address.key);
    const partition = this.partitionOf(address);
    const from = range.fromSeq ?? 1;
    const to = range.toSeq ?? Number.MAX_SAFE_INTEGER;
    const found = await this.#connection.call('journal.history', () =>
      this.#broker.journal
        .log(partition)
        .entries.filter((m) => m.seq >= from && m.seq <= to && m.type === address.type && m.keyToken === keyToken),
    );
    yield* range.last === undefined ? found : found.slice(Math.max(0, found.length - range.last));
  }

  firstSeqSince(partition: number, atMs: number): Promise<number> {
    return this.#connection.call('journal.history', () => this.#broker.journal.firstSeqSince(partition, atMs));
  }

  purge(partition: number, beforeSeq: number): Promise<number> {
    return this.#connection.call('journal.purge', () =>
      this.#broker.journal.purge(partition, beforeSeq, this.#connection.name),
    );
  }

  info(): Promise<JournalInfo> {
    return this.#connection.call('journal.info', () => ({
      ...this.#broker.journal.info(),
      at: this.#broker.clock.now(),
    }));
  }
}
