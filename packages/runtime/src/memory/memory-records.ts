/** The record port in memory. */
import { decodeValue, encodeValue } from '@troupe/wire';
import { compareAndSet } from '../conditional-write.ts';
import { assertRecordKey, assertTtl } from '../port-arguments.ts';
import type { RecordPort, SaveResult } from '../ports.ts';
import type { MemoryBroker } from './memory-broker.ts';
import type { MemoryConnection } from './memory-connection.ts';
import { WriteIds } from './write-id.ts';

export class MemoryRecords implements RecordPort {
  readonly #broker: MemoryBroker;
  readonly #connection: MemoryConnection;
  readonly #writeIds: WriteIds;

  constructor(broker: MemoryBroker, connection: MemoryConnection) {
    this.#broker = broker;
    this.#connection = connection;
    this.#writeIds = new WriteIds(connection.name);
  }

  async get(key: string): Promise<{ revision: number; value: unknown } | undefined> {
    assertRecordKey(key);
    const record = await this.#connection.call('record.get', () => this.#broker.records.get(key));
    return record && { revision: record.revision, value: decodeValue(record.bytes) };
  }

  async put(
    key: string,
    value: unknown,
    options: { readonly expectedRevision?: number; readonly ttlMs?: number } = {},
  ): Promise<SaveResult> {
    assertRecordKey(key);
    assertTtl(options.ttlMs);
    const { expectedRevision, ttlMs } = options;
    const write = { bytes: encodeValue(value), writeId: this.#writeIds.next(), ttlMs };
    const connection = this.#connection;
    const store = this.#broker.records;
    return compareAndSet({
      clock: connection.clock,
      expectedRevision,
      attempt: (timeoutMs) =>
        connection.call(
          'record.put',
          (fault) => {
            if (fault?.busy) return { kind: 'busy' };
            const answer = store.put(key, write, expectedRevision);
            if (answer.kind === 'stored') this.#broker.watch?.recordPut?.(key, write.bytes, connection.name);
            return answer;
          },
          timeoutMs,
        ),
      readBack: async (timeoutMs) => {
        const stored = await connection.call('record.get', () => store.get(key), timeoutMs);
        return stored && { revision: stored.revision, mine: stored.writeId === write.writeId };
      },
    });
  }

  async remove(key: string): Promise<void> {
    assertRecordKey(key);
    await this.#connection.call('record.remove', () => this.#broker.records.remove(key));
  }

  async list(prefix: string): Promise<ReadonlyMap<string, { revision: number; value: unknown }>> {
    if (prefix !== '') assertRecordKey(prefix);
    const records = await this.#connection.call('record.list', () => this.#broker.records.list(prefix));
    const found = new Map<string, { revision: number; value: unknown }>();
    for (const [key, { revision, bytes }] of records) found.set(key, { revision, value: decodeValue(bytes) });
    return found;
  }
}
