/**
 * Hands the entries of one partition to one reader, a batch per turn of the clock.
 *
 * Invariants
 * 1. Entries come in sequence order, each once (port invariant 2), except what a purge removed before it was handed over.
 * 2. Nothing is handed over while paused, disconnected or closed.
 * 3. At most one delivery is under way, so a delayed one can't be overtaken.
 */
import type { JournalReader, ReaderOptions } from '../ports.ts';
import type { JournalStore, LogWatcher, PartitionLog } from './journal-store.ts';
import type { MemoryConnection } from './memory-connection.ts';

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
    if (this.#connection.deliver('journal.deliver', () => this.#deliver())) return;
    // A real reader sees the hole in the consumer's sequence and starts anew.
    this.#connection.clock.setTimer(() => this.#deliver(), REOPEN_MS);
  }

  #deliver(): void {
    if (!this.#delivering) return;
    this.#delivering = false;
    if (!this.#connection.connected) return;
    const log = this.#log;
    const endAt = Math.min(log.removed + log.entries.length, this.#position + BATCH);
    while (this.#state === 'running' && this.#position < endAt) {
      const message = log.entries[this.#position - log.removed]!;
      this.#position++;
      this.#options.onMessage(message);
    }
    if (this.#state !== 'running') return;
    if (this.#position === log.removed + log.entries.length) {
      this.#headTold = true;
      this.#options.onHead();
    } else this.#deliverSoon();
  }
}
