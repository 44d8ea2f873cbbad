/** The way to a collector of traces. OpenTelemetry's packages are loaded here and only when asked: who exports nothing has none in memory. */
import type { SpanExporter } from './span-exporter.ts';

/** Spans that may wait. */
export const SPAN_QUEUE_MAX = 2_048;
/** Spans of one request. */
export const SPAN_BATCH_MAX = 512;
/** How long spans are collected before they are sent, ms. */
export const SPAN_EVERY_MS = 1_000;
/** How long a batch may take, repeats included, ms. */
export const SPAN_TIMEOUT_MS = 10_000;

/** Encodings of OTLP over HTTP, by the standard's names. */
export const OTLP_PROTOCOLS = ['http/protobuf', 'http/json'] as const;

/** One of `OTLP_PROTOCOLS`. */
export type OtlpProtocol = (typeof OTLP_PROTOCOLS)[number];

/** What an exporter of spans is given. */
export interface SpanExporterOptions {
  /** Where spans are sent, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  /** Further headers, such as an API key. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the process says of itself, such as `service.name`. */
  readonly resource: Readonly<Record<string, string | number | boolean>>;
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
 * Loads what exports spans.
 *
 * @param protocol how they are written; default `http/protobuf`
 * @returns makes exporters; nothing is sent before there are spans.
 * @example
 * const openExporter = await loadSpanExporter('http/json');
 * const exporter = openExporter({
 *   url: 'http://127.0.0.1:4318/v1/traces',
 *   resource: { 'service.name': 'orders' },
 * });
 * exporter.add(span);
 * await exporter.close();
 */
export async function loadSpanExporter(
  protocol: OtlpProtocol = 'http/protobuf',
): Promise<(options: SpanExporterOptions) => SpanExporter> {
  const [{ OTLPTraceExporter }, own] = await Promise.all([
    protocol === 'http/json'
      ? import('@opentelemetry/exporter-trace-otlp-http')
      : import('@opentelemetry/exporter-trace-otlp-proto'),
    import('./span-exporter.ts'),
  ]);
  return (options) => {
    const { url, headers, timeoutMs = SPAN_TIMEOUT_MS } = options;
    const inner = new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs });
    return new own.SpanExporter(options, inner, protocol);
  };
}
