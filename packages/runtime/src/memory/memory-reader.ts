/**
 * Hands the entries of one partition to one reader, a batch per turn of the clock.
 *
 * Invariants
 * 1. Entries come in sequence order, each once (port invariant 2), except what a purge removed before it was handed over.
 * 2. Nothing is handed over while paused, disconnected or closed.
 * 3. At most one delivery is under way, so a delayed one can't be overtaken.
 * 4. A delivery holds what was stored when it was sent, and whether that was the partition's last.
 */
import type { JournalReader, ReaderOptions } from '../ports.ts';
import type { JournalStore, LogWatcher, PartitionLog } from './journal-store.ts';
import type { MemoryConnection } from './memory-connection.ts';
import type { MemoryMessage } from './memory-message.ts';

interface Batch {
  readonly from: number;
  readonly entries: readonly MemoryMessage[];
  readonly isHead: boolean;
}

/** Entries handed over per turn of the clock. */
const BATCH = 256;
/** Time in which a lost delivery is noticed and repeated. */
const REOPEN_MS = 100;

export class MemoryReader implements JournalReader, LogWatcher {
  readonly #log: PartitionLog;
  readonly #connection: MemoryConnection;
  readonly #options: ReaderOptions;
  readonly #overtaken: 'skip' | 'lost';
  readonly #status: { close(): void };
  #position: number;
  #state: 'running' | 'paused' | 'closed' = 'running';
  #delivering = false;
  #headTold = false;

  constructor(store: JournalStore, connection: MemoryConnection, options: ReaderOptions, overtaken: 'skip' | 'lost') {
    this.#log = store.log(options.partition);
    this.#connection = connection;
    this.#options = options;
    this.#overtaken = overtaken;
    this.#position = store.positionOf(this.#log, options.fromSeq);
    this.#log.watchers.add(this);
    this.#status = connection.onStatus((connected) => {
      if (connected) this.#deliverSoon();
    });
    this.#deliverSoon();
  }

  appended(): void {
    this.#headTold = false;
    this.#deliverSoon();
  }

  purged(position: number): void {
    if (position <= this.#position) return;
    if (this.#overtaken === 'skip') {
      this.#position = position;
      return;
    }
    const { onLost, partition } = this.#options;
    this.#stop();
    this.#connection.clock.defer(() => onLost(`a purge overtook the reader of partition ${partition}`));
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#deliverSoon();
  }

  async close(): Promise<void> {
    this.#stop();
  }

  #stop(): void {
    this.#state = 'closed';
    this.#log.watchers.delete(this);
    this.#status.close();
  }

  #deliverSoon(): void {
    if (this.#delivering || this.#state !== 'running' || !this.#connection.connected) return;
    if (this.#headTold) return;
    this.#delivering = true;
    const batch = this.#take();
    if (this.#connection.deliver('journal.deliver', () => this.#deliver(batch))) return;
    // A real reader sees the hole in the consumer's sequence and starts anew.
    this.#connection.clock.setTimer(() => this.#deliver(this.#take()), REOPEN_MS);
  }

  /** What the server sends now; what comes later is not in it, however late it arrives (invariant 4). */
  #take(): Batch {
    const log = this.#log;
    const at = this.#position - log.removed;
    const entries = log.entries.slice(at, at + BATCH);
    return { from: this.#position, entries, isHead: at + entries.length === log.entries.length };
  }

  #deliver({ from, entries, isHead }: Batch): void {
    if (!this.#delivering) return;
    this.#delivering = false;
    if (!this.#connection.connected) return;
    const endAt = from + entries.length;
    while (this.#state === 'running' && this.#position < endAt) {
      const message = entries[this.#position - from]!;
      this.#position++;
      this.#options.onMessage(message);
    }
    if (this.#state !== 'running') return;
    if (isHead) this.#options.onHead();
    if (this.#position === this.#log.removed + this.#log.entries.length) this.#headTold = true;
    else this.#deliverSoon();
  }
}
