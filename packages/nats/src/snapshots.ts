/**
 * The snapshot port on JetStream: one subject per actor, the newest ten messages, the stream sequence as revision. The
 * payload is the state; what it stands for is in headers, readable without it.
 */
import type { Clock, SaveResult, SnapshotPort, StoredSnapshot } from '@troupe/runtime';
import { PortError } from '@troupe/runtime';
import { type ActorAddress, decodeKey, HEADERS } from '@troupe/wire';
import { conditionalPublish } from './conditional-publish.ts';
import type { NatsConfig } from './config.ts';
import { findHeader } from './header-block.ts';
import type { JsApi } from './js-api.ts';
import { headerText } from './message-bytes.ts';
import { scanStream } from './stream-scan.ts';
import { SNAPSHOTS_KEPT } from './streams.ts';

const COUNT_HEADER = 'Troupe-Count';
const HASH_HEADER = 'Troupe-Hash';
const HASH_PATTERN = /^[!-~]{0,256}$/;

export class NatsSnapshots implements SnapshotPort {
  readonly #api: JsApi;
  readonly #config: NatsConfig;
  readonly #clock: Clock;

  constructor(api: JsApi, config: NatsConfig, clock: Clock) {
    this.#api = api;
    this.#config = config;
    this.#clock = clock;
  }

  async load(partition: number, address: ActorAddress): Promise<StoredSnapshot | undefined> {
    const subject = this.#config.subjects.snapshot(partition, address);
    const stored = await this.#api.readLast(this.#config.streams.snapshots, subject);
    return stored && readSnapshot(stored.seq, stored.at, stored.payload, stored.header);
  }

  async save(
    partition: number,
    address: ActorAddress,
    snapshot: Omit<StoredSnapshot, 'revision' | 'at'>,
    expectedRevision: number,
  ): Promise<SaveResult> {
    if (!HASH_PATTERN.test(snapshot.hash))
      throw new PortError('other', 'a snapshot hash is up to 256 printable characters');
    return conditionalPublish({
      api: this.#api,
      clock: this.#clock,
      stream: this.#config.streams.snapshots,
      subject: this.#config.subjects.snapshot(partition, address),
      payload: snapshot.bytes,
      headers: {
        [HEADERS.seq]: String(snapshot.seq),
        [COUNT_HEADER]: String(snapshot.count),
        [HASH_HEADER]: snapshot.hash,
      },
      expectedRevision,
    });
  }

  async history(partition: number, address: ActorAddress): Promise<StoredSnapshot[]> {
    const found: StoredSnapshot[] = [];
    const scan = this.#scan([this.#config.subjects.snapshot(partition, address)]);
    for await (const { msg, delivery } of scan) {
      const block = headerText(msg);
      found.push(readSnapshot(delivery.seq, delivery.at, msg.data.slice(), (name) => findHeader(block, name)));
    }
    return found.slice(-SNAPSHOTS_KEPT).reverse();
  }

  async *list(filter: {
    readonly type?: string;
    readonly partition?: number;
  }): AsyncIterable<{ partition: number; address: ActorAddress }> {
    const { subjects, streams } = this.#config;
    const pattern = `${subjects.prefix}.snapshot.${filter.partition ?? '*'}.${filter.type ?? '*'}.*`;
    for await (const subject of this.#api.subjects(streams.snapshots, pattern)) {
      const [partition, type, keyToken] = subject.slice(subjects.prefix.length + '.snapshot.'.length).split('.');
      yield { partition: Number(partition), address: { type: type!, key: decodeKey(keyToken!) } };
    }
  }

  #scan(filters: readonly string[]): ReturnType<typeof scanStream> {
    return scanStream({ api: this.#api, clock: this.#clock, stream: this.#config.streams.snapshots, filters });
  }
}

function readSnapshot(
  revision: number,
  at: number,
  bytes: Uint8Array,
  header: (name: string) => string | undefined,
): StoredSnapshot {
  return {
    revision,
    at,
    seq: Number(header(HEADERS.seq) ?? 0),
    count: Number(header(COUNT_HEADER) ?? 0),
    hash: header(HASH_HEADER) ?? '',
    bytes,
  };
}
