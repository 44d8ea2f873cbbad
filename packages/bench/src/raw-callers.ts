/**
 * Callers on plain NATS: publish, await the PubAck and the answer. With the subjects and headers of the raw loop they are
 * the yardstick; with those of a task they are any NATS client that talks to Troupe.
 */
import { randomBytes } from 'node:crypto';
import type { Msg, NatsConnection } from 'nats';
import type { Caller } from './load.ts';
import { asHeaders, connectRaw, subjectBytes } from './raw-nats.ts';

export interface RawCallersOptions {
  readonly url: string;
  subjectOf(session: number): string;
  readonly replyToHeader: string;
  readonly payload: Uint8Array;
  /** Whether a PubAck is asked and waited for. */
  readonly pubAck: boolean;
}

interface Pending {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  missing: number;
}

const ACK = 'a'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);
const ERROR_START = '{"error"';

export class RawCallers implements Caller {
  readonly #nc: NatsConnection;
  readonly #options: RawCallersOptions;
  readonly #inbox = `_INBOX.${randomBytes(12).toString('hex')}.`;
  readonly #pending = new Map<number, Pending>();
  #count = 0;
  /** Answers that overtook the PubAck of their own message. */
  overtakes = 0;

  private constructor(nc: NatsConnection, options: RawCallersOptions) {
    this.#nc = nc;
    this.#options = options;
    nc.subscribe(`${this.#inbox}*`, {
      callback: (error, msg) => {
        if (error === null) this.#receive(msg);
      },
    });
  }

  static async open(options: RawCallersOptions): Promise<RawCallers> {
    const callers = new RawCallers(await connectRaw(options.url, 'bench-callers'), options);
    await callers.#nc.flush();
    return callers;
  }

  call(session: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const { subjectOf, payload, replyToHeader, pubAck } = this.#options;
      const n = ++this.#count;
      const headers = asHeaders(`NATS/1.0\r\n${replyToHeader}: ${this.#inbox}r${n}\r\n\r\n`);
      this.#pending.set(n, { resolve, reject, missing: pubAck ? 2 : 1 });
      this.#nc.publish(subjectOf(session), payload, pubAck ? { headers, reply: `${this.#inbox}a${n}` } : { headers });
    });
  }

  close(): Promise<void> {
    return this.#nc.close();
  }

  #receive(msg: Msg): void {
    const subject = subjectBytes(msg);
    const from = this.#inbox.length;
    let n = 0;
    for (let i = from + 1; i < subject.length; i++) n = n * 10 + subject[i]! - ZERO;
    const pending = this.#pending.get(n);
    if (pending === undefined) return;
    const isAck = subject[from] === ACK;
    if (isAck && isRefusal(msg.data)) {
      this.#pending.delete(n);
      pending.reject(new Error(Buffer.from(msg.data).toString() || 'no stream takes the message'));
      return;
    }
    if (!isAck && pending.missing === 2) this.overtakes++;
    if (--pending.missing > 0) return;
    this.#pending.delete(n);
    pending.resolve();
  }
}

function isRefusal(data: Uint8Array): boolean {
  return data.length === 0 || Buffer.from(data.buffer, data.byteOffset, 8).toString('latin1') === ERROR_START;
}
