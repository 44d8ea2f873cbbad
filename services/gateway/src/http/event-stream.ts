/**
 * Server-sent events to one client.
 *
 * Invariants
 * 1. At most `bytesMax` wait for a slow reader; what comes then is dropped and counted, and the reader is told how much
 *    (`event: dropped`) as soon as there is room.
 * 2. A line break in data never ends an event: data is JSON, in one line. Ids and names are checked.
 * 3. It is ended once, by whichever side is first, and the source is stopped then.
 */
import type { ServerResponse } from 'node:http';
import { toJsonValue } from '@troupe/wire';

/** So that proxies and both sides notice a dead connection, ms. */
const HEARTBEAT_MS = 15_000;
const NAME_PATTERN = /^[a-z][a-z-]{0,31}$/;

export class EventStream {
  readonly #response: ServerResponse;
  readonly #bytesMax: number;
  readonly #onDrop: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #onEnd: (() => void)[] = [];
  #dropped = 0;
  #ended = false;

  constructor(response: ServerResponse, bytesMax: number, onDrop: () => void) {
    this.#response = response;
    this.#bytesMax = bytesMax;
    this.#onDrop = onDrop;
    this.#heartbeat = setInterval(() => this.#write(': still here\n\n'), HEARTBEAT_MS);
    response.on('close', () => this.end());
    response.on('drain', () => this.#tellDropped());
  }

  /** @param name `[a-z-]+` @param data anything; what JSON can't hold is shown as people expect it. */
  send(name: string, data: unknown, id?: string): void {
    this.sendText(name, JSON.stringify(toJsonValue(data)) ?? 'null', id);
  }

  /** As `send`, with data that is JSON already, in one line. */
  sendText(name: string, json: string, id?: string): void {
    if (this.#ended) return;
    if (this.#response.writableLength > this.#bytesMax) {
      this.#dropped++;
      this.#onDrop();
      return;
    }
    this.#tellDropped();
    const head = NAME_PATTERN.test(name) ? `event: ${name}\n` : '';
    const mark = id === undefined || /[\r\n\0]/.test(id) ? '' : `id: ${id}\n`;
    this.#write(`${head}${mark}data: ${json}\n\n`);
  }

  /** Called once it has ended, at once when it has already. */
  onEnd(listener: () => void): void {
    if (this.#ended) listener();
    else this.#onEnd.push(listener);
  }

  end(): void {
    if (this.#ended) return;
    this.#tellDropped();
    this.#ended = true;
    clearInterval(this.#heartbeat);
    this.#response.end();
    for (const listener of this.#onEnd) listener();
  }

  #tellDropped(): void {
    if (this.#dropped === 0 || this.#ended) return;
    this.#write(`event: dropped\ndata: ${JSON.stringify({ count: this.#dropped })}\n\n`);
    this.#dropped = 0;
  }

  #write(text: string): void {
    if (!this.#ended && !this.#response.destroyed) this.#response.write(text);
  }
}
