/** Real time. */
import type { Clock, Timer } from '@troupe/runtime';

/** Longest delay that `setTimeout` takes, ms; a longer one fires at once. */
const DELAY_MAX_MS = 2 ** 31 - 1;

/** The machine's clock, for production. Timers of any length; they keep the process alive until cancelled. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer,
  defer: (callback) => void setImmediate(callback),
};

function setTimer(callback: () => void, delayMs: number): Timer {
  const endAt = performance.now() + delayMs;
  let timeout: NodeJS.Timeout;
  const arm = (): void => {
    const leftMs = endAt - performance.now();
    timeout = leftMs > DELAY_MAX_MS ? setTimeout(arm, DELAY_MAX_MS) : setTimeout(callback, Math.max(0, leftMs));
  };
  arm();
  return { cancel: () => clearTimeout(timeout) };
}
