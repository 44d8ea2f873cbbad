/** Records with revisions and expiry inside the memory broker. Expiry is judged by the broker's clock, as the server does. */
import type { WriteAttempt } from '../conditional-write.ts';
import type { Clock } from '../ports.ts';

interface StoredRecord {
  readonly revision: number;
  readonly bytes: Uint8Array;
  readonly expiresAt: number;
  readonly writeId: string;
}

export class RecordStore {
  readonly #records = new Map<string, StoredRecord>();
  readonly #clock: Clock;
  #revision = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): StoredRecord | undefined {
    const record = this.#records.get(key);
    if (record === undefined || record.expiresAt > this.#clock.monotonic()) return record;
    this.#records.delete(key);
    return undefined;
  }

  put(
    key: string,
    write: { readonly bytes: Uint8Array; readonly writeId: string; readonly ttlMs: number | undefined },
    expectedRevision: number | undefined,
  ): WriteAttempt {
    const stored = this.get(key)?.revision ?? 0;
    if (expectedRevision !== undefined && expectedRevision !== stored) return { kind: 'mismatch' };
    const expiresAt =
      write.ttlMs === undefined
        ? Number.POSITIVE_INFINITY
        : this.#clock.monotonic() + Math.ceil(write.ttlMs / 1000) * 1000;
    const revision = ++this.#revision;
    this.#records.set(key, { revision, bytes: write.bytes, expiresAt, writeId: write.writeId });
    return { kind: 'stored', revision };
  }

  remove(key: string): void {
    this.#records.delete(key);
  }

  /** Live records whose key is `prefix` or begins with `prefix` and a dot; all with an empty prefix. */
  list(prefix: string): Map<string, StoredRecord> {
    const found = new Map<string, StoredRecord>();
    for (const key of [...this.#records.keys()].sort()) {
      if (prefix !== '' && key !== prefix && !key.startsWith(`${prefix}.`)) continue;
      const record = this.get(key);
      if (record !== undefined) found.set(key, record);
    }
    return found;
  }
}
