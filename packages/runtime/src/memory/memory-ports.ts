/** One connection's ports on a `MemoryBroker`. */
import type {
  BusPort,
  Clock,
  DeadLetterPort,
  JournalPort,
  ParkingPort,
  Ports,
  RecordPort,
  SnapshotPort,
  TickPort,
} from '../ports.ts';
import type { MemoryBroker } from './memory-broker.ts';
import { MemoryBus } from './memory-bus.ts';
import type { MemoryConnection } from './memory-connection.ts';
import { MemoryDeadLetters } from './memory-dead-letters.ts';
import { MemoryJournal } from './memory-journal.ts';
import { MemoryParking } from './memory-parking.ts';
import { MemoryRecords } from './memory-records.ts';
import { MemorySnapshots } from './memory-snapshots.ts';
import { MemoryTicks } from './memory-ticks.ts';

export class MemoryPorts implements Ports {
  readonly clock: Clock;
  readonly journal: JournalPort;
  readonly snapshots: SnapshotPort;
  readonly records: RecordPort;
  readonly ticks: TickPort;
  readonly deadLetters: DeadLetterPort;
  readonly parking: ParkingPort;
  readonly bus: BusPort;
  /** For tests: cuts and restores this worker's line. */
  readonly connection: MemoryConnection;
  readonly #bus: MemoryBus;

  constructor(broker: MemoryBroker, connection: MemoryConnection) {
    this.clock = connection.clock;
    this.connection = connection;
    this.#bus = new MemoryBus(broker, connection);
    this.bus = this.#bus;
    this.journal = new MemoryJournal(broker, connection);
    this.snapshots = new MemorySnapshots(broker, connection);
    this.records = new MemoryRecords(broker, connection);
    this.ticks = new MemoryTicks(broker, connection);
    this.deadLetters = new MemoryDeadLetters(broker, connection);
    this.parking = new MemoryParking(broker, connection);
  }

  async close(): Promise<void> {
    this.#bus.close();
    this.connection.close();
  }
}
