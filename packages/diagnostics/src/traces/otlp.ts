/** Spans in the JSON of the OpenTelemetry protocol (OTLP/HTTP, `application/json`). */
import { SPAN_KIND, type Span } from './span.ts';

/** Longer texts are cut, UTF-16 units. */
export const ATTRIBUTE_LENGTH_MAX = 256;

const NS_PER_MS = 1_000_000n;
const STATUS_ERROR = 2;

/** What the process says of itself, such as `service.name`. */
export type Resource = Readonly<Record<string, string | number | boolean>>;

/**
 * The body of one export.
 *
 * @example otlpOf({ 'service.name': 'orders' }, spans)
 */
export function otlpOf(resource: Resource, spans: readonly Span[]): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope: { name: 'troupe' }, spans: spans.map(spanOf) }],
      },
    ],
  };
}

function spanOf({ traceId, spanId, parentId, name, kind, startMs, endMs, attributes, link, error }: Span): object {
  return {
    traceId,
    spanId,
    ...(parentId === undefined ? {} : { parentSpanId: parentId }),
    name: cut(name),
    kind: SPAN_KIND[kind],
    startTimeUnixNano: nanosOf(startMs),
    endTimeUnixNano: nanosOf(Math.max(startMs, endMs)),
    attributes: attributesOf(attributes),
    ...(link === undefined ? {} : { links: [{ traceId, spanId: link }] }),
    ...(error === undefined ? {} : { status: { code: STATUS_ERROR, message: cut(error) } }),
  };
}

function attributesOf(attributes: Span['attributes']): object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyOf(value) }],
  );
}

function anyOf(value: Resource[string]): object {
  if (typeof value === 'string') return { stringValue: cut(value) };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** Whole nanoseconds don't fit into a number. */
function nanosOf(ms: number): string {
  const whole = Math.floor(ms);
  return String(BigInt(whole) * NS_PER_MS + BigInt(Math.round((ms - whole) * 1e6)));
}

function cut(text: string): string {
  return text.length > ATTRIBUTE_LENGTH_MAX ? `${text.slice(0, ATTRIBUTE_LENGTH_MAX - 1)}…` : text;
}
