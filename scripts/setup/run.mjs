import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { SetupError } from './context.mjs';

/** @type {NodeJS.Signals[]} */
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];

/** A terminal sends these to the whole foreground group, so the child has them already; twice would mean "at once". */
const fromTerminal = new Set(['SIGINT', 'SIGQUIT', 'SIGHUP']);

/**
 * Becomes the target, as far as a parent process can: its stdio is ours, signals go to it, and its end is ours.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string | undefined>} env
 * @returns {Promise<number>} the exit code, in a shell's way of writing it (128 + number for a signal)
 */
export function runTarget(command, args, env) {
  return new Promise((done, refuse) => {
    // Before there is a child: one that has begun to speak must not find a parent that a signal still ends.
    const handlers = forwarded.map((signal) => {
      const forward = () => {
        if (!(process.stdin.isTTY && fromTerminal.has(signal))) child.kill(signal);
      };
      process.on(signal, forward);
      return /** @type {const} */ ([signal, forward]);
    });
    const letGo = () => {
      for (const [name, forward] of handlers) process.off(name, forward);
    };
    const child = spawn(command, args, { stdio: 'inherit', env: /** @type {NodeJS.ProcessEnv} */ (env) });
    child.on('error', (error) => {
      letGo();
      refuse(new SetupError(`${command} could not be started: ${error.message}`));
    });
    child.on('exit', (code, signal) => {
      letGo();
      done(code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)]);
    });
  });
}
