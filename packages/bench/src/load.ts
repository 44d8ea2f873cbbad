/** A closed load: so many callers, each with one call under way. */
import { quantile } from './statistics.ts';

/** One system under load. `call` resolves when the turn of a session has ended. */
export interface Caller {
  call(session: number): Promise<unknown>;
}

export interface LoadResult {
  readonly turns: number;
  readonly seconds: number;
  readonly turnsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const SESSIONS = 1_000;

/** Keeps `callers` calls under way for `forMs`, then waits for the last ones. Rejects with the first call that fails. */
export async function runLoad(system: Caller, callers: number, forMs: number): Promise<LoadResult> {
  const latencies: number[] = [];
  const startedAt = performance.now();
  const endAt = startedAt + forMs;
  const caller = async (first: number): Promise<void> => {
    for (let session = first; ; session = (session + callers) % SESSIONS) {
      const from = performance.now();
      if (from >= endAt) return;
      await system.call(session);
      latencies.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, i) => caller(i % SESSIONS)));
  const seconds = (performance.now() - startedAt) / 1_000;
  const sorted = Float64Array.from(latencies).sort();
  return {
    turns: latencies.length,
    seconds,
    turnsPerSecond: latencies.length / seconds,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  };
}
