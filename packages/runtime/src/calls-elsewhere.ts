/**
 * Calls that the owner before still has under way for a partition that was handed over: they are not started a second time while
 * they may yet end.
 *
 * Whoever began a call journals its outcome, whoever owns the partition by then: the step takes the first. So a hand-over
 * waits for no call. The new owner asks the old one now and then which of them go on; those that don't, and left no
 * outcome in the journal, it starts itself, or finds out that they may not be repeated.
 *
 * Invariants
 * 1. A call counts as elsewhere until the one that runs it says that it has ended, or is known to be dead.
 * 2. Only then the journal's head is read, and nothing starts before it has been folded: the outcome may lie there.
 * 3. What this owner no longer waits for is ended there too.
 */
import { decodeValue, encodeValue } from '@troupe/wire';
import type { PartitionHost } from './partition-host.ts';
import type { Timer } from './ports.ts';

/** Calls that a worker left under way when it gave a partition back. */
export interface Left {
  readonly worker: string;
  /** In which it began them. */
  readonly epoch: number;
  /** Ids of the effects. */
  readonly effects: readonly string[];
}

/** What the new owner asks the old one. */
export interface LeftRequest {
  readonly partition: number;
  readonly epoch: number;
  /** Those that are still waited for. */
  readonly effects: readonly string[];
}

/** The partition, as far as these calls go. */
export interface LeftOwner {
  readonly partition: number;
  readonly dropped: boolean;
  readonly position: number;
  /** Ids of all open calls; undefined while some actor is still being woken. */
  openCalls(): ReadonlySet<string> | undefined;
  /** Starts whatever is open and not elsewhere. */
  startCalls(): void;
}

const ASK_EVERY_MS = 500;
const ANSWER_WITHIN_MS = 2_000;

export class CallsElsewhere {
  readonly #host: PartitionHost;
  readonly #owner: LeftOwner;
  readonly #left: Left;
  readonly #effects: Set<string>;
  #timer: Timer | undefined;
  /** Where the journal ended when the last of them ended. */
  #endedAt: { readonly effects: readonly string[]; readonly headSeq: number } | undefined;

  constructor(host: PartitionHost, owner: LeftOwner, left: Left) {
    this.#host = host;
    this.#owner = owner;
    this.#left = left;
    this.#effects = new Set(left.effects);
  }

  has(effectId: string): boolean {
    return this.#effects.has(effectId);
  }

  /** Begins to ask. */
  start(): void {
    if (this.#owner.dropped || this.#effects.size === 0) return;
    this.#timer = this.#host.clock.setTimer(() => {
      void this.#ask()
        .catch(() => undefined)
        .finally(() => this.start());
    }, ASK_EVERY_MS);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#effects.clear();
  }

  async #ask(): Promise<void> {
    if (this.#endedAt !== undefined) {
      this.#settle(this.#endedAt);
      return;
    }
    const open = this.#owner.openCalls();
    if (open === undefined) return;
    const waited = [...this.#effects].filter((id) => open.has(id));
    const running = await this.#running(waited);
    if (running === undefined) return;
    const effects = [...this.#effects].filter((id) => !running.has(id));
    if (effects.length === 0) return;
    const headSeq = await this.#host.ports.journal.headSeq(this.#owner.partition);
    this.#endedAt = { effects, headSeq };
    this.#settle(this.#endedAt);
  }

  /** Invariant 2. */
  #settle({ effects, headSeq }: { readonly effects: readonly string[]; readonly headSeq: number }): void {
    if (this.#owner.dropped || this.#owner.position < headSeq) return;
    this.#endedAt = undefined;
    for (const id of effects) this.#effects.delete(id);
    this.#owner.startCalls();
  }

  /** Those that go on; undefined when nobody can tell yet. */
  async #running(effects: readonly string[]): Promise<ReadonlySet<string> | undefined> {
    const { ports, subjects } = this.#host;
    const { worker, epoch } = this.#left;
    if (!this.#host.lives(worker)) return new Set();
    const request: LeftRequest = { partition: this.#owner.partition, epoch, effects };
    try {
      const options = { timeoutMs: ANSWER_WITHIN_MS };
      const answer = await ports.bus.request(subjects.control('left', worker), encodeValue(request), options);
      return new Set((decodeValue(answer.payload) as { running: string[] }).running);
    } catch {
      return this.#host.lives(worker) ? undefined : new Set();
    }
  }
}
