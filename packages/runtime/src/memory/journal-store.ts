/**
 * The journal inside the memory broker: one sequence for all, one list per partition.
 *
 * Invariants
 * 1. Sequences start at 1, grow by one per stored entry over all partitions, and are never used again.
 * 2. What is stored is never changed; `purge` only cuts from the front of one partition.
 */
import type { JournalVerb } from '@troupe/wire';
import { PortError } from '../ports.ts';
import type { BrokerWatch } from './faults.ts';
import { type Headers, MemoryMessage, messageBytes } from './memory-message.ts';

/** Where an entry goes. */
export interface Place {
  readonly partition: number;
  readonly verb: JournalVerb;
  readonly type: string;
  readonly keyToken: string;
  readonly subject: string;
}

/** A partition's entries; `removed` counts those purged, so that positions stay valid over a purge. */
export interface PartitionLog {
  entries: MemoryMessage[];
  removed: number;
  readonly watchers: Set<LogWatcher>;
}
export interface LogWatcher {
  appended(): void;
  /** Entries at positions below `position` are gone. */
  purged(position: number): void;
}

export class JournalStore {
  readonly #logs: PartitionLog[];
  readonly #bytesMax: number;
  readonly #payloadBytesMax: number;
  readonly #watch: BrokerWatch | undefined;
  #lastSeq = 0;
  #bytes = 0;
  #messages = 0;

  constructor(partitions: number, bytesMax: number, payloadBytesMax: number, watch?: BrokerWatch) {
    this.#watch = watch;
    this.#logs = Array.from({ length: partitions }, () => ({ entries: [], removed: 0, watchers: new Set() }));
    this.#bytesMax = bytesMax;
    this.#payloadBytesMax = payloadBytesMax;
  }

  log(partition: number): PartitionLog {
    const log = this.#logs[partition];
    if (log === undefined) {
      throw new PortError('other', `partition ${partition} is not one of 0 to ${this.#logs.length - 1}`);
    }
    return log;
  }

  append(place: Place, payload: Uint8Array, headers: Headers | undefined, at: number, connection = ''): number {
    const bytes = messageBytes(payload, headers);
    if (bytes > this.#payloadBytesMax) {
      throw new PortError('too-large', `the entry has ${bytes} bytes, the journal takes ${this.#payloadBytesMax}`);
    }
    if (this.#bytesMax >= 0 && this.#bytes + bytes > this.#bytesMax) {
      throw new PortError('full', `the journal holds ${this.#bytes} of ${this.#bytesMax} bytes`);
    }
    const log = this.log(place.partition);
    const seq = ++this.#lastSeq;
    const message = new MemoryMessage(seq, at, place, payload.slice(), headers);
    log.entries.push(message);
    this.#bytes += bytes;
    this.#messages++;
    this.#watch?.appended?.(message, place.partition, connection);
    for (const watcher of log.watchers) watcher.appended();
    return seq;
  }

  headSeq(partition: number): number {
    return this.log(partition).entries.at(-1)?.seq ?? 0;
  }

  /** Position of the first entry at or after `seq`. */
  positionOf(log: PartitionLog, seq: number): number {
    return log.removed + lowerBound(log.entries, seq);
  }

  /** First sequence stored at or after that time, or one past the head. */
  firstSeqSince(partition: number, atMs: number): number {
    const { entries } = this.log(partition);
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (entries[middle]!.at < atMs) low = middle + 1;
      else high = middle;
    }
    return entries[low]?.seq ?? this.headSeq(partition) + 1;
  }

  purge(partition: number, beforeSeq: number, connection = ''): number {
    const log = this.log(partition);
    const count = lowerBound(log.entries, beforeSeq);
    if (count === 0) return 0;
    this.#watch?.purging?.(partition, beforeSeq, connection);
    for (let i = 0; i < count; i++) this.#bytes -= log.entries[i]!.bytes;
    log.entries.splice(0, count);
    log.removed += count;
    this.#messages -= count;
    for (const watcher of [...log.watchers]) watcher.purged(log.removed);
    return count;
  }

  info(): { firstSeq: number; lastSeq: number; messages: number; bytes: number; bytesMax: number } {
    let firstSeq = this.#lastSeq + 1;
    for (const log of this.#logs) firstSeq = Math.min(firstSeq, log.entries[0]?.seq ?? firstSeq);
    return {
      firstSeq,
      lastSeq: this.#lastSeq,
      messages: this.#messages,
      bytes: this.#bytes,
      bytesMax: this.#bytesMax,
    };
  }
}

/** Index of the first entry with a sequence of at least `seq`. */
function lowerBound(entries: readonly MemoryMessage[], seq: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
