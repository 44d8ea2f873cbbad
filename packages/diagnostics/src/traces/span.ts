/** A span as it is exported: names, ids, times and codes, never what anybody said. */

/** What kind of work it was, by OpenTelemetry's names. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** A span that has ended. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Undefined: the first of its trace. */
  readonly parentId?: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  /** Unix ms, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  /** Undefined ones are left out. */
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Another span of the same trace that led to this one. */
  readonly link?: string | undefined;
  /** Code of the error it ended with. */
  readonly error?: string | undefined;
}
