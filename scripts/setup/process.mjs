import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const outputCharsMax = 64 * 1024;

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/**
 * Until it is called off, a signal that ends us ends the running commands too: an installer that went on alone would write
 * where the next setup believes to be alone.
 *
 * @returns {() => void} calls it off
 */
export function stopCommandsOnSignal() {
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  /** @param {NodeJS.Signals} signal */
  const stop = (signal) => {
    for (const child of running) child.kill('SIGKILL');
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of signals) process.on(signal, stop);
  return () => {
    for (const signal of signals) process.off(signal, stop);
  };
}

/**
 * @typedef {object} Outcome
 * @property {boolean} ok it ran, in time, and exited with 0
 * @property {string} stdout
 * @property {string} output the end of stdout and stderr as they came, at most 64 KiB
 * @property {string} reason why it is not `ok`, in a few words; empty otherwise
 */

/**
 * Runs a command to its end without a shell, without stdin, and never throws. Nothing it prints reaches our own stdout,
 * which belongs to the target.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, timeoutMs?: number }} [options] `timeoutMs` defaults to
 *   300,000
 * @returns {Promise<Outcome>}
 */
export function runCommand(command, args, options = {}) {
  const timeoutMs = options.timeoutMs ?? 300_000;
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: /** @type {NodeJS.ProcessEnv} */ (options.env ?? process.env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let stdout = '';
    let output = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      stdout = (stdout + chunk).slice(-outputCharsMax);
      output = (output + chunk).slice(-outputCharsMax);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      output = (output + chunk).slice(-outputCharsMax);
    });
    child.on('error', (error) => {
      running.delete(child);
      clearTimeout(timer);
      done({ ok: false, stdout, output, reason: `could not be started: ${error.message}` });
    });
    child.on('close', (code, signal) => {
      running.delete(child);
      clearTimeout(timer);
      const reason = timedOut
        ? `no end after ${timeoutMs / 1000} s`
        : signal
          ? `killed by ${signal}`
          : `exit code ${code}`;
      const ok = !timedOut && code === 0;
      done({ ok, stdout, output, reason: ok ? '' : reason });
    });
  });
}

/**
 * The last lines of what a command printed, indented, for an error message.
 *
 * @param {string} output
 * @param {number} [linesMax] defaults to 12
 */
export function tail(output, linesMax = 12) {
  const lines = output.trimEnd().split('\n').slice(-linesMax);
  return lines.map((line) => `    ${line}`).join('\n');
}

/**
 * Says what is being done before it is done, and how long it took after, unless it throws or returns a problem.
 *
 * @template T
 * @param {{ log: (line: string) => void }} context
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withProgress(context, what, work) {
  const startedAt = performance.now();
  context.log(`${what} ...`);
  const result = await work();
  const failed = typeof result === 'object' && result !== null && 'problem' in result;
  if (!failed) context.log(`${what}: done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return result;
}
