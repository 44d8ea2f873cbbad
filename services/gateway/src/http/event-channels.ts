/**
 * Where events come from before they go to readers, kept for a while so that a reader whose connection was cut goes on where it
 * was (`Last-Event-ID`).
 *
 * Invariants
 * 1. A reader gets what came after the event that it names, without a hole, or it is told that there is one (`event: gap`).
 * 2. A source outlives its last reader by `resumeMs` and no longer; at most `IDLE_MAX` do, the longest without a reader go first.
 * 3. Kept are at most `CHANNEL_BYTES_MAX` of a channel and `resumeBytesMax` of all; the oldest go first.
 * 4. After its end (`end()`) a channel takes nothing more, and readers end with it.
 */
import { toJsonValue } from '@troupe/wire';
import type { EventStream } from './event-stream.ts';

/** Channels that nobody reads at the moment. */
const IDLE_MAX = 256;
const CHANNEL_BYTES_MAX = 1_048_576;
/** What an entry costs beside its text, bytes. */
const ENTRY_BYTES = 100;
/** Id of the event that ends a stream: a client that comes back with it has seen everything. */
export const END_ID = 'end';

export interface ChannelLimits {
  /** How long events are kept for a reader that went away, ms. */
  readonly resumeMs: number;
  /** Bytes kept for such readers, of all channels together. */
  readonly resumeBytesMax: number;
}

/** What a source pushes into. */
export interface ChannelInput {
  /** @param id names the event for `Last-Event-ID`; one that comes twice is found where it came first. */
  push(name: string, data: unknown, id?: string): void;
  /** The last event, and the end. */
  end(name: string, data: unknown): void;
}

/** Starts to listen, and returns how to stop. Called once per channel. */
export type ChannelSource = (channel: ChannelInput) => () => void;

interface Entry {
  readonly name: string;
  readonly text: string;
  readonly id: string | undefined;
  readonly bytes: number;
}

export class EventChannels {
  readonly #limits: ChannelLimits;
  readonly #channels = new Map<string, Channel>();
  #bytes = 0;

  constructor(limits: ChannelLimits) {
    this.#limits = limits;
  }

  /** Channels that are open, with readers and without. */
  get size(): number {
    return this.#channels.size;
  }

  /** Whether a reader could go on under this name. */
  has(key: string): boolean {
    return this.#channels.has(key);
  }

  /**
   * Lets a reader read, from the source that is open under this name, else from a new one.
   *
   * @param lastId what the reader has seen last; undefined: from now on.
   * @returns how to stop reading.
   */
  read(key: string, source: ChannelSource, stream: EventStream, lastId: string | undefined): () => void {
    const known = this.#channels.get(key);
    const channel = known ?? new Channel((bytes) => this.#count(bytes));
    channel.attach(stream, lastId);
    if (known === undefined) {
      this.#channels.set(key, channel);
      channel.start(source);
    }
    return () => this.#left(key, channel, stream);
  }

  /** Tells every reader that something may be missing: the connection to the server was cut. */
  gap(): void {
    for (const channel of this.#channels.values()) channel.push('gap', { reason: 'the gateway was cut off from NATS' });
  }

  close(): void {
    for (const key of [...this.#channels.keys()]) this.#remove(key);
  }

  /** Invariant 2. */
  #left(key: string, channel: Channel, stream: EventStream): void {
    channel.detach(stream);
    if (channel.read || this.#channels.get(key) !== channel) return;
    channel.expire(this.#limits.resumeMs, () => this.#remove(key));
    // Behind those that are without a reader for longer.
    this.#channels.delete(key);
    this.#channels.set(key, channel);
    const idle = [...this.#channels].filter(([, { read }]) => !read);
    for (const [old] of idle.slice(0, Math.max(0, idle.length - IDLE_MAX))) this.#remove(old);
  }

  #remove(key: string): void {
    const channel = this.#channels.get(key);
    this.#channels.delete(key);
    channel?.close();
  }

  /** Invariant 3. */
  #count(bytes: number): void {
    this.#bytes += bytes;
    if (bytes <= 0) return;
    for (const channel of this.#channels.values()) {
      while (this.#bytes > this.#limits.resumeBytesMax && channel.forgetOldest());
      if (this.#bytes <= this.#limits.resumeBytesMax) return;
    }
  }
}

class Channel implements ChannelInput {
  readonly #onBytes: (bytes: number) => void;
  readonly #readers = new Set<EventStream>();
  #entries: Entry[] = [];
  /** Where the kept ones begin; those before it are forgotten. */
  #from = 0;
  #bytes = 0;
  #last: Entry | undefined;
  #stop: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(onBytes: (bytes: number) => void) {
    this.#onBytes = onBytes;
  }

  get read(): boolean {
    return this.#readers.size > 0;
  }

  start(source: ChannelSource): void {
    const stop = source(this);
    if (this.#closed || this.#last !== undefined) stop();
    else this.#stop = stop;
  }

  push(name: string, data: unknown, id?: string): void {
    if (this.#last !== undefined || this.#closed) return;
    const text = JSON.stringify(toJsonValue(data)) ?? 'null';
    const bytes = 2 * text.length + ENTRY_BYTES;
    const entry: Entry = { name, text, id, bytes };
    this.#entries.push(entry);
    this.#bytes += bytes;
    for (const reader of this.#readers) reader.sendText(name, text, id);
    while (this.#bytes > CHANNEL_BYTES_MAX && this.forgetOldest());
    this.#onBytes(bytes);
  }

  /** Invariant 4. */
  end(name: string, data: unknown): void {
    if (this.#last !== undefined || this.#closed) return;
    this.push(name, data, END_ID);
    this.#last = { name, text: JSON.stringify(toJsonValue(data)) ?? 'null', id: END_ID, bytes: 0 };
    this.#stop?.();
    this.#stop = undefined;
    for (const reader of [...this.#readers]) reader.end();
  }

  /** Invariant 1. */
  attach(stream: EventStream, lastId: string | undefined): void {
    clearTimeout(this.#timer);
    this.#readers.add(stream);
    if (lastId !== undefined) this.#replay(stream, lastId);
    else if (this.#last !== undefined) stream.sendText(this.#last.name, this.#last.text, END_ID);
    if (this.#last !== undefined) stream.end();
  }

  detach(stream: EventStream): void {
    this.#readers.delete(stream);
  }

  expire(afterMs: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, afterMs);
    this.#timer.unref();
  }

  /** @returns false when there is nothing to forget. */
  forgetOldest(): boolean {
    const entry = this.#entries[this.#from];
    if (entry === undefined) return false;
    this.#from++;
    if (this.#from > 1_024 && 2 * this.#from > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#from);
      this.#from = 0;
    }
    this.#bytes -= entry.bytes;
    this.#onBytes(-entry.bytes);
    return true;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stop?.();
    this.#onBytes(-this.#bytes);
    this.#entries = [];
    this.#from = 0;
    this.#bytes = 0;
    for (const reader of [...this.#readers]) reader.end();
  }

  #replay(stream: EventStream, lastId: string): void {
    const kept = this.#entries.slice(this.#from);
    const at = kept.findIndex(({ id }) => id === lastId);
    if (at === -1) stream.send('gap', { reason: 'what came after that event is no longer known here' });
    for (const { name, text, id } of kept.slice(at + 1)) stream.sendText(name, text, id);
    const hasEnd = kept.at(-1)?.id === END_ID;
    if (this.#last !== undefined && !hasEnd) stream.sendText(this.#last.name, this.#last.text, END_ID);
  }
}
