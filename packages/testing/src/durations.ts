/** Durations as tests write them. */
import { parseDuration } from '@troupe/wire';

/** Milliseconds, or `250ms`, `30s`, `5m`, `24h`, `7d`. */
export type Duration = number | string;

/** @throws RangeError naming what was seen. @example toMs('24h') // 86_400_000 */
export function toMs(duration: Duration): number {
  const ms = typeof duration === 'number' ? duration : parseDuration(duration);
  if (ms !== undefined && Number.isFinite(ms) && ms >= 0) return ms;
  throw new RangeError(`${JSON.stringify(duration)} is no duration: write ms as a number, or 250ms, 30s, 5m, 24h, 7d.`);
}
