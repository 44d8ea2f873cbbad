/**
 * Going entry by entry, after owners have died again and again (`quarantine.ts`).
 *
 * Invariants
 * 1. The checkpoint names an entry before it is decoded, its actor woken, or its step begun, and no longer once that is over.
 * 2. A worker is inside one marked step at a time, over all its partitions: whatever ends it, at most one entry is blamed.
 * 3. Entries go on in their order; while some wait, later ones wait behind them, and the reader pauses.
 */
import type { StoredMessage } from '@troupe/wire';
import { Dropped, type PartitionHost } from './partition-host.ts';
import type { Stepping } from './quarantine.ts';
import { Slots } from './slots.ts';

/** Entries in memory that wait for their turn; beyond, the reader pauses. */
const WAITING_MAX = 512;

/** By worker (invariant 2). */
const turns = new WeakMap<PartitionHost, Slots>();

/** What going entry by entry needs of the partition. */
export interface CarefulOwner {
  readonly dropped: boolean;
  /** Writes the checkpoint. @throws Dropped */
  mark(stepping: Stepping | undefined): Promise<void>;
  /** Undefined when this entry steps nothing. */
  steppingOf(message: StoredMessage): Stepping | undefined;
  /** Folds it, or lets its actor wake. */
  take(message: StoredMessage): void;
  /** Resolves when its actor has folded what waited for it. */
  awake(message: StoredMessage): Promise<void>;
  /** More or fewer wait than before. */
  pause(): void;
  /** Nothing waits any more. */
  drained(): void;
  failed(error: unknown): void;
}

export class CarefulSteps {
  readonly #host: PartitionHost;
  readonly #owner: CarefulOwner;
  #waiting: StoredMessage[] = [];
  #running: Promise<void> | undefined;
  #current: Stepping | undefined;
  #stopped = false;

  constructor(host: PartitionHost, owner: CarefulOwner) {
    this.#host = host;
    this.#owner = owner;
  }

  /** Whether entries wait here, so that later ones have to. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Whether the reader should wait. */
  get full(): boolean {
    return this.#waiting.length >= WAITING_MAX;
  }

  push(message: StoredMessage): void {
    this.#waiting.push(message);
    if (this.full) this.#owner.pause();
    this.#start();
  }

  /** What comes between the last look at what waits and the end of a run is not left behind. */
  #start(): void {
    this.#running ??= this.#run()
      .catch((error: unknown) => {
        if (!(error instanceof Dropped)) this.#owner.failed(error);
      })
      .finally(() => {
        this.#running = undefined;
        if (this.#waiting.length > 0 && !this.#stopped && !this.#owner.dropped) this.#start();
        else this.#owner.drained();
      });
  }

  /** Takes nothing more; resolves when the step under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /**
   * Does one marked step; what is parked of an actor is stepped within the one that woke it.
   * @throws Dropped when the partition is given up.
   */
  async step(stepping: Stepping, fold: () => Promise<void> | void): Promise<void> {
    const outer = this.#current;
    if (outer?.actor === stepping.actor) {
      await this.#marked(stepping, fold, outer);
      return;
    }
    const release = await this.#turn();
    try {
      if (this.#owner.dropped) throw new Dropped();
      await this.#marked(stepping, fold, undefined);
    } finally {
      release();
    }
  }

  async #marked(stepping: Stepping, fold: () => Promise<void> | void, after: Stepping | undefined): Promise<void> {
    this.#current = stepping;
    try {
      await this.#owner.mark(stepping);
      await fold();
      await this.#owner.mark(after);
    } finally {
      this.#current = after;
    }
  }

  async #run(): Promise<void> {
    for (let at = 0; at < this.#waiting.length && !this.#stopped; ) {
      const message = this.#waiting[at++]!;
      const stepping = this.#owner.steppingOf(message);
      if (stepping === undefined) this.#owner.take(message);
      else {
        await this.step(stepping, async () => {
          this.#owner.take(message);
          await this.#owner.awake(message);
        });
      }
      if (at < WAITING_MAX / 2 && at < this.#waiting.length) continue;
      this.#waiting = this.#waiting.slice(at);
      at = 0;
      this.#owner.pause();
    }
  }

  #turn(): Promise<() => void> {
    let slots = turns.get(this.#host);
    if (slots === undefined) {
      slots = new Slots(1);
      turns.set(this.#host, slots);
    }
    return new Promise((resolve) => {
      slots.acquire('step', 1, resolve);
    });
  }
}
