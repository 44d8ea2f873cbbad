/**
 * A worker's life as a process: connect, host the actors, give everything back when asked to stop.
 *
 * Invariants
 * 1. The first SIGTERM or SIGINT drains within the deadline; the second ends at once.
 * 2. It always ends with one of `WORKER_EXIT`, and says why on its log before; only a stuck event loop ends by SIGKILL.
 * 3. A parent that goes away (`troupe dev`, `--processes`) counts as SIGTERM.
 * 4. Its health is known from the first moment to the last: to its parent by beats, to others by `/readyz`.
 */
import { url as inspectorUrl } from 'node:inspector';
import type { TroupeConfig } from '@troupe/agent';
import type { LeveledLogger, Logger } from '@troupe/diagnostics';
import { startWorker, type Worker } from '@troupe/runtime';
import { aboutProcess } from './about.ts';
import { type OpenPorts, openPorts } from './connection.ts';
import { exitCodeOf, WORKER_EXIT } from './exit-codes.ts';
import { type HealthSource, healthOf } from './health.ts';
import { type HealthServer, serveHealth } from './health-server.ts';
import { serveLogLevels } from './log-service.ts';
import { sendBeats } from './processes/beat.ts';
import { serveProfiles } from './profile-service.ts';
import type { Settings } from './settings.ts';
import { listenForStop, type StopReason } from './stop-signals.ts';
import { watchForStuck } from './stuck-watch.ts';
import { openTraces } from './trace-service.ts';

/** How often to look whether anybody subscribes to all observations, ms: what one waits for at most before seeing any. */
const WATCH_PROBE_MS = 2_000;

/** What a worker process is given. */
export interface RunWorkerOptions {
  readonly settings: Settings;
  readonly config: TroupeConfig;
  /** Its levels can be changed by operators while the worker runs. */
  readonly log: LeveledLogger;
  /** An edit in progress is no version conflict. Default false. */
  readonly dev?: boolean;
  /** Its number under a parent of `--processes`, which has the health endpoints then; undefined: none. */
  readonly process?: number | undefined;
  /** Told once every partition of its share is live. */
  readonly onReady?: (worker: Worker) => void;
}

/** Added to the drain's deadline before it counts as stuck, ms. */
const DRAIN_GRACE_MS = 2_000;

/** What the parts of a life share. */
interface Life {
  readonly options: RunWorkerOptions;
  readonly health: HealthSource;
  readonly about: ReturnType<typeof aboutProcess>;
  readonly beats: ReturnType<typeof sendBeats> | undefined;
  readonly stop: Promise<StopReason>;
}

/**
 * Runs a worker until it is told to stop.
 *
 * @returns the exit code, one of `WORKER_EXIT`.
 * @example process.exitCode = await runWorker({ settings, config, log });
 */
export async function runWorker(options: RunWorkerOptions): Promise<number> {
  const { log, settings, process: number } = options;
  const stop = listenForStop();
  let open: OpenPorts | undefined;
  const health: HealthSource = { hosted: false, connected: () => open?.ports.bus.connected ?? false };
  const watch = settings.stuckMs === 0 ? undefined : watchForStuck(watchOptions(settings.stuckMs, number));
  const beats = number === undefined ? undefined : sendBeats(() => healthOf(health), isDebugged);
  const life: Life = { options, health, about: aboutProcess(number), beats, stop };
  let server: HealthServer | undefined;
  try {
    server = await serveOwnHealth(life);
    open = await unlessStopped(connect(options), stop);
    if (open === undefined) return stoppedEarly(log);
    return await hostUntilStopped(life, open);
  } catch (error) {
    log.error({ error }, error instanceof Error ? error.message : String(error));
    return exitCodeOf(error);
  } finally {
    await open?.ports.close().catch(() => undefined);
    await server?.close();
    life.about.close();
    beats?.close();
    watch?.close();
  }
}

function watchOptions(limitMs: number, number: number | undefined) {
  return { limitMs, fields: { component: 'worker', ...(number === undefined ? {} : { process: number }) } };
}

function isDebugged(): boolean {
  return inspectorUrl() !== undefined;
}

async function serveOwnHealth({ options, health }: Life): Promise<HealthServer | undefined> {
  const { healthHost, healthPort } = options.settings;
  if (healthPort === undefined || options.process !== undefined) return undefined;
  const server = await serveHealth(healthHost, healthPort, {
    live: () => ({ ok: true, body: { status: 'ok', reasons: [] } }),
    ready: () => {
      const { ready, ...rest } = healthOf(health);
      return { ok: ready, body: { status: ready ? 'ready' : 'not ready', ...rest } };
    },
  });
  options.log.info({ url: server.url }, 'health endpoints listen');
  return server;
}

function connect({ settings, config, log }: RunWorkerOptions): Promise<OpenPorts> {
  return openPorts({
    settings,
    config,
    name: `troupe-worker ${settings.workerId ?? ''}`.trim(),
    waitMs: settings.natsWaitMs,
    provision: true,
    log: (message, fields) => log.info(fields, message),
  });
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

async function hostUntilStopped({ options, health, about, beats, stop }: Life, { ports }: OpenPorts): Promise<number> {
  const { settings, config, log } = options;
  const replyPrefixes = settings.replyPrefixes?.split(',') ?? config.worker?.replyPrefixes ?? [];
  const traces = await openTraces(settings, log); // Refuses wrong settings before anything is taken over.
  const starting = startWorker({
    ports,
    prefix: settings.prefix,
    definitions: config.actors,
    retired: config.retired ?? [],
    options: {
      ...config.worker,
      drainDeadlineMs: settings.drainMs,
      ...(settings.residentBytesMax === undefined ? {} : { residentBytesMax: settings.residentBytesMax }),
      replyPrefixes,
    },
    log,
    dev: options.dev ?? false,
    about: () => ({ ...about.read() }),
    watchProbeMs: WATCH_PROBE_MS,
    ...(settings.workerId === undefined ? {} : { id: settings.workerId }),
  });
  const worker = await unlessStopped(starting, stop);
  if (worker === undefined) return stoppedEarly(log);
  health.worker = worker;
  // At once: from here on its work may end it, and the parent has to know that it came so far.
  beats?.now();
  const { prefix } = settings;
  const profiles = serveProfiles({ worker, ports, prefix, definitions: config.actors, replyPrefixes });
  const logs = serveLogLevels({ worker, bus: ports.bus, prefix, definitions: config.actors, replyPrefixes, log });
  traces.start(worker);
  void worker.stopped.then(() => {
    profiles.close();
    logs.close();
  });
  void worker.ready.then(() => {
    health.hosted = true;
    options.onReady?.(worker);
  });
  try {
    return await untilStopped(worker, options, stop);
  } finally {
    await traces.close();
  }
}

async function untilStopped(worker: Worker, options: RunWorkerOptions, stop: Life['stop']): Promise<number> {
  const { settings, log } = options;
  const ended = await Promise.race([stop, worker.stopped.then(() => 'stopped' as const)]);
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
