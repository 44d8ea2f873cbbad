#!/usr/bin/env node
/**
 * The process that hosts actors: `main.ts [--config FILE] [--nats-url URL] [--prefix TOKENS] [--id ID] [--dev] ...`; `--gate` is for
 * `troupe dev`, see `parent.ts`; `--child N` for the parent of `--processes`, see `processes/`.
 * Every flag is one of docs/reference/configuration.md. Logs are JSON lines on stderr. Exit codes: see `WORKER_EXIT`.
 */
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { createLogger } from '@troupe/diagnostics';
import { TroupeError } from '@troupe/wire';
import { findConfigFile, loadConfig } from './config-file.ts';
import { exitCodeOf, WORKER_EXIT } from './exit-codes.ts';
import { reportReady, waitAtGate } from './parent.ts';
import { runProcesses } from './run-processes.ts';
import { runWorker } from './run-worker.ts';
import { resolveSettings, SETTINGS } from './settings.ts';

async function main(args: readonly string[]): Promise<number> {
  const { dev, gate, child, ...flags } = readFlags(args);
  const cwd = process.cwd();
  const file = findConfigFile(cwd, flags.config ?? process.env.TROUPE_CONFIG);
  if (file === undefined)
    throw new TroupeError(
      'ConfigInvalid',
      `There is no troupe.config.ts in ${cwd} or above. Write one, or name it with --config.`,
    );
  const { config } = await loadConfig(file);
  const { settings } = resolveSettings({ flags, env: process.env, config, configDir: dirname(file), cwd });
  // One that waits at the gate of `troupe dev` has a parent already.
  if (settings.processes !== undefined && child === undefined && gate === undefined) {
    const log = createLogger({ level: settings.logLevel, fields: { component: 'parent' } });
    const given = { ...flags, ...(dev === undefined ? {} : { dev: true as const }) };
    return runProcesses({ settings, configFile: file, flags: given, env: process.env, cwd, log });
  }
  const number = child === undefined ? undefined : Number(child);
  const fields = { component: 'worker', ...(number === undefined ? {} : { process: number }) };
  const log = createLogger({ level: settings.logLevel, types: settings.logLevels, fields });
  if (gate !== undefined && !(await waitAtGate(config))) return WORKER_EXIT.ok;
  return runWorker({ settings, config, log, dev: dev !== undefined, process: number, onReady: reportReady });
}

function readFlags(args: readonly string[]): Record<string, string | undefined> {
  const names = SETTINGS.flatMap(({ flag }) => (flag === undefined ? [] : [flag]));
  const texts = Object.fromEntries([...names, 'config'].map((name) => [name, { type: 'string' as const }]));
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...texts, dev: { type: 'boolean' }, gate: { type: 'boolean' }, child: { type: 'string' } },
    });
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  } catch (cause) {
    throw new TroupeError('ConfigInvalid', `${(cause as Error).message}`, { cause });
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  createLogger({ fields: { component: 'worker' } }).error(
    { error },
    error instanceof Error ? error.message : String(error),
  );
  process.exitCode = exitCodeOf(error);
}
// An agent's own handles (timers, sockets) must not keep a worker alive that has given everything back.
process.exit();
