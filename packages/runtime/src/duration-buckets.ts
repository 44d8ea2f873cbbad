/** Durations in buckets, as metrics tell them. */

/** Upper bounds, seconds; what takes longer stands in a bucket of its own behind them. */
export const DURATION_BUCKETS_S: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/** Buckets with nothing in them. */
export function noDurations(): number[] {
  return new Array<number>(DURATION_BUCKETS_S.length + 1).fill(0);
}

/** @param into `seconds` is the sum of all that were counted */
export function countDuration(into: { seconds: number; readonly buckets: number[] }, durationMs: number): void {
  const seconds = durationMs / 1_000;
  into.seconds += seconds;
  const at = DURATION_BUCKETS_S.findIndex((bound) => seconds <= bound);
  into.buckets[at === -1 ? DURATION_BUCKETS_S.length : at]!++;
}
