/** How a worker's process ends; the README and the manifests of a deployment go by these. */
import { isTroupeError } from '@troupe/wire';

export const WORKER_EXIT = {
  /** Drained in good order. */
  ok: 0,
  /** Something failed that isn't below. */
  failed: 1,
  /** Config or arguments can't be used. */
  usage: 2,
  /** NATS could not be reached, or refused. */
  notConnected: 3,
  /** The drain did not end within its deadline; the next owner goes on from there. */
  drainTimeout: 4,
} as const;

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  if (!isTroupeError(error)) return error instanceof RangeError ? WORKER_EXIT.usage : WORKER_EXIT.failed;
  if (error.code === 'ConfigInvalid') return WORKER_EXIT.usage;
  return ['NotConnected', 'PermissionDenied'].includes(error.code) ? WORKER_EXIT.notConnected : WORKER_EXIT.failed;
}
