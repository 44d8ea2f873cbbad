/** Repeats a port call until it succeeds, is no longer wanted, or fails for good. */
import type { Clock } from './ports.ts';
import { PortError } from './ports.ts';

const DELAY_MS = 100;
const DELAY_MS_MAX = 5_000;

/** Failures that the same call, repeated, can't end otherwise. */
function isFinal(error: unknown): boolean {
  return (
    !(error instanceof PortError) || error.kind === 'too-large' || error.kind === 'denied' || error.kind === 'closed'
  );
}

/**
 * @param wanted asked before every repetition; when it answers false, the promise resolves with `undefined`.
 * @throws what the call threw, when repeating can't help.
 * @example await retryWhile(clock, () => !partition.dropped, () => ports.journal.append(address, body));
 */
export async function retryWhile<T>(
  clock: Clock,
  wanted: () => boolean,
  call: () => Promise<T>,
  onRetry?: (error: unknown) => void,
): Promise<T | undefined> {
  for (let delayMs = DELAY_MS; ; delayMs = Math.min(delayMs * 2, DELAY_MS_MAX)) {
    try {
      return await call();
    } catch (error) {
      if (isFinal(error)) throw error;
      onRetry?.(error);
    }
    await new Promise<void>((resolve) => {
      clock.setTimer(resolve, delayMs);
    });
    if (!wanted()) return undefined;
  }
}
