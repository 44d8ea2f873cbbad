/**
 * The record port on JetStream: one message per key, the stream sequence as revision, expiry by the server.
 *
 * A TTL is rounded up to whole seconds: the server cuts it down, and a lease must never be shorter than its owner thinks.
 */
import type { Clock, RecordPort, SaveResult } from '@troupe/runtime';
import { assertRecordKey, assertTtl } from '@troupe/runtime/internal';
import { decodeValue, encodeValue } from '@troupe/wire';
import { conditionalPublish } from './conditional-publish.ts';
import type { NatsConfig } from './config.ts';
import type { JsApi } from './js-api.ts';
import { RECORD_TOKEN } from './streams.ts';

interface RecordValue {
  readonly revision: number;
  readonly value: unknown;
}

/** Records read at once by `list`. */
const READS_AT_ONCE = 128;

export class NatsRecords implements RecordPort {
  readonly #api: JsApi;
  readonly #config: NatsConfig;
  readonly #clock: Clock;
  readonly #head: string;

  constructor(api: JsApi, config: NatsConfig, clock: Clock) {
    this.#api = api;
    this.#config = config;
    this.#clock = clock;
    this.#head = `${config.subjects.prefix}.${RECORD_TOKEN}.`;
  }

  async get(key: string): Promise<RecordValue | undefined> {
    assertRecordKey(key);
    const stored = await this.#api.readLast(this.#config.streams.records, this.#head + key);
    return stored && { revision: stored.seq, value: decodeValue(stored.payload) };
  }

  async put(
    key: string,
    value: unknown,
    options: { readonly expectedRevision?: number; readonly ttlMs?: number } = {},
  ): Promise<SaveResult> {
    assertRecordKey(key);
    assertTtl(options.ttlMs);
    return conditionalPublish({
      api: this.#api,
      clock: this.#clock,
      stream: this.#config.streams.records,
      subject: this.#head + key,
      payload: encodeValue(value),
      headers: options.ttlMs === undefined ? {} : { 'Nats-TTL': `${Math.ceil(options.ttlMs / 1000)}s` },
      expectedRevision: options.expectedRevision,
    });
  }

  async remove(key: string): Promise<void> {
    assertRecordKey(key);
    await this.#api.purge(this.#config.streams.records, this.#head + key);
  }

  /** Names from the leader, then each record from the leader: a consumer could lag behind it. */
  async list(prefix: string): Promise<ReadonlyMap<string, RecordValue>> {
    if (prefix !== '') assertRecordKey(prefix);
    const keys: string[] = [];
    for (const filter of prefix === '' ? [`${this.#head}>`] : [this.#head + prefix, `${this.#head}${prefix}.>`]) {
      for await (const subject of this.#api.subjects(this.#config.streams.records, filter)) {
        keys.push(subject.slice(this.#head.length));
      }
    }
    keys.sort();
    const found = new Map<string, RecordValue>();
    for (let i = 0; i < keys.length; i += READS_AT_ONCE) {
      const page = keys.slice(i, i + READS_AT_ONCE);
      const records = await Promise.all(page.map((key) => this.get(key)));
      // A record that expired in between is simply not there.
      records.forEach((record, j) => {
        if (record !== undefined) found.set(page[j]!, record);
      });
    }
    return found;
  }
}
