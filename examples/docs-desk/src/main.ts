#!/usr/bin/env node
/** `npm start`. Exit codes: 0 done, 1 it failed, 2 the command line is wrong, 130 or 143 stopped by a signal before it was done. */
import { join } from 'node:path';
import { HELP, parseOptions } from './options.ts';
import { runDesk } from './run-desk.ts';

const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type StopSignal = keyof typeof SIGNAL_EXIT;

const rootDir = join(import.meta.dirname, '../../..');
const stop = new AbortController();
for (const name of Object.keys(SIGNAL_EXIT) as StopSignal[]) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(SIGNAL_EXIT[name]);
    stop.abort(name);
  });
}

async function main(): Promise<number> {
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const request = parseOptions(process.argv.slice(2), { env: process.env, cwd: process.cwd(), rootDir, terminal });
  if (request.kind === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  if (request.kind === 'wrong') {
    process.stderr.write(`${request.message}\n\n${HELP}`);
    return 2;
  }
  const { stdin, stdout, stderr, env } = process;
  try {
    await runDesk(request.options, { stdin, stdout, stderr, env, rootDir, startedAt: 0, signal: stop.signal });
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return SIGNAL_EXIT[stop.signal.reason as StopSignal];
    process.stderr.write(`docs desk: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

process.exitCode = await main();
