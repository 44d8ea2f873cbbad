/** `troupe worker --processes`: the parent's life, from its config to its exit code. */
import { availableParallelism } from 'node:os';
import type { Logger } from '@troupe/diagnostics';
import { exitCodeOf, WORKER_EXIT } from './exit-codes.ts';
import type { HealthServer } from './health-server.ts';
import { WorkerPool } from './processes/worker-pool.ts';
import type { Settings } from './settings.ts';
import { listenForStop, SIGNAL_EXIT } from './stop-signals.ts';

/** What the parent is given. */
export interface RunProcessesOptions {
  readonly settings: Settings;
  readonly configFile: string;
  /** As they were given, by name without dashes; a switch is `true`. Every process gets them too. */
  readonly flags: Readonly<Record<string, string | true | undefined>>;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly log: Logger;
}

/** The parent's own business. */
const OWN_FLAGS = new Set(['processes', 'id', 'health-host', 'health-port', 'config', 'json', 'child']);

/** How many processes a setting asks for. `auto`: as many as cores that may be used, a container's limit included. */
export function processCount(processes: Settings['processes']): number {
  return processes === 'auto' ? availableParallelism() : (processes ?? 1);
}

/**
 * Runs worker processes until told to stop, or until none is left.
 *
 * @returns the exit code, one of `WORKER_EXIT`.
 */
export async function runProcesses(options: RunProcessesOptions): Promise<number> {
  const { settings, log, env, cwd } = options;
  const pool = new WorkerPool({
    count: processCount(settings.processes),
    id: settings.workerId ?? `w-${crypto.randomUUID().slice(0, 8)}`,
    args: argsOf(options),
    env,
    cwd,
    drainMs: settings.drainMs,
    stuckMs: settings.stuckMs,
    log,
  });
  const stop = listenForStop((signal) => {
    pool.kill();
    process.exit(SIGNAL_EXIT[signal]);
  });
  let health: HealthServer | undefined;
  try {
    const { healthHost, healthPort } = settings;
    if (healthPort !== undefined) {
      // Here, because most commands load this file without needing HTTP.
      const { serveHealth } = await import('./health-server.ts');
      health = await serveHealth(healthHost, healthPort, pool);
      log.info({ url: health.url }, 'health endpoints listen');
    }
    void stop.then((reason) => pool.stop(reason));
    const code = await pool.run();
    if (code === WORKER_EXIT.ok) log.info({}, 'every process has ended in good order');
    return code;
  } catch (error) {
    log.error({ error }, error instanceof Error ? error.message : String(error));
    pool.kill();
    return exitCodeOf(error);
  } finally {
    await health?.close();
  }
}

function argsOf({ flags, configFile }: RunProcessesOptions): string[] {
  const given = Object.entries(flags).filter(([name, value]) => value !== undefined && !OWN_FLAGS.has(name));
  return [
    `--config=${configFile}`,
    ...given.map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`)),
  ];
}
