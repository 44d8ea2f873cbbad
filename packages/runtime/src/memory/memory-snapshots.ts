/** The snapshot port in memory. */
import { type ActorAddress, decodeKey } from '@troupe/wire';
import { compareAndSet } from '../conditional-write.ts';
import type { SaveResult, SnapshotPort, StoredSnapshot } from '../ports.ts';
import { rules } from '../rules.ts';
import type { MemoryBroker } from './memory-broker.ts';
import type { MemoryConnection } from './memory-connection.ts';
import type { WrittenSnapshot } from './snapshot-store.ts';
import { WriteIds } from './write-id.ts';

export class MemorySnapshots implements SnapshotPort {
  readonly #broker: MemoryBroker;
  readonly #connection: MemoryConnection;
  readonly #writeIds: WriteIds;

  constructor(broker: MemoryBroker, connection: MemoryConnection) {
    this.#broker = broker;
    this.#connection = connection;
    this.#writeIds = new WriteIds(connection.name);
  }

  async load(partition: number, address: ActorAddress): Promise<StoredSnapshot | undefined> {
    const newest = await this.#newest(this.#broker.subjects.snapshot(partition, address));
    return newest === undefined ? undefined : published(newest);
  }

  async save(
    partition: number,
    address: ActorAddress,
    snapshot: Omit<StoredSnapshot, 'revision' | 'at'>,
    expectedRevision: number,
  ): Promise<SaveResult> {
    const subject = this.#broker.subjects.snapshot(partition, address);
    const writeId = this.#writeIds.next();
    const connection = this.#connection;
    const store = this.#broker.snapshots;
    return compareAndSet({
      clock: connection.clock,
      expectedRevision,
      attempt: (timeoutMs) =>
        connection.call(
          'snapshot.save',
          (fault) => {
            if (fault?.busy) return { kind: 'busy' };
            const written = { ...snapshot, at: this.#broker.clock.now(), writeId };
            const answer = store.save(subject, written, rules.snapshotCompared ? expectedRevision : undefined);
            if (answer.kind === 'stored')
              this.#broker.watch?.snapshotSaved?.(subject, { ...written, revision: answer.revision });
            return answer;
          },
          timeoutMs,
        ),
      readBack: async (timeoutMs) => {
        const stored = await this.#newest(subject, timeoutMs);
        return stored && { revision: stored.revision, mine: stored.writeId === writeId };
      },
    });
  }

  async history(partition: number, address: ActorAddress): Promise<StoredSnapshot[]> {
    const subject = this.#broker.subjects.snapshot(partition, address);
    const kept = await this.#connection.call('snapshot.history', () => this.#broker.snapshots.all(subject));
    return kept.map(published).reverse();
  }

  async *list(filter: {
    readonly type?: string;
    readonly partition?: number;
  }): AsyncIterable<{ partition: number; address: ActorAddress }> {
    const subjects = await this.#connection.call('snapshot.list', () => this.#broker.snapshots.subjects());
    for (const subject of subjects) {
      const actor = this.#broker.subjects.parseActor(subject)!;
      const partition = Number(subject.slice(this.#broker.subjects.prefix.length).split('.')[2]);
      if (filter.type !== undefined && filter.type !== actor.type) continue;
      if (filter.partition !== undefined && filter.partition !== partition) continue;
      yield { partition, address: { type: actor.type, key: decodeKey(actor.keyToken) } };
    }
  }

  #newest(subject: string, timeoutMs?: number): Promise<WrittenSnapshot | undefined> {
    return this.#connection.call(
      'snapshot.load',
      (fault) => {
        const all = this.#broker.snapshots.all(subject);
        if (rules.leaderReads || fault?.staleMs === undefined) return all.at(-1);
        const seenUntil = this.#broker.clock.now() - fault.staleMs;
        return all.findLast((one) => one.at <= seenUntil);
      },
      timeoutMs,
    );
  }
}

/** Without the write id, and with bytes of its own. */
function published({ writeId: _, ...snapshot }: WrittenSnapshot): StoredSnapshot {
  return { ...snapshot, bytes: snapshot.bytes.slice() };
}
