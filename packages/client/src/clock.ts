/** Time as a dependency: real in production, virtual in tests. */

/** A timer that was set. */
export interface Timer {
  /** Harmless when it has fired. */
  cancel(): void;
}

/** What the client needs of time. A `Clock` of `@troupe/runtime` fits. */
export interface Clock {
  /** Wall clock, Unix ms. */
  now(): number;
  /** Monotonic ms, for deadlines. */
  monotonic(): number;
  setTimer(callback: () => void, delayMs: number): Timer;
}

/** The machine's clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback, delayMs) {
    const timeout = setTimeout(callback, Math.max(0, delayMs));
    return { cancel: () => clearTimeout(timeout) };
  },
};

/** Resolves after `delayMs`, or as soon as `signal` aborts. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setTimer(end, delayMs);
    signal?.addEventListener('abort', end, { once: true });
  });
}
