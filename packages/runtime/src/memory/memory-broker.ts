/**
 * A NATS server with JetStream, as far as the ports can tell, inside one process and under a virtual clock. Any number of
 * workers connect to one broker.
 *
 * Invariants
 * 1. Values cross the broker as bytes, through the same codec as on the wire: what can't be sent can't be tested.
 * 2. What the broker did depends only on the calls, the clock and the fault plan: same seed, same run.
 * 3. The broker's clock judges timestamps, expiry and wake-ups; a connection's clock may run differently.
 */
import { createSubjects, PARTITIONS_DEFAULT, PREFIX_DEFAULT, partitionOfTokens, type Subjects } from '@troupe/wire';
import { type Clock, type DeadLetter, PortError, type Ports } from '../ports.ts';
import type { BrokerWatch, FaultPlan } from './faults.ts';
import { JournalStore } from './journal-store.ts';
import { MemoryConnection } from './memory-connection.ts';
import type { Headers } from './memory-message.ts';
import { MemoryPorts } from './memory-ports.ts';
import { MessageRouter } from './message-router.ts';
import { RecordStore } from './record-store.ts';
import { SnapshotStore } from './snapshot-store.ts';
import { TickStore } from './tick-store.ts';

export interface MemoryBrokerOptions {
  /** Usually a `VirtualClock`. */
  readonly clock: Clock;
  /** Partitions of the journal. Default 64. */
  readonly partitions?: number;
  /** First tokens of every subject. Default `troupe`. */
  readonly prefix?: string;
  /** Largest payload with its headers, bytes. Default 1 MiB. */
  readonly payloadBytesMax?: number;
  /** Size at which the journal refuses more, bytes. Default -1: never. */
  readonly journalBytesMax?: number;
  /** What a reader does that a purge overtook: `lost` tells it, `skip` doesn't, as a server may. Default `lost`. */
  readonly overtaken?: 'skip' | 'lost';
  /** Entries that may be parked at once. Default 1,000,000. */
  readonly parkedMax?: number;
  /** Sees every write. */
  readonly watch?: BrokerWatch;
}

export interface ConnectOptions {
  /** Default `worker-<n>`. */
  readonly name?: string;
  readonly faults?: FaultPlan;
  /** The worker's own clock, when it differs from the broker's. */
  readonly clock?: Clock;
}

export const PAYLOAD_BYTES_MAX_DEFAULT = 1024 * 1024;

export class MemoryBroker {
  readonly clock: Clock;
  readonly partitions: number;
  readonly subjects: Subjects;
  readonly payloadBytesMax: number;
  readonly overtaken: 'skip' | 'lost';
  readonly watch: BrokerWatch | undefined;
  readonly journal: JournalStore;
  readonly snapshots: SnapshotStore;
  readonly records: RecordStore;
  readonly ticks: TickStore;
  readonly deadLetters = new Map<number, DeadLetter>();
  /** By subject. */
  readonly parked = new Map<string, Uint8Array>();
  readonly parkedMax: number;
  readonly router = new MessageRouter();
  readonly #connections = new Set<MemoryConnection>();
  #connectionCount = 0;

  constructor(options: MemoryBrokerOptions) {
    this.clock = options.clock;
    this.partitions = options.partitions ?? PARTITIONS_DEFAULT;
    this.subjects = createSubjects(options.prefix ?? PREFIX_DEFAULT);
    this.payloadBytesMax = options.payloadBytesMax ?? PAYLOAD_BYTES_MAX_DEFAULT;
    this.watch = options.watch;
    this.overtaken = options.overtaken ?? 'lost';
    this.parkedMax = options.parkedMax ?? 1_000_000;
    this.journal = new JournalStore(
      this.partitions,
      options.journalBytesMax ?? -1,
      this.payloadBytesMax,
      options.watch,
    );
    this.snapshots = new SnapshotStore(this.payloadBytesMax);
    this.records = new RecordStore(this.clock);
    this.ticks = new TickStore(this.clock, options.watch);
  }

  /** A new worker's ports, with a connection of its own. */
  connect(options: ConnectOptions = {}): MemoryPorts {
    const name = options.name ?? `worker-${++this.#connectionCount}`;
    const connection = new MemoryConnection(name, options.clock ?? this.clock, this.clock, options.faults);
    this.#connections.add(connection);
    return new MemoryPorts(this, connection);
  }

  /** The server goes away: every connection is cut. What is stored stays. */
  stop(): void {
    for (const connection of this.#connections) connection.disconnect();
  }

  /** The server is back. */
  start(): void {
    for (const connection of this.#connections) connection.reconnect();
  }

  /**
   * Stores what was published to a subject that the journal captures; undefined when it captures none such. What the
   * subject transform would not match goes to partition 0 as it is.
   */
  capture(
    subject: string,
    payload: Uint8Array,
    headers: Headers | undefined,
    connection = '',
  ): { seq: number } | undefined {
    const actor = this.subjects.parseActor(subject);
    if (actor !== undefined && (actor.verb === 'task' || actor.verb === 'signal' || actor.verb === 'event')) {
      const partition = partitionOfTokens(actor.type, actor.keyToken, this.partitions);
      const place = { partition, verb: actor.verb, type: actor.type, keyToken: actor.keyToken, subject };
      return { seq: this.journal.append(place, payload, headers, this.clock.now(), connection) };
    }
    const stored = this.subjects.parseStored(subject);
    if (stored === undefined || stored.matched) return undefined;
    return { seq: this.journal.append({ ...stored, subject }, payload, headers, this.clock.now(), connection) };
  }
}

/** Ports over a broker of their own, for a test with one worker. */
export function createMemoryPorts(options: MemoryBrokerOptions & { readonly faults?: FaultPlan }): Ports {
  const { faults, ...brokerOptions } = options;
  return new MemoryBroker(brokerOptions).connect(faults === undefined ? {} : { faults });
}

/** The text of an error about a payload over the limit. */
export function tooLarge(bytes: number, bytesMax: number): PortError {
  return new PortError('too-large', `the message has ${bytes} bytes, the server takes ${bytesMax}`);
}
