import { spawn } from 'node:child_process';

/** One check that can be run alone. */
export interface Step {
  name: string;
  command: string;
  args: string[];
}

/** Runs a command with our stdio. Resolves to its exit code; a signal or a failed start counts as 1. */
export function runInherited(command: string, args: readonly string[], cwd: string): Promise<number> {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      done(1);
    });
    child.on('exit', (code) => done(code ?? 1));
  });
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
