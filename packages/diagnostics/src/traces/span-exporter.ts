/**
 * Sends spans to a collector through OpenTelemetry's SDK, and never at the expense of the work. Loaded by `loadSpanExporter`.
 *
 * Invariants
 * 1. At most `queueMax` spans wait; more are dropped and counted.
 * 2. Each batch has a deadline, within which a collector that is busy or gone is asked again. What it didn't take until
 *    then, or refused, is dropped and counted.
 * 3. Problems are told once per outage, never per span. Nothing is thrown.
 */
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter as OtelExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import {
  SPAN_BATCH_MAX,
  SPAN_EVERY_MS,
  SPAN_QUEUE_MAX,
  SPAN_TIMEOUT_MS,
  type SpanExporterOptions,
} from './load-span-exporter.ts';
import { readableSpan } from './readable-span.ts';
import type { Span } from './span.ts';

type ExportDone = Parameters<OtelExporter['export']>[1];
type ExportResult = Parameters<ExportDone>[0];

/** Made by what `loadSpanExporter` returns. */
export class SpanExporter {
  /** Taken by the collector since the start. */
  exported = 0;
  /** Dropped since the start: no room, or not taken. */
  dropped = 0;

  readonly #options: SpanExporterOptions;
  readonly #resource: Resource;
  readonly #inner: OtelExporter;
  readonly #protocol: string;
  readonly #processor: BatchSpanProcessor;
  readonly #queueMax: number;
  readonly #timeoutMs: number;
  #waiting = 0;
  #underWay = 0;
  #inTrouble = false;
  #closed = false;

  /** @param protocol named in messages */
  constructor(options: SpanExporterOptions, inner: OtelExporter, protocol: string) {
    this.#options = options;
    this.#protocol = protocol;
    this.#inner = inner;
    this.#queueMax = options.queueMax ?? SPAN_QUEUE_MAX;
    this.#timeoutMs = options.timeoutMs ?? SPAN_TIMEOUT_MS;
    this.#resource = defaultResource().merge(resourceFromAttributes(options.resource));
    this.#processor = new BatchSpanProcessor({
      exporter: { export: (spans, done) => this.#export(spans, done), shutdown: () => inner.shutdown() },
      maxQueueSize: this.#queueMax,
      maxExportBatchSize: Math.min(SPAN_BATCH_MAX, this.#queueMax),
      scheduledDelayMillis: options.everyMs ?? SPAN_EVERY_MS,
      // Behind the transport's own deadline, which is told with a reason.
      exportTimeoutMillis: this.#timeoutMs * 2,
    });
  }

  /** Spans that wait, those under way not counted. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Takes a span. @returns false when it was dropped. Invariant 1. */
  add(span: Span): boolean {
    // Counted here and not left to the processor, which tells nobody how many it dropped.
    if (this.#closed || this.#waiting >= this.#queueMax) {
      this.dropped++;
      return false;
    }
    this.#waiting++;
    this.#processor.onEnd(readableSpan(span, this.#resource));
    return true;
  }

  /** Sends what waits now. Resolves also when the collector doesn't take it. */
  async flush(): Promise<void> {
    await this.#processor.forceFlush().catch(() => undefined); // Invariant 3: told and counted where it happened.
  }

  /** Sends what waits, at most one batch's deadline long, and takes no more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#timeoutMs);
    });
    await Promise.race([this.#end(), late]);
    clearTimeout(timer);
    this.dropped += this.#waiting + this.#underWay;
    this.#waiting = 0;
    this.#underWay = 0;
  }

  /** The processor's own end comes with the first batch that fails; the exporter's with the last. */
  async #end(): Promise<void> {
    await this.#processor.shutdown().catch(() => undefined);
    await this.#inner.shutdown().catch(() => undefined);
  }

  #export(spans: ReadableSpan[], done: ExportDone): void {
    this.#waiting -= spans.length;
    this.#underWay += spans.length;
    this.#inner.export(spans, (result) => {
      // After the end of `close` they are counted already.
      if (this.#underWay > 0) this.#ended(spans.length, result);
      done(result);
    });
  }

  #ended(count: number, { code, error }: ExportResult): void {
    this.#underWay -= count;
    const isTaken = code === SUCCESS;
    if (isTaken) this.exported += count;
    else this.dropped += count;
    if (isTaken || this.#inTrouble) {
      this.#inTrouble = !isTaken;
      return;
    }
    this.#inTrouble = true;
    const { url, onProblem } = this.#options;
    onProblem?.(
      `The collector of traces at ${placeOf(url)} ${seenIn(error)}: look whether it runs and takes OTLP as ${this.#protocol}.`,
    );
  }
}

/** `ExportResultCode.SUCCESS`, of a package that we don't depend on. */
const SUCCESS = 0;

/** A status or a code; neither the collector's body nor anything of the request. */
function seenIn(error: Error | undefined): string {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: string };
  if (typeof code === 'number') return `answered ${code}`;
  return typeof code === 'string' ? `can't be reached (${code})` : `took no spans (${message ?? 'no reason given'})`;
}

/** Without credentials and queries. */
function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
