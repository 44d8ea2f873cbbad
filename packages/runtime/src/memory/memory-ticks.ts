/** The tick port in memory. */
import { type ActorAddress, sameAddress, validAddress } from '@troupe/wire';
import type { TickPort } from '../ports.ts';
import type { MemoryBroker } from './memory-broker.ts';
import type { MemoryConnection } from './memory-connection.ts';
import type { DueTick } from './tick-store.ts';

export class MemoryTicks implements TickPort {
  readonly #broker: MemoryBroker;
  readonly #connection: MemoryConnection;

  constructor(broker: MemoryBroker, connection: MemoryConnection) {
    this.#broker = broker;
    this.#connection = connection;
  }

  async schedule(partition: number, address: ActorAddress, dueAt: number, epoch = 0): Promise<void> {
    validAddress(address);
    await this.#connection.call('tick.schedule', () => this.#broker.ticks.schedule(partition, address, dueAt, epoch));
  }

  async cancel(_partition: number, address: ActorAddress, epoch = 0): Promise<void> {
    validAddress(address);
    await this.#connection.call('tick.cancel', () => this.#broker.ticks.cancel(address, epoch));
  }

  read(partition: number, onDue: (due: DueTick) => void): Promise<{ close(): Promise<void> }> {
    return this.#connection.call(
      'tick.open',
      () => new MemoryTickReader(this.#broker, this.#connection, partition, onDue),
    );
  }

  async remove(partition: number, token: number): Promise<void> {
    await this.#connection.call('tick.remove', () => this.#broker.ticks.remove(partition, token));
  }

  async *list(filter: { readonly address?: ActorAddress }): AsyncIterable<{ address: ActorAddress; dueAt: number }> {
    const pending = await this.#connection.call('tick.list', () => this.#broker.ticks.pending());
    for (const { address, dueAt } of pending) {
      if (filter.address === undefined || sameAddress(filter.address, address)) yield { address, dueAt };
    }
  }
}

/** What nobody removed for so long is handed over again. */
const REPEAT_MS = 30_000;

/** Hands over what is due now and later; what nobody removed again after a reconnect, and after `REPEAT_MS`. */
class MemoryTickReader {
  readonly #broker: MemoryBroker;
  readonly #connection: MemoryConnection;
  readonly #partition: number;
  readonly #onDue: (due: DueTick) => void;
  readonly #subscriptions: { close(): void }[];
  #closed = false;

  constructor(broker: MemoryBroker, connection: MemoryConnection, partition: number, onDue: (due: DueTick) => void) {
    this.#broker = broker;
    this.#connection = connection;
    this.#partition = partition;
    this.#onDue = onDue;
    this.#subscriptions = [
      broker.ticks.watch(partition, (due) => this.#handOver(due)),
      connection.onStatus((connected) => {
        if (connected) this.#handOverAll();
      }),
    ];
    this.#handOverAll();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.close();
  }

  #handOverAll(): void {
    for (const due of this.#broker.ticks.due(this.#partition)) this.#handOver(due);
  }

  #handOver(due: DueTick): void {
    if (!this.#connection.connected) return;
    this.#connection.deliver('tick.deliver', () => {
      if (!this.#closed && this.#connection.connected) this.#onDue(due);
    });
    this.#connection.clock.setTimer(() => this.#repeat(due), REPEAT_MS);
  }

  #repeat(due: DueTick): void {
    if (this.#closed) return;
    if (this.#broker.ticks.due(this.#partition).some((other) => other.token === due.token)) this.#handOver(due);
  }
}
