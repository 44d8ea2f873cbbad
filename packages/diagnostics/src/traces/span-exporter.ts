/**
 * Sends spans to a collector, and never at the expense of the work.
 *
 * Invariants
 * 1. At most `queueMax` spans wait; more are dropped and counted.
 * 2. One request is under way at most, and each has a deadline.
 * 3. What a collector that is busy or gone did not take waits for the next time; what it refused is dropped and counted.
 * 4. Problems are told once per outage, never per span. Nothing is thrown.
 */
import { otlpOf, type Resource } from './otlp.ts';
import type { Span } from './span.ts';

/** Spans that may wait. */
export const SPAN_QUEUE_MAX = 2_048;
/** Spans of one request. */
export const SPAN_BATCH_MAX = 512;
/** How long spans are collected before they are sent, ms. */
export const SPAN_EVERY_MS = 1_000;
/** How long a request may take, ms. */
export const SPAN_TIMEOUT_MS = 10_000;

/** What `SpanExporter` is given. */
export interface SpanExporterOptions {
  /** Where spans are sent, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  /** Further headers, such as an API key. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly resource: Resource;
  /** Default `SPAN_QUEUE_MAX`. */
  readonly queueMax?: number;
  /** Default `SPAN_EVERY_MS`. */
  readonly everyMs?: number;
  /** Default `SPAN_TIMEOUT_MS`. */
  readonly timeoutMs?: number;
  /** Told once when a collector stops taking spans, with what was seen. */
  readonly onProblem?: (message: string) => void;
}

/**
 * @example
 * const exporter = new SpanExporter({ url: 'http://127.0.0.1:4318/v1/traces', resource: { 'service.name': 'orders' } });
 * exporter.add(span);
 * await exporter.close();
 */
export class SpanExporter {
  /** Taken by the collector since the start. */
  exported = 0;
  /** Dropped since the start: no room, or refused. */
  dropped = 0;

  readonly #options: SpanExporterOptions;
  readonly #queueMax: number;
  #queue: Span[] = [];
  #sending: Promise<boolean> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #inTrouble = false;
  #closed = false;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
    this.#queueMax = options.queueMax ?? SPAN_QUEUE_MAX;
  }

  /** Spans that wait, those under way not counted. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Takes a span. @returns false when it was dropped. Invariant 1. */
  add(span: Span): boolean {
    if (this.#closed || this.#queue.length >= this.#queueMax) {
      this.dropped++;
      return false;
    }
    this.#queue.push(span);
    this.#schedule();
    return true;
  }

  /** Sends what waits now, until the collector takes no more. */
  async flush(): Promise<void> {
    do {
      if (!(await this.#send())) return;
    } while (this.#queue.length > 0);
  }

  /** Sends what waits, at most one request's deadline long, and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#timeoutMs);
    });
    await Promise.race([this.flush(), late]);
    clearTimeout(timer);
    this.dropped += this.#queue.length;
    this.#queue = [];
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? SPAN_TIMEOUT_MS;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.flush().then(() => {
        if (this.#queue.length > 0) this.#schedule();
      });
    }, this.#options.everyMs ?? SPAN_EVERY_MS);
    this.#timer.unref();
  }

  /** Invariant 2. @returns whether the collector is there. */
  #send(): Promise<boolean> {
    this.#sending ??= this.#sendBatch().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #sendBatch(): Promise<boolean> {
    const batch = this.#queue.splice(0, SPAN_BATCH_MAX);
    if (batch.length === 0) return true;
    const { url, headers, resource } = this.#options;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(otlpOf(resource, batch)),
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      await response.arrayBuffer();
      if (response.ok) {
        this.#inTrouble = false;
        this.exported += batch.length;
        return true;
      }
      const isBusy = response.status === 429 || response.status >= 500;
      this.#failed(batch, isBusy, `answered ${response.status}`);
    } catch (error) {
      const { cause } = error as { readonly cause?: { readonly code?: string } };
      this.#failed(batch, true, cause?.code ?? (error instanceof Error ? error.message : String(error)));
    }
    return false;
  }

  /** Invariants 3 and 4. */
  #failed(batch: Span[], again: boolean, seen: string): void {
    const room = again ? Math.max(0, this.#queueMax - this.#queue.length) : 0;
    const kept = batch.slice(0, room);
    this.dropped += batch.length - kept.length;
    this.#queue = [...kept, ...this.#queue];
    if (this.#inTrouble) return;
    this.#inTrouble = true;
    const { url, onProblem } = this.#options;
    onProblem?.(
      `The collector of traces at ${placeOf(url)} ${seen}: look whether it runs and takes OTLP/HTTP in JSON.`,
    );
  }
}

/** Without credentials and queries. */
function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
