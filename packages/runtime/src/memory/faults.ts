/**
 * Where a test breaks the world. A `FaultPlan` is asked once per operation and says what goes wrong with it; without a
 * plan nothing does, and nothing is asked.
 */
import type { MemoryMessage } from './memory-message.ts';
import type { WrittenSnapshot } from './snapshot-store.ts';
import type { DueTick } from './tick-store.ts';

/** What is about to cross the wire between a connection and the broker. */
export type OperationKind =
  | 'journal.append'
  | 'journal.publish'
  | 'journal.deliver'
  | 'journal.open'
  | 'journal.head'
  | 'journal.history'
  | 'journal.purge'
  | 'journal.info'
  | 'snapshot.load'
  | 'snapshot.save'
  | 'snapshot.history'
  | 'snapshot.list'
  | 'record.get'
  | 'record.put'
  | 'record.remove'
  | 'record.list'
  | 'tick.schedule'
  | 'tick.cancel'
  | 'tick.open'
  | 'tick.deliver'
  | 'tick.remove'
  | 'tick.list'
  | 'dead.put'
  | 'dead.get'
  | 'dead.list'
  | 'dead.remove'
  | 'parked.put'
  | 'parked.read'
  | 'parked.list'
  | 'parked.remove'
  | 'bus.publish'
  | 'bus.deliver';

export interface Operation {
  readonly kind: OperationKind;
  /** Name of the connection, as given to `connect`. */
  readonly connection: string;
}

/** What goes wrong with one operation; the parts combine. */
export interface Fault {
  /** The request (or the delivered message) arrives this much later, ms; it arrives even if the sender is gone by then. */
  readonly delayMs?: number;
  /** The answer comes this much later, ms. */
  readonly answerDelayMs?: number;
  /** `request`: never arrives. `answer`: is carried out, and nobody hears of it. */
  readonly lose?: 'request' | 'answer';
  /** A copy of the request (or of a bus message) arrives this much after the first, ms. */
  readonly duplicateAfterMs?: number;
  /** A compare-and-set is answered "another write is in flight", as replicated streams do. */
  readonly busy?: boolean;
  /** A snapshot is read from a replica so far behind, ms. Without effect on a read from the leader, which the port makes (R8). */
  readonly staleMs?: number;
}

export interface FaultPlan {
  decide(operation: Operation): Fault | undefined;
}

/** A witness at the broker: told of every write, just before and just after it happens. It must not throw or change anything. */
export interface BrokerWatch {
  appended?(message: MemoryMessage, partition: number, connection: string): void;
  snapshotSaved?(subject: string, snapshot: WrittenSnapshot): void;
  recordPut?(key: string, bytes: Uint8Array, connection: string): void;
  tickFired?(tick: DueTick): void;
  tickRemoved?(tick: DueTick): void;
  /** Before the entries below `beforeSeq` go. */
  purging?(partition: number, beforeSeq: number, connection: string): void;
}
