/**
 * A worker's life as a process: connect, host the actors, give everything back when asked to stop.
 *
 * Invariants
 * 1. The first SIGTERM or SIGINT drains within the deadline; the second ends at once.
 * 2. It always ends with one of `WORKER_EXIT`, and says why on its log before.
 * 3. A parent that goes away (`troupe dev`, IPC) counts as SIGTERM.
 */
import type { TroupeConfig } from '@troupe/agent';
import type { Logger } from '@troupe/diagnostics';
import { startWorker, type Worker } from '@troupe/runtime';
import { isTroupeError } from '@troupe/wire';
import { type OpenPorts, openPorts } from './connection.ts';
import { WORKER_EXIT } from './exit-codes.ts';
import type { Settings } from './settings.ts';
import { listenForStop, type StopReason } from './stop-signals.ts';

/** What a worker process is given. */
export interface RunWorkerOptions {
  readonly settings: Settings;
  readonly config: TroupeConfig;
  readonly log: Logger;
  /** An edit in progress is no version conflict. Default false. */
  readonly dev?: boolean;
  /** Told once every partition of its share is live. */
  readonly onReady?: (worker: Worker) => void;
}

/** Added to the drain's deadline before it counts as stuck, ms. */
const DRAIN_GRACE_MS = 2_000;

/**
 * Runs a worker until it is told to stop.
 *
 * @returns the exit code, one of `WORKER_EXIT`.
 * @example process.exitCode = await runWorker({ settings, config, log });
 */
export async function runWorker(options: RunWorkerOptions): Promise<number> {
  const { log, settings } = options;
  const stop = listenForStop();
  let open: OpenPorts | undefined;
  try {
    const opened = await unlessStopped(
      openPorts({
        settings,
        config: options.config,
        name: `troupe-worker ${settings.workerId ?? ''}`.trim(),
        waitMs: settings.natsWaitMs,
        provision: true,
        log: (message, fields) => log.info(fields, message),
      }),
      stop,
    );
    if (opened === undefined) return stoppedEarly(log);
    open = opened;
    return await hostUntilStopped(options, open, stop);
  } catch (error) {
    log.error({ error }, error instanceof Error ? error.message : String(error));
    return exitCodeOf(error);
  } finally {
    await open?.ports.close().catch(() => undefined);
  }
}

/** What was asked to stop before it had anything to give back ends at once. */
async function unlessStopped<T>(starting: Promise<T>, stop: Promise<StopReason>): Promise<T | undefined> {
  starting.catch(() => undefined);
  return Promise.race([starting, stop.then(() => undefined)]);
}

function stoppedEarly(log: Logger): number {
  log.info({}, 'asked to stop while starting; nothing was taken over yet');
  return WORKER_EXIT.ok;
}

async function hostUntilStopped(
  options: RunWorkerOptions,
  { ports }: OpenPorts,
  requested: Promise<StopReason>,
): Promise<number> {
  const { settings, config, log } = options;
  const starting = startWorker({
    ports,
    prefix: settings.prefix,
    definitions: config.actors,
    options: { ...config.worker, drainDeadlineMs: settings.drainMs },
    log,
    dev: options.dev ?? false,
    ...(settings.workerId === undefined ? {} : { id: settings.workerId }),
  });
  const worker = await unlessStopped(starting, requested);
  if (worker === undefined) return stoppedEarly(log);
  void worker.ready.then(() => options.onReady?.(worker));
  const ended = await Promise.race([requested, worker.stopped.then(() => 'stopped' as const)]);
  if (ended === 'stopped') {
    log.info({ worker: worker.id }, 'worker was drained by an operator');
    return WORKER_EXIT.ok;
  }
  log.info({ worker: worker.id, reason: ended, deadlineMs: settings.drainMs }, 'draining');
  return drain(worker, settings.drainMs, log);
}

async function drain(worker: Worker, deadlineMs: number, log: Logger): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), deadlineMs + DRAIN_GRACE_MS);
  });
  const ended = await Promise.race([worker.drain({ deadlineMs }), late]);
  clearTimeout(timer);
  if (ended === 'late') {
    worker.kill();
    log.warn(
      { worker: worker.id, deadlineMs },
      'the drain did not end within its deadline; the next owner goes on from the last checkpoint',
    );
    return WORKER_EXIT.drainTimeout;
  }
  log.info({ worker: worker.id }, 'drained');
  return WORKER_EXIT.ok;
}

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  if (!isTroupeError(error)) return error instanceof RangeError ? WORKER_EXIT.usage : WORKER_EXIT.failed;
  if (error.code === 'ConfigInvalid') return WORKER_EXIT.usage;
  return ['NotConnected', 'PermissionDenied'].includes(error.code) ? WORKER_EXIT.notConnected : WORKER_EXIT.failed;
}
