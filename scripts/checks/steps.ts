import { type ChildProcess, spawn } from 'node:child_process';

/** One check that can be run alone. */
export interface Step {
  name: string;
  command: string;
  args: string[];
}

/** When a command counts as ended although its process is still there. */
export interface EndSign {
  /** Asked every second. */
  readonly isDone: () => boolean;
  /** How long the process may take to exit after that, ms; then it is killed. */
  readonly graceMs: number;
}

/**
 * Runs a command with our stdout and stderr, without stdin. Resolves to its exit code; a signal or a failed start counts
 * as 1. With an `endSign`, a process that has done its work and then doesn't exit is killed and counts as 0.
 */
export function runInherited(
  command: string,
  args: readonly string[],
  cwd: string,
  endSign?: EndSign,
): Promise<number> {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
    const guard = endSign && guardExit(child, endSign);
    child.on('error', (error) => {
      guard?.stop();
      console.error(`${command}: ${error.message}`);
      done(1);
    });
    child.on('exit', (code) => {
      guard?.stop();
      done(guard?.killed() ? 0 : (code ?? 1));
    });
  });
}

function guardExit(child: ChildProcess, { isDone, graceMs }: EndSign) {
  let doneAt: number | undefined;
  let killed = false;
  const timer = setInterval(() => {
    doneAt ??= isDone() ? performance.now() : undefined;
    if (doneAt === undefined || performance.now() - doneAt < graceMs) return;
    console.error(`${child.spawnfile} had finished, but did not exit for ${graceMs / 1000} s; it was killed`);
    killed = true;
    child.kill('SIGKILL');
  }, 1_000);
  return { stop: () => clearInterval(timer), killed: () => killed };
}

/** Runs every step, also after one has failed, so that one run shows everything there is to fix. */
export async function runSteps(steps: readonly Step[], cwd: string): Promise<{ failed: string[] }> {
  const failed: string[] = [];
  for (const { name, command, args } of steps) {
    const startedAt = performance.now();
    const exitCode = await runInherited(command, args, cwd);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.error(`${exitCode === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
    if (exitCode !== 0) failed.push(name);
  }
  return { failed };
}
