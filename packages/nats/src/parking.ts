/**
 * The parking port on JetStream: one subject per entry, which makes storing idempotent; the pinned code under sequence 0.
 *
 * Invariants
 * 1. Nothing of a parked entry travels as a header: clients choose theirs, and the server would obey some.
 * 2. Everything is read from the stream's leader.
 */
import type { Clock, ParkedEntry, ParkingPort, PinnedCode } from '@troupe/runtime';
import { decodeParked, encodeParked } from '@troupe/runtime/internal';
import { type ActorAddress, decodeKey, decodeValue, encodeValue } from '@troupe/wire';
import { conditionalPublish } from './conditional-publish.ts';
import type { NatsConfig } from './config.ts';
import type { JsApi } from './js-api.ts';

export class NatsParking implements ParkingPort {
  readonly #api: JsApi;
  readonly #config: NatsConfig;
  readonly #clock: Clock;

  constructor(api: JsApi, config: NatsConfig, clock: Clock) {
    this.#api = api;
    this.#config = config;
    this.#clock = clock;
  }

  async put(partition: number, entry: ParkedEntry): Promise<void> {
    const { type, keyToken, seq } = entry.message;
    const address = { type, key: decodeKey(keyToken) };
    await this.#put(this.#config.subjects.parked(partition, address, seq), encodeParked(entry));
  }

  async seqs(partition: number, address: ActorAddress): Promise<number[]> {
    const found: number[] = [];
    for await (const { seq } of this.#list(this.#config.subjects.parkedOf(partition, address)))
      if (seq > 0) found.push(seq);
    return found.sort((a, b) => a - b);
  }

  async get(partition: number, address: ActorAddress, seq: number): Promise<ParkedEntry | undefined> {
    const payload = await this.#read(this.#config.subjects.parked(partition, address, seq));
    return payload && decodeParked(payload);
  }

  async remove(partition: number, address: ActorAddress, throughSeq: number): Promise<number> {
    const { subjects } = this.#config;
    const seqs = await this.seqs(partition, address);
    const gone = seqs.filter((seq) => seq <= throughSeq);
    if (gone.length === seqs.length) await this.#purge(subjects.parkedOf(partition, address));
    else for (const seq of gone) await this.#purge(subjects.parked(partition, address, seq));
    return seqs.length - gone.length;
  }

  async *list(filter: {
    readonly partition?: number;
    readonly type?: string;
  }): AsyncIterable<{ partition: number; address: ActorAddress; seq: number }> {
    const { prefix } = this.#config.subjects;
    const pattern = `${prefix}.parked.${filter.partition ?? '*'}.${filter.type ?? '*'}.*.*`;
    for await (const { partition, type, keyToken, seq } of this.#list(pattern))
      if (seq > 0) yield { partition, address: { type, key: decodeKey(keyToken) }, seq };
  }

  async pin(partition: number, address: ActorAddress, { version, hash }: PinnedCode): Promise<void> {
    await this.#put(this.#config.subjects.parked(partition, address, 0), encodeValue({ version, hash }));
  }

  async pinned(partition: number, address: ActorAddress): Promise<PinnedCode | undefined> {
    const payload = await this.#read(this.#config.subjects.parked(partition, address, 0));
    return payload && (decodeValue(payload) as PinnedCode);
  }

  /** What is there already stays. */
  async #put(subject: string, payload: Uint8Array): Promise<void> {
    const stream = this.#config.streams.parked;
    const [api, clock] = [this.#api, this.#clock];
    await conditionalPublish({ api, clock, stream, subject, payload, headers: {}, expectedRevision: 0 });
  }

  async #read(subject: string): Promise<Uint8Array | undefined> {
    return (await this.#api.readLast(this.#config.streams.parked, subject))?.payload;
  }

  async #purge(filter: string): Promise<void> {
    await this.#api.purge(this.#config.streams.parked, filter);
  }

  async *#list(pattern: string): AsyncGenerator<NonNullable<ReturnType<NatsConfig['subjects']['parseParked']>>> {
    for await (const subject of this.#api.subjects(this.#config.streams.parked, pattern)) {
      const found = this.#config.subjects.parseParked(subject);
      if (found !== undefined) yield found;
    }
  }
}
