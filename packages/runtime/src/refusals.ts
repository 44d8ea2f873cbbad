/**
 * Entries that no actor can take: an address that isn't one, a type that nobody defines, a type that was retired.
 *
 * Invariants
 * 1. Whoever sent something is told, and finds it among the dead letters: a task by its outcome, an ask of another actor by an
 *    outcome in that actor's journal. What workers write for themselves (wake-ups, ends of calls) to a type that was retired means
 *    nothing any more, and goes without a trace.
 * 2. An entry is owed until its dead letter is stored, and its asker told (R2); what was refused before is not refused again.
 * 3. R5: only a fresh owner refuses. Another may have the code that is missing here.
 * 4. That a type is refused up to an entry is stored before anybody is told: code that comes later leaves it alone.
 * 5. What is parked of a type that was retired is refused as well, and its copy removed only then.
 */
import {
  type ActorAddress,
  decodeEntry,
  type EntryBody,
  type FailureRecord,
  type JournalEntry,
  type StoredMessage,
  TroupeError,
  toFailureRecord,
} from '@troupe/wire';
import type { EffectDesk } from './effect-desk.ts';
import type { ParkingLot } from './parking-lot.ts';
import { type PartitionHost, unlessDropped } from './partition-host.ts';
import { publishOutcome } from './replies.ts';
import type { SeqTracker } from './seq-tracker.ts';

const NOBODY: ActorAddress = { type: 'invalid', key: 'invalid' };
/** What somebody sent, or wanted applied again. */
const SENT: ReadonlySet<EntryBody['kind']> = new Set(['task', 'signal', 'ask', 'message', 'redrive', 'invalid']);

/** What refusing needs of the partition. */
export interface RefusalOwner {
  readonly dropped: boolean;
  readonly fresh: boolean;
  readonly owed: SeqTracker;
  readonly lot: ParkingLot;
  whenFresh(callback: () => void): void;
  /** Fewer wait than before. */
  eased(): void;
  /** Stores that entries of the type are refused up to here. @throws Dropped */
  announceRefused(type: string, seq: number): Promise<void>;
}

export class Refusals {
  readonly #host: PartitionHost;
  readonly #owner: RefusalOwner;
  readonly #desk: EffectDesk;
  #waiting = 0;

  constructor(host: PartitionHost, owner: RefusalOwner, desk: EffectDesk) {
    this.#host = host;
    this.#owner = owner;
    this.#desk = desk;
  }

  /** Entries that are being refused, or wait for ownership to be fresh. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Refuses an entry of the journal. @param address undefined for one that names no actor. */
  refuse(message: StoredMessage, address: ActorAddress | undefined): void {
    this.#owner.owed.add(message.seq);
    this.#waiting++;
    void this.#refuseForGood(message, address)
      .catch(unlessDropped)
      .finally(() => {
        this.#waiting--;
        this.#owner.owed.remove(message.seq);
        this.#owner.eased();
      });
  }

  /** Refuses what is parked of an actor whose type was retired (invariant 5). */
  async refuseParked(name: string, address: ActorAddress): Promise<void> {
    const { lot } = this.#owner;
    const { seqs } = await lot.pending(name, address, 0, Number.POSITIVE_INFINITY);
    for (const seq of seqs) {
      const parked = await lot.get(address, seq);
      if (parked !== undefined && !parked.done) await this.#refuse(parked.message, address);
      if (this.#owner.dropped) return;
    }
    await lot.covered(name, address, seqs.at(-1) ?? 0);
  }

  async #refuseForGood(message: StoredMessage, address: ActorAddress | undefined): Promise<void> {
    await this.#whenFresh();
    if (address !== undefined) await this.#owner.announceRefused(message.type, message.seq);
    await this.#refuse(message, address);
  }

  async #whenFresh(): Promise<void> {
    if (!this.#owner.fresh) await new Promise<void>((resolve) => this.#owner.whenFresh(resolve));
  }

  async #refuse(message: StoredMessage, address: ActorAddress | undefined): Promise<void> {
    const entry = decodeEntry(message, this.#host.decoding);
    const isRetired = this.#host.retired.has(message.type);
    if (isRetired && !SENT.has(entry.body.kind)) return;
    await this.#whenFresh();
    if (this.#owner.dropped) return;
    const error = entry.body.kind === 'invalid' ? entry.body.error : toFailureRecord(this.#reason(message.type));
    await Promise.all([
      this.#desk.deadLetter(address ?? NOBODY, message, error),
      this.#tell(message, entry, address, error),
    ]);
  }

  #reason(type: string): TroupeError {
    const { retired, definitions } = this.#host;
    return retired.has(type) ? retiredError(type) : unknownError(type, definitions.keys());
  }

  async #tell(
    message: StoredMessage,
    { body }: JournalEntry,
    address: ActorAddress | undefined,
    error: FailureRecord,
  ): Promise<void> {
    const outcome = { ok: false, error } as const;
    if (body.kind === 'ask')
      await this.#desk.append(body.from, { kind: 'outcome', effectId: body.effectId, result: outcome });
    if (message.verb !== 'task') return;
    publishOutcome(this.#host, address ?? NOBODY, undefined, {
      replyTo: 'replyTo' in body && body.replyTo !== undefined ? [body.replyTo] : [],
      taskId: 'taskId' in body && body.taskId !== undefined ? body.taskId : String(message.seq),
      turnSeq: message.seq,
      outcome,
      contentType: 'contentType' in body ? body.contentType : 'application/json',
      repeat: address === undefined,
      id: `${message.seq}.0`,
    });
  }
}

/** A type that no worker here has. */
export function unknownError(type: string, known: Iterable<string>): TroupeError {
  const names = [...known].sort();
  return new TroupeError(
    'UnknownActorType',
    `No worker has actors of type '${type}'. Known types: ${names.join(', ') || 'none'}.`,
    { details: { known: names } },
  );
}

/** A type that the config says is no more. */
export function retiredError(type: string): TroupeError {
  return new TroupeError(
    'ActorTypeRetired',
    `Actors of type '${type}' are no more: the type was retired. Send to the type that took its place, or take it off the config's retired list and host it again.`,
    { details: { type } },
  );
}
