/**
 * One life of an ephemeral, in-memory, no-ack consumer and the pull requests to it. It never heals: whatever goes wrong
 * ends it with a reason, and its owner makes another one behind the last message it has.
 *
 * Invariants
 * 1. Messages come in the consumer's order without a hole: the consumer's own sequence must grow by one each time, and
 *    its heartbeats must not be ahead of it.
 * 2. At most `readAheadMax` messages are asked for and not taken yet, and no more than its share. It begins with few.
 * 3. If neither a message nor a heartbeat comes for two heartbeat intervals while something is asked for, it ends.
 */
import type { Clock, Timer } from '@troupe/runtime';
import type { Msg, Subscription } from 'nats';
import { findHeader, statusOf, statusText } from './header-block.ts';
import type { ConsumerInfo, JsApi } from './js-api.ts';
import { headerText, replyBytes } from './message-bytes.ts';
import { type Delivery, readDelivery } from './stored-message.ts';

export interface PullConsumerOptions {
  readonly api: JsApi;
  readonly clock: Clock;
  readonly stream: string;
  /** Not used by any other consumer, ever. */
  readonly name: string;
  /** None: the whole stream. */
  readonly filters: readonly string[];
  /** First sequence wanted. */
  readonly fromSeq: number;
  readonly headersOnly?: boolean;
  /** Default 512. */
  readonly readAheadMax?: number;
  /** What it may ask for beside others that read at the same time, messages. Default: no limit. */
  readonly share?: () => number;
  /** The delivery is valid during the call only. */
  onMessage(msg: Msg, delivery: Delivery): void;
  /** It has ended; `fatal` when another one would end the same way. */
  onEnd(reason: string, fatal: boolean): void;
}

export const READ_AHEAD_MAX_DEFAULT = 512;
/** With a share, the first pull asks for so many, each further one for twice as many as the one before, up to the share. */
export const READ_AHEAD_FIRST = 64;
const PULL_EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 5_000;
/** The server forgets the consumer after this long without a pull request. */
const INACTIVE_MS = 60_000;
/** Least `max_bytes` of a pull; never less than two messages of the largest size, or a pull could end empty for ever. */
const PULL_BYTES_MIN = 1024 * 1024;
const NANOS_PER_MS = 1_000_000;
const encoder = new TextEncoder();

export class PullConsumer {
  readonly #options: PullConsumerOptions;
  readonly #subject: string;
  readonly #inbox: string;
  readonly #readAheadMax: number;
  readonly #bytesMax: number;
  #window: number;
  /** As of the last pull: it is reckoned over all that read, so not for every message. */
  #share: number;
  readonly #delivery: Delivery = { seq: 0, consumerSeq: 0, at: 0, pending: 0 };
  #subscription: Subscription | undefined;
  #watchdog: Timer | undefined;
  #state: 'opening' | 'open' | 'ended' = 'opening';
  #consumerSeq = 0;
  /** Messages asked for and not delivered yet. */
  #credit = 0;
  #pulls = 0;
  #heardAt = 0;
  /** Messages delivered and not taken by the owner yet. */
  #buffered = 0;

  constructor(options: PullConsumerOptions) {
    this.#options = options;
    this.#subject = options.api.nextSubject(options.stream, options.name);
    this.#inbox = options.api.connection.createInbox();
    this.#readAheadMax = options.readAheadMax ?? READ_AHEAD_MAX_DEFAULT;
    this.#window = options.share === undefined ? this.#readAheadMax : READ_AHEAD_FIRST;
    this.#share = this.#readAheadMax;
    this.#bytesMax = Math.max(PULL_BYTES_MIN, 2 * options.api.connection.payloadBytesMax);
  }

  /** Creates it on the server and asks for the first messages. Resolves with how many wait. Rejects with `PortError`. */
  async open(timeoutMs?: number): Promise<number> {
    const { api, stream, name, filters } = this.#options;
    const tail = filters.length === 1 ? `.${filters[0]}` : '';
    const verb = `CONSUMER.CREATE.${stream}.${name}${tail}`;
    const info = await api.call<ConsumerInfo>(
      verb,
      { stream_name: stream, config: this.#config(), action: '' },
      timeoutMs,
    );
    if (this.#state !== 'opening') return info.num_pending;
    this.#state = 'open';
    const callback = (error: Error | null, msg: Msg): void => {
      if (error === null) this.#receive(msg);
      else this.#end(`the subscription failed: ${error.message}`, true);
    };
    this.#subscription = api.connection.nc.subscribe(`${this.#inbox}.*`, { callback });
    this.#pull();
    this.#watch();
    return info.num_pending;
  }

  /** How many delivered messages the owner holds back; the less room, the less is asked for. */
  buffered(count: number): void {
    this.#buffered = count;
    if (this.#credit + count <= this.#limit / 2) this.#pull();
  }

  /** Stops without a word to the owner, and removes the consumer from the server. */
  async close(): Promise<void> {
    const opened = this.#state === 'open';
    this.#stop();
    if (opened) await this.#remove();
  }

  #config(): Record<string, unknown> {
    const { name, filters, fromSeq, headersOnly } = this.#options;
    return {
      name,
      ack_policy: 'none',
      replay_policy: 'instant',
      ...(fromSeq > 1 ? { deliver_policy: 'by_start_sequence', opt_start_seq: fromSeq } : { deliver_policy: 'all' }),
      ...(filters.length === 1 && { filter_subject: filters[0] }),
      ...(filters.length > 1 && { filter_subjects: filters }),
      ...(headersOnly === true && { headers_only: true }),
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: INACTIVE_MS * NANOS_PER_MS,
    };
  }

  get #limit(): number {
    return Math.min(this.#window, this.#share);
  }

  /** Invariant 2. */
  #pull(): void {
    this.#share = this.#options.share?.() ?? this.#readAheadMax;
    const batch = this.#limit - this.#credit - this.#buffered;
    if (this.#state !== 'open' || batch <= 0 || !this.#options.api.connection.connected) return;
    this.#window = Math.min(2 * this.#window, this.#readAheadMax);
    this.#credit += batch;
    const request = pullRequest(batch, this.#bytesMax);
    this.#options.api.connection.nc.publish(this.#subject, request, { reply: `${this.#inbox}.${++this.#pulls}` });
  }

  #receive(msg: Msg): void {
    if (this.#state !== 'open') return;
    this.#heardAt = this.#options.clock.monotonic();
    const delivery = this.#delivery;
    if (!readDelivery(replyBytes(msg), delivery)) {
      this.#receiveStatus(headerText(msg));
      return;
    }
    if (delivery.consumerSeq !== this.#consumerSeq + 1) {
      this.#end(`message ${this.#consumerSeq + 1} of the consumer was lost on the way`, false);
      return;
    }
    this.#consumerSeq = delivery.consumerSeq;
    this.#credit--;
    this.#options.onMessage(msg, delivery);
    if (this.#credit + this.#buffered <= this.#limit / 2) this.#pull();
  }

  #receiveStatus(block: string): void {
    const status = statusOf(block);
    const unused = findHeader(block, 'Nats-Pending-Messages');
    if (status === 100) {
      const last = Number(findHeader(block, 'Nats-Last-Consumer') ?? 0);
      if (last > this.#consumerSeq) this.#end(`messages up to ${last} of the consumer were lost on the way`, false);
    } else if ((status === 408 || status === 409) && unused !== undefined) {
      // This pull is over: it expired, or reached its bytes.
      this.#credit = Math.max(0, this.#credit - Number(unused));
      this.buffered(this.#buffered);
    } else this.#end(`the server ended it: ${status} ${statusText(block)}`, status === 400);
  }

  /** Invariant 3. */
  #watch(): void {
    this.#heardAt = this.#options.clock.monotonic();
    const check = (): void => {
      const silentMs = this.#options.clock.monotonic() - this.#heardAt;
      if (this.#credit > 0 && silentMs > 2 * HEARTBEAT_MS) {
        this.#end(`no message and no heartbeat for ${Math.round(silentMs)} ms`, false);
      } else this.#watchdog = this.#options.clock.setTimer(check, HEARTBEAT_MS);
    };
    this.#watchdog = this.#options.clock.setTimer(check, HEARTBEAT_MS);
  }

  #end(reason: string, fatal: boolean): void {
    if (this.#state === 'ended') return;
    this.#stop();
    void this.#remove();
    this.#options.onEnd(reason, fatal);
  }

  #stop(): void {
    this.#state = 'ended';
    this.#watchdog?.cancel();
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  /** Only tidiness: the server forgets it by itself. */
  async #remove(): Promise<void> {
    const { api, stream, name } = this.#options;
    if (!api.connection.connected) return;
    await api.call(`CONSUMER.DELETE.${stream}.${name}`, undefined, 1_000).catch(() => undefined);
  }
}

const requests = new Map<string, Uint8Array>();

/** The bytes of a pull request; nearly all ask for one of two counts. */
function pullRequest(batch: number, bytesMax: number): Uint8Array {
  const id = `${batch}/${bytesMax}`;
  const known = requests.get(id);
  if (known !== undefined) return known;
  const request = {
    batch,
    max_bytes: bytesMax,
    expires: PULL_EXPIRES_MS * NANOS_PER_MS,
    idle_heartbeat: HEARTBEAT_MS * NANOS_PER_MS,
  };
  const bytes = encoder.encode(JSON.stringify(request));
  if (requests.size < 1_024) requests.set(id, bytes);
  return bytes;
}
