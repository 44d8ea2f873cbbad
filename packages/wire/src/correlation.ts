/**
 * What belongs together across actors: one correlation id for everything that one entry caused, whoever did it.
 *
 * It is the trace id of the W3C trace context. Where a client sent none, the id is derived from the entry that began it
 * all, so that it costs nothing to have one, is the same at every replay, and can be found again in old journals.
 */
import { type ActorAddress, formatAddress } from './address.ts';
import { hash53 } from './hash.ts';
import type { TraceContext } from './record.ts';

/**
 * The correlation id of what an entry began: 32 hexadecimal digits.
 *
 * @example correlationId({ type: 'order', key: '42' }, 17).length // 32
 */
export function correlationId(address: ActorAddress, seq: number): string {
  return hexOf(`${formatAddress(address)}@${seq}`, 3, 32);
}

/** The correlation id that a trace context carries; undefined without one. */
export function correlationOf(trace: TraceContext | undefined): string | undefined {
  return trace?.traceparent.slice(3, 35);
}

/**
 * The trace context of a message that was caused by an entry without one. Not sampled: it is there to be followed in
 * journals, not to be exported.
 *
 * @param effectId global id of the effect that the message is
 */
export function derivedTrace(address: ActorAddress, seq: number, effectId: string): TraceContext {
  return { traceparent: `00-${correlationId(address, seq)}-${spanIdOf(effectId)}-00` };
}

/**
 * The span id of an entry (`<type>/<key>@<seq>`), a turn or an effect (its global id): 16 hexadecimal digits. Whoever
 * names the same thing names the same span, in whatever process and at every repeat, and nobody has to remember it.
 *
 * @example spanIdOf('order/42@17.0').length // 16
 */
export function spanIdOf(name: string): string {
  return hexOf(name, 2, 16);
}

/** The span that sent a trace context; undefined without one. */
export function parentSpanOf(trace: TraceContext | undefined): string | undefined {
  return trace?.traceparent.slice(36, 52);
}

/**
 * Whether somebody decided that this trace is exported (true) or not (false); undefined when nobody did: without a
 * context, or with one that was derived. One in 256 contexts that somebody decided against looks like a derived one.
 */
export function sampledBy(trace: TraceContext | undefined): boolean | undefined {
  if (trace === undefined) return undefined;
  const { traceparent } = trace;
  if ((Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1) return true;
  return traceparent[34] === '1' && traceparent[51] === '1' ? undefined : false;
}

/** Never all zeros, which the standard forbids. */
function hexOf(text: string, parts: number, length: number): string {
  let hex = '';
  for (let i = 0; i < parts; i++)
    hex += hash53(text, i + 1)
      .toString(16)
      .padStart(14, '0');
  return `${hex.slice(0, length - 1)}1`;
}
