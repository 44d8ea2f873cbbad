/** The bus port in memory: core NATS over the broker's router. */

import { checkedHeaders } from '../header-check.ts';
import { assertFilter, assertPublishable } from '../port-arguments.ts';
import { type BusMessage, type BusPort, PortError } from '../ports.ts';
import { type MemoryBroker, tooLarge } from './memory-broker.ts';
import type { MemoryConnection } from './memory-connection.ts';
import { type Headers, messageBytes } from './memory-message.ts';
import type { RoutedMessage } from './message-router.ts';

export class MemoryBus implements BusPort {
  readonly payloadBytesMax: number;
  readonly #broker: MemoryBroker;
  readonly #connection: MemoryConnection;
  readonly #subscriptions = new Set<{ close(): void }>();
  #inboxCount = 0;

  constructor(broker: MemoryBroker, connection: MemoryConnection) {
    this.payloadBytesMax = broker.payloadBytesMax;
    this.#broker = broker;
    this.#connection = connection;
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  publish(subject: string, payload: Uint8Array, headers?: Record<string, string>): void {
    const message = this.#message(subject, payload, headers);
    if (!this.#connection.connected) return;
    this.#connection.post('bus.publish', () => this.#route(message));
  }

  async publishDurable(subject: string, payload: Uint8Array, headers?: Record<string, string>): Promise<void> {
    const message = this.#message(subject, payload, headers);
    await this.#connection.call('bus.publish', () => this.#route(message));
  }

  subscribe(
    subject: string,
    options: { readonly queue?: string },
    onMessage: (message: BusMessage) => void,
  ): { close(): void } {
    assertFilter(subject);
    let open = true;
    const routed = this.#broker.router.subscribe({
      subject,
      queue: options.queue,
      reachable: () => this.#connection.connected,
      receive: (message) =>
        this.#connection.deliver('bus.deliver', () => {
          if (open && this.#connection.connected) onMessage(new MemoryBusMessage(this, message));
        }),
    });
    const subscription = {
      close: () => {
        open = false;
        this.#subscriptions.delete(subscription);
        routed.close();
      },
    };
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async request(
    subject: string,
    payload: Uint8Array,
    options: { readonly timeoutMs: number; readonly headers?: Record<string, string> },
  ): Promise<BusMessage> {
    const reply = `_INBOX.${this.#connection.name}.${++this.#inboxCount}`;
    const message = this.#message(subject, payload, options.headers, reply);
    const { promise, resolve, reject } = Promise.withResolvers<BusMessage>();
    // It may be rejected before it is awaited.
    promise.catch(() => undefined);
    const inbox = this.subscribe(reply, {}, resolve);
    const status = this.onStatus((connected) => {
      if (!connected)
        reject(new PortError('disconnected', `${subject}: the connection was lost before the answer came`));
    });
    const timer = this.#connection.clock.setTimer(() => {
      reject(new PortError('timeout', `${subject} was not answered within ${options.timeoutMs} ms`));
    }, options.timeoutMs);
    try {
      const reached = await this.#connection.call('bus.publish', () => this.#route(message), options.timeoutMs);
      if (reached === 0) throw new PortError('no-responders', `nobody answers on ${subject}`);
      return await promise;
    } finally {
      timer.cancel();
      status.close();
      inbox.close();
    }
  }

  onStatus(listener: (connected: boolean) => void): { close(): void } {
    return this.#connection.onStatus(listener);
  }

  close(): void {
    for (const subscription of [...this.#subscriptions]) subscription.close();
  }

  #message(
    subject: string,
    payload: Uint8Array,
    headers: Record<string, string> | undefined,
    reply?: string,
  ): RoutedMessage {
    assertPublishable(subject);
    if (this.#connection.closed) throw new PortError('closed', 'the ports are closed');
    const sent = checkedHeaders(headers);
    const bytes = messageBytes(payload, sent);
    if (bytes > this.payloadBytesMax) throw tooLarge(bytes, this.payloadBytesMax);
    return { subject, reply, payload: payload.slice(), headers: sent };
  }

  /** To the journal when it captures the subject, which answers as JetStream does, and to every subscriber. */
  #route(message: RoutedMessage): number {
    let reached = this.#broker.router.publish(message);
    const stored = this.#capture(message);
    if (stored === undefined) return reached;
    reached++;
    if (message.reply !== undefined) {
      const payload = new TextEncoder().encode(JSON.stringify(stored));
      this.#broker.router.publish({ subject: message.reply, reply: undefined, payload, headers: undefined });
    }
    return reached;
  }

  #capture(message: RoutedMessage): object | undefined {
    try {
      const { subject, payload, headers } = message;
      const stored = this.#broker.capture(subject, payload, headers as Headers | undefined, this.#connection.name);
      return stored && { stream: 'memory', seq: stored.seq };
    } catch (error) {
      return { error: { code: 503, description: (error as Error).message }, stream: 'memory', seq: 0 };
    }
  }
}

class MemoryBusMessage implements BusMessage {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly payload: Uint8Array;
  readonly #headers: Headers | undefined;
  readonly #bus: MemoryBus;

  constructor(bus: MemoryBus, message: RoutedMessage) {
    this.#bus = bus;
    this.subject = message.subject;
    this.reply = message.reply;
    this.payload = message.payload;
    this.#headers = message.headers;
  }

  header(name: string): string | undefined {
    return this.#headers !== undefined && Object.hasOwn(this.#headers, name) ? this.#headers[name] : undefined;
  }

  respond(payload: Uint8Array, headers?: Record<string, string>): void {
    if (this.reply !== undefined) this.#bus.publish(this.reply, payload, headers);
  }
}
