/** Snapshots inside the memory broker: the newest ten per actor, one revision counter for all. */
import type { WriteAttempt } from '../conditional-write.ts';
import { PortError, type StoredSnapshot } from '../ports.ts';

/** How many snapshots of an actor are kept. */
export const SNAPSHOTS_KEPT = 10;

/** A snapshot, and which call wrote it. */
export interface WrittenSnapshot extends StoredSnapshot {
  readonly writeId: string;
}

export class SnapshotStore {
  readonly #actors = new Map<string, WrittenSnapshot[]>();
  readonly #payloadBytesMax: number;
  #revision = 0;

  constructor(payloadBytesMax: number) {
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** Oldest first; empty for an actor without one. */
  all(subject: string): readonly WrittenSnapshot[] {
    return this.#actors.get(subject) ?? [];
  }

  save(
    subject: string,
    snapshot: Omit<WrittenSnapshot, 'revision'>,
    expectedRevision: number | undefined,
  ): WriteAttempt {
    if (snapshot.bytes.length > this.#payloadBytesMax) {
      throw new PortError(
        'too-large',
        `the snapshot has ${snapshot.bytes.length} bytes, the store takes ${this.#payloadBytesMax}`,
      );
    }
    const kept = this.#actors.get(subject) ?? [];
    if (expectedRevision !== undefined && (kept.at(-1)?.revision ?? 0) !== expectedRevision)
      return { kind: 'mismatch' };
    const revision = ++this.#revision;
    kept.push({ ...snapshot, bytes: snapshot.bytes.slice(), revision });
    if (kept.length > SNAPSHOTS_KEPT) kept.shift();
    this.#actors.set(subject, kept);
    return { kind: 'stored', revision };
  }

  subjects(): string[] {
    return [...this.#actors.keys()];
  }
}
