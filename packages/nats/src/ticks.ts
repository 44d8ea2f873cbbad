/**
 * The tick port on JetStream scheduled messages. `tick.set.<partition>.<epoch>.<type>.<key>` holds the schedule, and the
 * server writes `tick.due.` with the same tail when it is due (measured 2 to 262 ms late, never early). Setting it again
 * moves it; purging the subject cancels it.
 *
 * Invariants
 * 1. One message per subject: at most one wake-up pending and one due per actor and epoch. An owner whose time has passed
 *    can move or cancel its own only.
 * 2. No message ids: a repeated id would silently set nothing.
 * 3. What is due stays in the stream until `remove`, and is handed over again by every new consumer and every
 *    `REPEAT_MS`.
 */
import type { Clock, TickPort } from '@troupe/runtime';
import { type ActorAddress, decodeKey } from '@troupe/wire';
import type { NatsConfig } from './config.ts';
import { trustedHeaders } from './header-block.ts';
import type { JsApi } from './js-api.ts';
import { apiPortError } from './port-error.ts';
import { type DueTick, TickFeed } from './tick-feed.ts';

const EMPTY = new Uint8Array(0);
/** Schedules read at once by `list`. */
const READS_AT_ONCE = 64;

export class NatsTicks implements TickPort {
  readonly #api: JsApi;
  readonly #config: NatsConfig;
  readonly #feed: TickFeed;

  constructor(api: JsApi, config: NatsConfig, clock: Clock) {
    this.#api = api;
    this.#config = config;
    this.#feed = new TickFeed(api, config, clock);
  }

  async schedule(partition: number, address: ActorAddress, dueAt: number, epoch = 0): Promise<void> {
    const { subjects } = this.#config;
    const headers = trustedHeaders({
      'Nats-Schedule': `@at ${new Date(Math.max(0, Math.ceil(dueAt))).toISOString()}`,
      'Nats-Schedule-Target': subjects.tickDue(partition, epoch, address),
    });
    const subject = subjects.tickSet(partition, epoch, address);
    const ack = await this.#api.publish(subject, EMPTY, headers);
    if (!ack.ok) throw apiPortError(`setting ${subject}`, ack.error);
  }

  async cancel(partition: number, address: ActorAddress, epoch = 0): Promise<void> {
    await this.#api.purge(this.#config.streams.ticks, this.#config.subjects.tickSet(partition, epoch, address));
  }

  read(partition: number, onDue: (due: DueTick) => void): Promise<{ close(): Promise<void> }> {
    return this.#feed.read(partition, onDue);
  }

  async remove(_partition: number, token: number): Promise<void> {
    await this.#api.deleteMessage(this.#config.streams.ticks, token);
    this.#feed.removed(token);
  }

  async *list(filter: { readonly address?: ActorAddress }): AsyncIterable<{ address: ActorAddress; dueAt: number }> {
    const { address } = filter;
    const { subjects, streams } = this.#config;
    const tail = address === undefined ? '*.*' : subjects.task(address).slice(subjects.prefix.length + '.task.'.length);
    let page: string[] = [];
    for await (const subject of this.#api.subjects(streams.ticks, `${subjects.prefix}.tick.set.*.*.${tail}`)) {
      page.push(subject);
      if (page.length < READS_AT_ONCE) continue;
      yield* await this.#readSchedules(page);
      page = [];
    }
    yield* await this.#readSchedules(page);
  }

  close(): Promise<void> {
    return this.#feed.close();
  }

  async #readSchedules(page: readonly string[]): Promise<{ address: ActorAddress; dueAt: number }[]> {
    const stored = await Promise.all(page.map((subject) => this.#api.readLast(this.#config.streams.ticks, subject)));
    return stored.flatMap((message) => {
      if (message === undefined) return [];
      const dueAt = Date.parse(message.header('Nats-Schedule')?.replace(/^@at /, '') ?? '');
      return [{ address: addressOf(message.subject), dueAt }];
    });
  }
}

/** The last two tokens. */
function addressOf(subject: string): ActorAddress {
  const [type, keyToken] = subject.split('.').slice(-2) as [string, string];
  return { type, key: decodeKey(keyToken) };
}
