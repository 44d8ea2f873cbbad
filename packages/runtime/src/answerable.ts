/**
 * Where requests are answered. An answer goes to an inbox or not at all: whoever asks chooses the reply subject, and a
 * worker may publish where its askers may not. Answering never throws, so that no request can end a worker.
 */
import { assertReplyTo } from '@troupe/wire';
import type { Log } from './log.ts';
import type { BusMessage } from './ports.ts';

interface AnsweringHost {
  readonly options: { readonly replyPrefixes: readonly string[] };
  readonly log: Log;
}

/** Where NATS itself brings answers back between accounts; clients can't publish with such a reply. */
const SERVICE_REPLY = '_R_.';

/** A request that is answered only at an address that takes answers. */
export class Answerable implements BusMessage {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly payload: Uint8Array;
  readonly #received: BusMessage;
  readonly #host: AnsweringHost;

  constructor(received: BusMessage, host: AnsweringHost) {
    this.subject = received.subject;
    this.reply = received.reply;
    this.payload = received.payload;
    this.#received = received;
    this.#host = host;
  }

  header(name: string): string | undefined {
    return this.#received.header(name);
  }

  respond(payload: Uint8Array, headers?: Record<string, string>): void {
    const { subject, reply } = this;
    if (reply === undefined) return;
    try {
      if (!reply.startsWith(SERVICE_REPLY)) assertReplyTo(reply, this.#host.options.replyPrefixes);
      this.#received.respond(payload, headers);
    } catch (error) {
      this.#host.log.warn({ subject, reply: reply.slice(0, 256), error: String(error) }, 'a request was not answered');
    }
  }
}
