/**
 * Hands over due wake-ups for all partitions that this worker reads, with one consumer for all of them: ticks are rare,
 * and a consumer per partition would cost as much as the journal's.
 *
 * Invariants
 * 1. The consumer always starts at the beginning: what is due is still stored until it is removed, so nothing is missed
 *    when the set of partitions changes, only handed over again.
 * 2. A change of the set makes a new consumer, once per `SETTLE_MS` however many partitions change.
 * 3. Every `REPEAT_MS` while something is not removed there is a new consumer, which hands it over again.
 */
import { type Clock, PortError, type Timer } from '@troupe/runtime';
import { type ActorAddress, decodeKey } from '@troupe/wire';
import type { Msg } from 'nats';
import type { NatsConfig } from './config.ts';
import { consumerName } from './consumer-name.ts';
import type { JsApi } from './js-api.ts';
import { subjectBytes, text } from './message-bytes.ts';
import { PullConsumer } from './pull-consumer.ts';

export interface DueTick {
  readonly address: ActorAddress;
  /** Sequence in the stream of ticks. */
  readonly token: number;
}

const SETTLE_MS = 10;
const REPEAT_MS = 30_000;
const RETRY_WAIT_MS = 250;
/** Above this many partitions one filter for all is cheaper for the server; the rest is dropped here. */
const FILTERS_MAX = 64;

interface Opening {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class TickFeed {
  readonly #api: JsApi;
  readonly #config: NatsConfig;
  readonly #clock: Clock;
  readonly #readers = new Map<number, Set<(due: DueTick) => void>>();
  readonly #outstanding = new Set<number>();
  readonly #status: { close(): void };
  #consumer: PullConsumer | undefined;
  #openings: Opening[] = [];
  #timer: Timer | undefined;
  #repeat: Timer | undefined;
  #closed = false;

  constructor(api: JsApi, config: NatsConfig, clock: Clock) {
    this.#api = api;
    this.#config = config;
    this.#clock = clock;
    this.#status = api.connection.onStatus((connected) => {
      if (connected) this.#changed();
      else this.#dropConsumer();
    });
  }

  /** Resolves once the partition is read. */
  async read(partition: number, onDue: (due: DueTick) => void): Promise<{ close(): Promise<void> }> {
    if (this.#closed) throw new PortError('closed', 'the ports are closed');
    const readers = this.#readers.get(partition) ?? new Set();
    this.#readers.set(partition, readers);
    const reader = (due: DueTick): void => onDue(due);
    readers.add(reader);
    const close = async (): Promise<void> => {
      if (!readers.delete(reader) || readers.size > 0) return;
      this.#readers.delete(partition);
      this.#changed();
    };
    try {
      await new Promise<void>((resolve, reject) => {
        this.#openings.push({ resolve, reject });
        this.#changed();
      });
    } catch (error) {
      await close();
      throw error;
    }
    return { close };
  }

  removed(token: number): void {
    this.#outstanding.delete(token);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#status.close();
    this.#timer?.cancel();
    this.#repeat?.cancel();
    for (const opening of this.#openings) opening.reject(new PortError('closed', 'the ports are closed'));
    this.#openings = [];
    await this.#consumer?.close();
  }

  /** Invariant 2. */
  #changed(waitMs: number = SETTLE_MS): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = undefined;
      void this.#reopen();
    }, waitMs);
  }

  #dropConsumer(): void {
    void this.#consumer?.close();
    this.#consumer = undefined;
  }

  async #reopen(): Promise<void> {
    if (this.#closed) return;
    const openings = this.#openings;
    this.#openings = [];
    try {
      await this.#openConsumer();
      for (const opening of openings) opening.resolve();
    } catch (error) {
      // Only the callers that wait are told; partitions read before must not be given up.
      for (const opening of openings) opening.reject(error);
      if (this.#readers.size > 0 && this.#api.connection.connected) this.#changed(RETRY_WAIT_MS);
    }
  }

  async #openConsumer(): Promise<void> {
    this.#dropConsumer();
    this.#outstanding.clear();
    if (this.#readers.size === 0) return;
    const consumer: PullConsumer = new PullConsumer({
      api: this.#api,
      clock: this.#clock,
      stream: this.#config.streams.ticks,
      name: consumerName('ticks'),
      filters: this.#filters(),
      fromSeq: 1,
      onMessage: (msg, delivery) => this.#receive(msg, delivery.seq),
      onEnd: () => {
        if (consumer !== this.#consumer) return;
        this.#consumer = undefined;
        this.#changed(RETRY_WAIT_MS);
      },
    });
    this.#consumer = consumer;
    await consumer.open();
  }

  #filters(): string[] {
    const { subjects } = this.#config;
    if (this.#readers.size > FILTERS_MAX) return [`${subjects.prefix}.tick.due.>`];
    return [...this.#readers.keys()].map((partition) => subjects.ticksOf('due', partition));
  }

  #receive(msg: Msg, token: number): void {
    const tail = text(subjectBytes(msg)).split('.').slice(-4) as [string, string, string, string];
    const [partition, , type, keyToken] = tail;
    const readers = this.#readers.get(Number(partition));
    if (readers === undefined) return;
    this.#outstanding.add(token);
    this.#repeatLater();
    const due = { address: { type, key: decodeKey(keyToken) }, token };
    for (const reader of [...readers]) reader(due);
  }

  /** Invariant 3. */
  #repeatLater(): void {
    if (this.#repeat !== undefined) return;
    this.#repeat = this.#clock.setTimer(() => {
      this.#repeat = undefined;
      if (this.#outstanding.size > 0) this.#changed();
    }, REPEAT_MS);
  }
}
