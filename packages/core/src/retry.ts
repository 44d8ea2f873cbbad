/** How often and how patiently a failed effect is tried again. */

export interface RetryPolicy {
  /** Calls in all, the first one included. Default 1: no retry. At most 100. */
  readonly attemptsMax: number;
  readonly backoff: 'fixed' | 'exponential';
  /** Wait before the second call, ms. Default 200. */
  readonly delayMs: number;
  /** Longest wait, ms. Default 30,000. */
  readonly delayMsMax: number;
}

export const NO_RETRY: RetryPolicy = { attemptsMax: 1, backoff: 'exponential', delayMs: 200, delayMsMax: 30_000 };

/**
 * The wait before call `attempt + 1`, in ms, with full jitter for exponential backoff
 * (Brooker, "Exponential Backoff And Jitter", AWS 2015).
 *
 * @param random a number in [0, 1)
 * @example retryDelayMs({ ...NO_RETRY, attemptsMax: 3 }, 1, 0.5) // 100
 */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: number): number {
  if (policy.backoff === 'fixed') return policy.delayMs;
  const ceiling = Math.min(policy.delayMsMax, policy.delayMs * 2 ** (attempt - 1));
  return Math.round(ceiling * random);
}
