/** Which traces are exported. The same trace id is decided in the same way by every process. */
import { sampledBy, type TraceContext, TroupeError } from '@troupe/wire';

/** Names of the standard's samplers that are known. */
export const SAMPLERS = [
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'always_on',
  'always_off',
  'traceidratio',
] as const;

/** Decides from the trace id and the context that came with it, if any did. */
export type Sampler = (traceId: string, trace: TraceContext | undefined) => boolean;

/** Hexadecimal digits of the trace id that are looked at: from the middle, since the last of a derived one is always 1. */
const FROM = 16;
const DIGITS = 12;

/**
 * A sampler by its standard name.
 *
 * @param name default `parentbased_always_on`: what the caller decided; without a decision, everything
 * @param ratio of `traceidratio`, 0 to 1; default 1
 * @throws TroupeError `ConfigInvalid` for a name or a ratio that isn't one.
 * @example createSampler('parentbased_traceidratio', '0.01')
 */
export function createSampler(name = 'parentbased_always_on', ratio = '1'): Sampler {
  if (!(SAMPLERS as readonly string[]).includes(name))
    throw new TroupeError('ConfigInvalid', `The sampler of traces is '${name}': use one of ${SAMPLERS.join(', ')}.`);
  const isParentBased = name.startsWith('parentbased_');
  const base = name.replace('parentbased_', '');
  const share = base === 'always_on' ? 1 : base === 'always_off' ? 0 : Number(ratio);
  if (!(share >= 0 && share <= 1))
    throw new TroupeError('ConfigInvalid', `The ratio of traces is '${ratio}': use a number from 0 to 1.`);
  const limit = share * 16 ** DIGITS;
  return (traceId, trace) => {
    const decided = isParentBased ? sampledBy(trace) : undefined;
    return decided ?? Number.parseInt(traceId.slice(FROM, FROM + DIGITS), 16) < limit;
  };
}
