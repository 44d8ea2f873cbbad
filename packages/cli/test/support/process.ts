/** The real command, as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The command, to be run by Node. */
export const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** A command that goes on until it is told to stop. */
export class RunningCommand {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  stdout = '';
  stderr = '';
  readonly #waiting = new Set<() => void>();

  constructor(words: readonly string[], { cwd, env, stdin }: RunOptions) {
    this.child = spawn(process.execPath, [MAIN, ...words], {
      cwd,
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: 'pipe',
    });
    this.child.stdin!.end(stdin ?? '');
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => this.#more(() => (this.stdout += text)));
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => this.#more(() => (this.stderr += text)));
    this.finished = new Promise((resolve) => {
      this.child.once('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  /** Resolves once stdout matches. @throws Error with all output after `timeoutMs`. */
  async until(pattern: RegExp, timeoutMs = 40_000): Promise<RegExpMatchArray> {
    const endAt = performance.now() + timeoutMs;
    for (;;) {
      const match = this.stdout.match(pattern);
      if (match !== null) return match;
      const leftMs = endAt - performance.now();
      if (leftMs <= 0 || this.child.exitCode !== null)
        throw new Error(`no ${pattern} in:\n${this.stdout}\n--- stderr\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(leftMs, 500));
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Finished> {
    this.child.kill(signal);
    return this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null) this.child.kill('SIGTERM');
    await this.finished;
  }

  #more(take: () => void): void {
    take();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** A command that ends by itself. */
export function run(words: readonly string[], options: RunOptions): Promise<Finished> {
  return new RunningCommand(words, options).finished;
}
