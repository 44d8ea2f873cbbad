/**
 * The bus port on core NATS.
 *
 * While disconnected `publish` drops what it is given: it promises nothing, and the client would buffer without bound.
 */
import { type BusMessage, type BusPort, PortError } from '@troupe/runtime';
import { assertFilter, assertPublishable, PORT_DEADLINE_MS } from '@troupe/runtime/internal';
import type { Msg, MsgHdrs, Subscription } from 'nats';
import type { NatsConfig } from './config.ts';
import { encodeHeaders, findHeader, headerBytes } from './header-block.ts';
import type { JsApi } from './js-api.ts';
import { headerText } from './message-bytes.ts';
import { apiPortError } from './port-error.ts';

export class NatsBus implements BusPort {
  readonly #api: JsApi;
  readonly #keptHeads: readonly string[];
  readonly #subscriptions = new Set<Subscription>();
  /** The last headers and what they became: an outcome goes to several subjects with the same ones. */
  #lastHeaders: Record<string, string> | undefined;
  #lastEncoded: MsgHdrs | undefined;

  constructor(api: JsApi, config: NatsConfig) {
    this.#api = api;
    this.#keptHeads = config.outTypes.map((type) => `${config.subjects.prefix}.out.${type}.`);
  }

  get connected(): boolean {
    return this.#api.connection.connected;
  }

  get server(): string | undefined {
    return this.#api.connection.nc.info?.server_id;
  }

  get payloadBytesMax(): number {
    return this.#api.connection.payloadBytesMax;
  }

  publish(subject: string, payload: Uint8Array, headers?: Record<string, string>): void {
    this.#publish(subject, payload, this.#checked(subject, payload, headers));
  }

  async publishDurable(subject: string, payload: Uint8Array, headers?: Record<string, string>): Promise<void> {
    const encoded = this.#checked(subject, payload, headers);
    if (!this.#keptHeads.some((head) => subject.startsWith(head))) {
      this.#publish(subject, payload, encoded);
      return;
    }
    const ack = await this.#api.publish(subject, payload, encoded, PORT_DEADLINE_MS);
    if (!ack.ok) throw apiPortError(`publishing to ${subject}`, ack.error);
  }

  subscribe(
    subject: string,
    options: { readonly queue?: string },
    onMessage: (message: BusMessage) => void,
  ): { close(): void } {
    assertFilter(subject);
    if (this.#api.connection.closed) throw new PortError('closed', 'the connection is closed');
    const subscription = this.#api.connection.nc.subscribe(subject, {
      ...(options.queue !== undefined && { queue: options.queue }),
      callback: (error, msg) => {
        if (error === null) onMessage(new NatsBusMessage(this, msg));
      },
    });
    this.#subscriptions.add(subscription);
    return {
      close: () => {
        if (this.#subscriptions.delete(subscription)) subscription.unsubscribe();
      },
    };
  }

  async request(
    subject: string,
    payload: Uint8Array,
    options: { readonly timeoutMs: number; readonly headers?: Record<string, string> },
  ): Promise<BusMessage> {
    const headers = this.#checked(subject, payload, options.headers);
    const reply = await this.#api.connection.requests.request(subject, payload, headers, options.timeoutMs);
    return new NatsBusMessage(this, reply);
  }

  onStatus(listener: (connected: boolean) => void): { close(): void } {
    return this.#api.connection.onStatus(listener);
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions.clear();
  }

  #publish(subject: string, payload: Uint8Array, headers: MsgHdrs | undefined): void {
    const { connection } = this.#api;
    if (!connection.connected) return;
    connection.nc.publish(subject, payload, headers === undefined ? undefined : { headers });
  }

  #checked(subject: string, payload: Uint8Array, headers: Record<string, string> | undefined): MsgHdrs | undefined {
    assertPublishable(subject);
    if (this.#api.connection.closed) throw new PortError('closed', 'the connection is closed');
    const encoded = this.#encoded(headers);
    const bytes = payload.length + headerBytes(encoded);
    if (bytes > this.payloadBytesMax) {
      throw new PortError('too-large', `the message has ${bytes} bytes, the server takes ${this.payloadBytesMax}`);
    }
    return encoded;
  }

  #encoded(headers: Record<string, string> | undefined): MsgHdrs | undefined {
    if (headers !== this.#lastHeaders) {
      this.#lastEncoded = encodeHeaders(headers);
      this.#lastHeaders = headers;
    }
    return this.#lastEncoded;
  }
}

class NatsBusMessage implements BusMessage {
  readonly #bus: NatsBus;
  readonly #msg: Msg;
  #block: string | undefined;

  constructor(bus: NatsBus, msg: Msg) {
    this.#bus = bus;
    this.#msg = msg;
  }

  get subject(): string {
    return this.#msg.subject;
  }

  get reply(): string | undefined {
    return this.#msg.reply === '' ? undefined : this.#msg.reply;
  }

  get payload(): Uint8Array {
    return this.#msg.data;
  }

  header(name: string): string | undefined {
    this.#block ??= headerText(this.#msg);
    return findHeader(this.#block, name);
  }

  respond(payload: Uint8Array, headers?: Record<string, string>): void {
    if (this.reply !== undefined) this.#bus.publish(this.reply, payload, headers);
  }
}
