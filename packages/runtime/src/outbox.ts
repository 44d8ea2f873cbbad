/**
 * Messages to other actors, and everything else that must be acknowledged before it counts as done.
 *
 * Invariants
 * 1. R9: between two actors one publish is unconfirmed at a time, in effect order, so that the
 *    receiver needs only a watermark per sender.
 * 2. A debt is paid when the publish is acknowledged, not when it is sent; until then neither the
 *    actor's snapshot (R1) nor the done mark (R2) passes the entry that caused it.
 * 3. What fails is repeated with the same effect id while the partition is owned; what can never
 *    succeed is reported and dropped, so that it doesn't hold the mark for ever.
 */
import type { ActorAddress, InternalBody } from '@troupe/wire';
import { formatAddress } from '@troupe/wire';
import { retryWhile } from './backoff.ts';
import type { Log } from './log.ts';
import type { Clock, JournalPort } from './ports.ts';
import { rules } from './rules.ts';

export interface OutgoingMessage {
  readonly from: ActorAddress;
  readonly to: ActorAddress;
  readonly body: InternalBody;
  /** Messages of one lane go one after the other; answers and outcomes need no order. */
  readonly ordered: boolean;
  /** Whether the partition that sends is still owned. */
  readonly wanted: () => boolean;
  readonly onDone: () => void;
  /** It can never be delivered: told once, before `onDone`. */
  readonly onRefused: (error: unknown) => void;
}

export class Outbox {
  readonly #journal: JournalPort;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #lanes = new Map<string, OutgoingMessage[]>();
  #waiting = 0;

  constructor(journal: JournalPort, clock: Clock, log: Log) {
    this.#journal = journal;
    this.#clock = clock;
    this.#log = log;
  }

  /** Messages that are not acknowledged yet. */
  get waiting(): number {
    return this.#waiting;
  }

  send(message: OutgoingMessage): void {
    this.#waiting++;
    if (!message.ordered || !rules.lanes) {
      void this.#deliver(message);
      return;
    }
    const lane = `${formatAddress(message.from)}>${formatAddress(message.to)}`;
    const queue = this.#lanes.get(lane);
    if (queue !== undefined) {
      queue.push(message);
      return;
    }
    this.#lanes.set(lane, [message]);
    void this.#drainLane(lane);
  }

  async #drainLane(lane: string): Promise<void> {
    const queue = this.#lanes.get(lane)!;
    while (queue.length > 0) {
      await this.#deliver(queue[0]!);
      queue.shift();
    }
    this.#lanes.delete(lane);
  }

  async #deliver(message: OutgoingMessage): Promise<void> {
    try {
      if (message.wanted()) {
        await retryWhile(
          this.#clock,
          message.wanted,
          () => this.#journal.append(message.to, message.body),
          (error) => {
            this.#log.warn(
              { to: formatAddress(message.to), kind: message.body.kind, error: String(error) },
              'message to another actor is not acknowledged yet; repeating',
            );
          },
        );
      }
    } catch (error) {
      message.onRefused(error);
    } finally {
      this.#waiting--;
      message.onDone();
    }
  }
}
