/** Whether a worker can do its work, and why not: what `/readyz` says, and what a process tells its parent. */
import type { WorkerStats } from '@troupe/runtime';

/** Of one worker's process. */
export interface Health {
  readonly ready: boolean;
  /** Why it isn't; empty when it is. */
  readonly reasons: readonly string[];
  /** Absent while it is connecting. */
  readonly worker?: { readonly id: string; readonly partitions: number; readonly live: number };
}

/** As much of a worker as its health goes by. */
export interface HealthyWorker {
  stats(): Pick<WorkerStats, 'id' | 'partitions' | 'live' | 'fresh' | 'draining'>;
}

/** What the worker's process is doing; set as it goes. */
export interface HealthSource {
  worker?: HealthyWorker | undefined;
  /** Whether the worker's whole share was live once. */
  hosted: boolean;
  connected(): boolean;
}

/** As of now. */
export function healthOf({ worker, hosted, connected }: HealthSource): Health {
  if (worker === undefined) return { ready: false, reasons: ['it is not connected to NATS yet'] };
  const { id, partitions, live, fresh, draining } = worker.stats();
  const reasons: string[] = [];
  if (!connected()) reasons.push('the connection to NATS is lost');
  if (draining) reasons.push('it is draining');
  else if (!hosted) reasons.push('it has not taken over its whole share of the partitions yet');
  else if (live < partitions.length) reasons.push(`${partitions.length - live} of its partitions are still being read`);
  if (!fresh && !draining) reasons.push('its lease is not fresh: effects wait until it is renewed');
  return { ready: reasons.length === 0, reasons, worker: { id, partitions: partitions.length, live } };
}
