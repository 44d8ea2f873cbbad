/**
 * Reads what a stream holds now under some filters, oldest first, then ends: for history, lists and tools. Reads on only
 * as fast as the caller takes it. The consumer may sit on a replica that lags: not for decisions.
 */
import { type Clock, PortError } from '@troupe/runtime';
import { PORT_DEADLINE_MS } from '@troupe/runtime/internal';
import type { Msg } from 'nats';
import { consumerName } from './consumer-name.ts';
import type { JsApi } from './js-api.ts';
import { PullConsumer } from './pull-consumer.ts';
import type { Delivery } from './stored-message.ts';

export interface ScanOptions {
  readonly api: JsApi;
  readonly clock: Clock;
  readonly stream: string;
  readonly filters: readonly string[];
  /** Default 1. */
  readonly fromSeq?: number;
  readonly headersOnly?: boolean;
}
export interface ScannedMessage {
  readonly msg: Msg;
  readonly delivery: Delivery;
}

/** New consumers after trouble before the scan gives up. */
const RESTARTS_MAX = 3;

/** Throws `PortError` when it can't go on. */
export async function* scanStream(options: ScanOptions): AsyncGenerator<ScannedMessage> {
  let fromSeq = options.fromSeq ?? 1;
  for (let restarts = 0; ; restarts++) {
    const page = new ScanPage(options, fromSeq);
    try {
      for await (const scanned of page.messages()) {
        fromSeq = scanned.delivery.seq + 1;
        yield scanned;
      }
      return;
    } catch (error) {
      if (restarts >= RESTARTS_MAX || !(error instanceof PortError) || error.kind !== 'disconnected') throw error;
    } finally {
      await page.close();
    }
  }
}

/** One consumer's worth of a scan. */
class ScanPage {
  readonly #consumer: PullConsumer;
  readonly #clock: Clock;
  readonly #status: { close(): void };
  #queue: ScannedMessage[] = [];
  #failure: PortError | undefined;
  #wake: (() => void) | undefined;

  constructor(options: ScanOptions, fromSeq: number) {
    this.#clock = options.clock;
    this.#consumer = new PullConsumer({
      ...options,
      fromSeq,
      name: consumerName('scan'),
      onMessage: (msg, delivery) => {
        this.#queue.push({ msg, delivery: { ...delivery } });
        this.#consumer.buffered(this.#queue.length);
        this.#wake?.();
      },
      onEnd: (reason) => this.#fail(reason),
    });
    this.#status = options.api.connection.onStatus((connected) => {
      if (!connected) this.#fail('the connection was lost');
    });
  }

  async *messages(): AsyncGenerator<ScannedMessage> {
    if ((await this.#consumer.open()) === 0) return;
    for (;;) {
      if (this.#queue.length === 0) await this.#arrival();
      const batch = this.#queue;
      this.#queue = [];
      for (let i = 0; i < batch.length; i++) {
        yield batch[i]!;
        if (batch[i]!.delivery.pending === 0) return;
        this.#consumer.buffered(batch.length - i - 1 + this.#queue.length);
      }
    }
  }

  async close(): Promise<void> {
    this.#status.close();
    await this.#consumer.close();
  }

  async #arrival(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const timer = this.#clock.setTimer(() => this.#fail('nothing came within the deadline'), PORT_DEADLINE_MS);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
    timer.cancel();
    if (this.#failure !== undefined && this.#queue.length === 0) throw this.#failure;
  }

  #fail(reason: string): void {
    this.#failure ??= new PortError('disconnected', `reading the stream was interrupted: ${reason}`);
    this.#wake?.();
  }
}
