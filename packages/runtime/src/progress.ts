/**
 * Publishing what running turns tell of themselves (`progress()`), on `<prefix>.stream.<type>.<key>.<task id>`.
 *
 * Invariants
 * 1. It costs the worker a bounded share: at most `PER_SECOND_MAX` chunks and `BYTES_PER_SECOND_MAX` bytes a second, with bursts
 *    of as much, over all its effects. What is beyond, or over `CHUNK_BYTES_MAX`, or without a connection, is left out and
 *    counted, never queued.
 * 2. Chunks of one run of an effect are numbered from 1; those left out use up their number, so that a reader sees the gap.
 * 3. Once the turn that opened the effect has ended, nothing more of it is published: whoever listens has gone.
 * 4. Never throws at the agent's code.
 */
import { type ActorAddress, encodePayload, HEADERS, type Subjects } from '@troupe/wire';
import type { BusPort, Clock } from './ports.ts';

/** Chunks a second. */
export const PER_SECOND_MAX = 20_000;
export const BYTES_PER_SECOND_MAX = 16 * 1_048_576;
export const CHUNK_BYTES_MAX = 65_536;

/** An effect whose progress is told. */
export interface ProgressSource {
  readonly address: ActorAddress;
  readonly effectId: string;
  /** The task of the turn that opened it, while that turn is open. */
  taskId(): string | undefined;
}

export class ProgressPublisher {
  readonly #bus: BusPort;
  readonly #subjects: Subjects;
  readonly #clock: Clock;
  #chunksLeft = PER_SECOND_MAX;
  #bytesLeft = BYTES_PER_SECOND_MAX;
  #filledAtMs: number;
  #published = 0;
  #dropped = 0;

  constructor(bus: BusPort, subjects: Subjects, clock: Clock) {
    this.#bus = bus;
    this.#subjects = subjects;
    this.#clock = clock;
    this.#filledAtMs = clock.monotonic();
  }

  get published(): number {
    return this.#published;
  }

  /** Chunks that were left out although their turn was open. */
  get dropped(): number {
    return this.#dropped;
  }

  /** What `progress()` does inside one run of an effect. */
  of(source: ProgressSource): (chunk: unknown) => boolean {
    let n = 0;
    return (chunk) => {
      const taskId = source.taskId();
      if (taskId === undefined) return false;
      n++;
      const sent = this.#publish(source, taskId, n, chunk);
      if (sent) this.#published++;
      else this.#dropped++;
      return sent;
    };
  }

  #publish({ address, effectId }: ProgressSource, taskId: string, n: number, chunk: unknown): boolean {
    if (!this.#bus.connected) return false;
    try {
      const contentType = typeof chunk === 'string' ? 'text/plain' : 'application/json';
      const payload = encodePayload(chunk, contentType);
      if (payload.length > CHUNK_BYTES_MAX || !this.#take(payload.length)) return false;
      this.#bus.publish(this.#subjects.stream(address, taskId), payload, {
        [HEADERS.contentType]: contentType,
        [HEADERS.streamSeq]: `${n}`,
        [HEADERS.effectId]: effectId.replace(/[\r\n]/g, ' '),
      });
      return true;
    } catch {
      // A value that can't be written, or a port that is closing.
      return false;
    }
  }

  /** Invariant 1. */
  #take(bytes: number): boolean {
    const nowMs = this.#clock.monotonic();
    const share = Math.max(0, nowMs - this.#filledAtMs) / 1_000;
    this.#filledAtMs = nowMs;
    this.#chunksLeft = Math.min(PER_SECOND_MAX, this.#chunksLeft + share * PER_SECOND_MAX);
    this.#bytesLeft = Math.min(BYTES_PER_SECOND_MAX, this.#bytesLeft + share * BYTES_PER_SECOND_MAX);
    if (this.#chunksLeft < 1 || this.#bytesLeft < bytes) return false;
    this.#chunksLeft -= 1;
    this.#bytesLeft -= bytes;
    return true;
  }
}
