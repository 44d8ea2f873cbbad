/** What history needs of the world: reading. The runtime's ports have it. */
import type { ActorAddress, StoredMessage } from '@troupe/wire';

/** An actor's state as it was stored. */
export interface KeptSnapshot {
  /** When it was stored, Unix ms. */
  readonly at: number;
  /** Entry that it stands for. */
  readonly seq: number;
  /** Entries folded since the actor's beginning. */
  readonly count: number;
  readonly bytes: Uint8Array;
}

export interface HistoryPorts {
  readonly journal: {
    partitionOf(address: ActorAddress): number;
    /** An actor's entries in order; `last`: only the newest so many of the range. */
    readActor(
      address: ActorAddress,
      range: { readonly fromSeq?: number; readonly toSeq?: number; readonly last?: number },
    ): AsyncIterable<StoredMessage>;
    /** First sequence of a partition stored at or after this time, Unix ms. */
    firstSeqSince(partition: number, atMs: number): Promise<number>;
  };
  readonly snapshots: {
    load(partition: number, address: ActorAddress): Promise<KeptSnapshot | undefined>;
    /** Newest first, at most the ten that are kept. */
    history(partition: number, address: ActorAddress): Promise<KeptSnapshot[]>;
  };
  /** Where partitions keep which entries are set aside. Absent: none are, so only for journals that workers never had. */
  readonly records?: { get(key: string): Promise<{ readonly value: unknown } | undefined> };
}
