/**
 * Our spans in the form that OpenTelemetry's SDK exports. Loaded only when spans are exported.
 *
 * The SDK's own tracer is not asked for them: it draws span ids at random, and ours follow from what they name.
 */
import { type HrTime, type SpanContext, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Span, SpanKind as SpanKindName } from './span.ts';

/** Longer texts are cut, UTF-16 units. */
export const ATTRIBUTE_LENGTH_MAX = 256;

const KINDS: Readonly<Record<SpanKindName, SpanKind>> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};
const SCOPE = { name: 'troupe' };
const MS_PER_S = 1e3;
const NS_PER_MS = 1e6;

/** @param resource what the process says of itself */
export function readableSpan(span: Span, resource: Resource): ReadableSpan {
  const { traceId, spanId, parentId, name, kind, startMs, endMs, attributes, link, error } = span;
  const contextOf = (id: string): SpanContext => ({ traceId, spanId: id, traceFlags: TraceFlags.SAMPLED });
  const context = contextOf(spanId);
  const lastMs = Math.max(startMs, endMs);
  return {
    name: cut(name),
    kind: KINDS[kind],
    spanContext: () => context,
    ...(parentId === undefined ? {} : { parentSpanContext: contextOf(parentId) }),
    startTime: timeOf(startMs),
    endTime: timeOf(lastMs),
    duration: timeOf(lastMs - startMs),
    ended: true,
    status: error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: cut(error) },
    attributes: attributesOf(attributes),
    links: link === undefined ? [] : [{ context: contextOf(link) }],
    events: [],
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function attributesOf(attributes: Span['attributes']): Record<string, string | number | boolean> {
  const kept: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined) kept[key] = typeof value === 'string' ? cut(value) : value;
  return kept;
}

/** Seconds and nanoseconds: whole nanoseconds since 1970 don't fit into a number. */
function timeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / MS_PER_S);
  const nanos = Math.round((ms - seconds * MS_PER_S) * NS_PER_MS);
  return nanos === MS_PER_S * NS_PER_MS ? [seconds + 1, 0] : [seconds, nanos];
}

function cut(text: string): string {
  return text.length > ATTRIBUTE_LENGTH_MAX ? `${text.slice(0, ATTRIBUTE_LENGTH_MAX - 1)}…` : text;
}
