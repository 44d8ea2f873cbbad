/** The parking port in memory. */
import { type ActorAddress, decodeKey, decodeValue, encodeValue, type ParkedSubject } from '@troupe/wire';
import { decodeParked, encodeParked } from '../parked-entry.ts';
import { type ParkedEntry, type ParkingPort, type PinnedCode, PortError } from '../ports.ts';
import type { MemoryBroker } from './memory-broker.ts';
import type { MemoryConnection } from './memory-connection.ts';

export class MemoryParking implements ParkingPort {
  readonly #broker: MemoryBroker;
  readonly #connection: MemoryConnection;

  constructor(broker: MemoryBroker, connection: MemoryConnection) {
    this.#broker = broker;
    this.#connection = connection;
  }

  async put(partition: number, entry: ParkedEntry): Promise<void> {
    const { type, keyToken, seq } = entry.message;
    await this.#put({ partition, address: { type, key: decodeKey(keyToken) }, seq }, encodeParked(entry));
  }

  async seqs(partition: number, address: ActorAddress): Promise<number[]> {
    const found = await this.#connection.call('parked.list', () => this.#of(partition, address));
    return found.map(({ seq }) => seq).filter((seq) => seq > 0);
  }

  async get(partition: number, address: ActorAddress, seq: number): Promise<ParkedEntry | undefined> {
    const bytes = await this.#read(this.#broker.subjects.parked(partition, address, seq));
    return bytes && decodeParked(bytes.slice());
  }

  remove(partition: number, address: ActorAddress, throughSeq: number): Promise<number> {
    return this.#connection.call('parked.remove', () => {
      const { parked, subjects } = this.#broker;
      const of = (seq: number) => subjects.parked(partition, address, seq);
      const entries = this.#of(partition, address).filter(({ seq }) => seq > 0);
      const gone = entries.filter(({ seq }) => seq <= throughSeq);
      for (const { seq } of gone) parked.delete(of(seq));
      if (gone.length === entries.length) parked.delete(of(0));
      return entries.length - gone.length;
    });
  }

  async *list(filter: {
    readonly partition?: number;
    readonly type?: string;
  }): AsyncIterable<{ partition: number; address: ActorAddress; seq: number }> {
    const subjects = await this.#connection.call('parked.list', () => [...this.#broker.parked.keys()]);
    for (const { partition, type, keyToken, seq } of this.#parsed(subjects)) {
      if (seq === 0 || (filter.partition !== undefined && filter.partition !== partition)) continue;
      if (filter.type !== undefined && filter.type !== type) continue;
      yield { partition, address: { type, key: decodeKey(keyToken) }, seq };
    }
  }

  async pin(partition: number, address: ActorAddress, { version, hash }: PinnedCode): Promise<void> {
    await this.#put({ partition, address, seq: 0 }, encodeValue({ version, hash }));
  }

  async pinned(partition: number, address: ActorAddress): Promise<PinnedCode | undefined> {
    const bytes = await this.#read(this.#broker.subjects.parked(partition, address, 0));
    return bytes && (decodeValue(bytes) as PinnedCode);
  }

  #put(place: { partition: number; address: ActorAddress; seq: number }, bytes: Uint8Array): Promise<void> {
    const { parked, parkedMax, subjects } = this.#broker;
    const subject = subjects.parked(place.partition, place.address, place.seq);
    return this.#connection.call('parked.put', () => {
      if (parked.has(subject)) return;
      if (parked.size >= parkedMax) throw new PortError('full', `${parked.size} entries are parked already`);
      parked.set(subject, bytes);
    });
  }

  #read(subject: string): Promise<Uint8Array | undefined> {
    return this.#connection.call('parked.read', () => this.#broker.parked.get(subject));
  }

  #of(partition: number, address: ActorAddress): ParkedSubject[] {
    const head = this.#broker.subjects.parkedOf(partition, address).slice(0, -1);
    const subjects = [...this.#broker.parked.keys()].filter((subject) => subject.startsWith(head));
    return this.#parsed(subjects).sort((a, b) => a.seq - b.seq);
  }

  #parsed(subjects: readonly string[]): ParkedSubject[] {
    return subjects.map((subject) => this.#broker.subjects.parseParked(subject)!);
  }
}
