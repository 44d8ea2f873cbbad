/**
 * How often somebody may do something: a token bucket per key.
 *
 * Invariants
 * 1. At most `keysMax` buckets are kept. The one used longest ago goes first, and comes back full: an address that is forgotten
 *    gains at most one burst.
 */

/** How much is allowed. */
export interface RateOptions {
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
  readonly keysMax: number;
  /** Monotonic ms. */
  now(): number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export class RateLimiter {
  readonly #options: RateOptions;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateOptions) {
    this.#options = options;
  }

  /** Takes one. @returns 0 when there was one, else how long to wait for the next, ms. */
  take(key: string): number {
    const bucket = this.#refilled(key);
    if (bucket.tokens < 1) return this.#waitMs(bucket);
    bucket.tokens -= 1;
    return 0;
  }

  /** What `take` would answer, without taking. */
  peek(key: string): number {
    const bucket = this.#refilled(key);
    return bucket.tokens < 1 ? this.#waitMs(bucket) : 0;
  }

  #refilled(key: string): Bucket {
    const { perSecond, burst, keysMax, now } = this.#options;
    const nowMs = now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs };
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1_000) * perSecond);
    bucket.atMs = nowMs;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > keysMax) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket;
  }

  #waitMs(bucket: Bucket): number {
    return Math.max(1, Math.ceil(((1 - bucket.tokens) / this.#options.perSecond) * 1_000));
  }
}
