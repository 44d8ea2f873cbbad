/** The processes of a benchmark: the server, and workers that say when they are ready. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const READY_TIMEOUT_MS = 30_000;

export class WorkerProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when it has said `ready`. `BENCH_WORKER_ARGS` are given to its Node: profiling, for example. */
  static async start(script: string, args: readonly string[]): Promise<WorkerProcess> {
    const extra = (process.env.BENCH_WORKER_ARGS ?? '').split(' ').filter((arg) => arg !== '');
    const child = fork(join(import.meta.dirname, script), [...args], { execArgv: ['--expose-gc', ...extra] });
    const worker = new WorkerProcess(child);
    await worker.#answer('ready');
    return worker;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks it for something and resolves with the answer. */
  async ask(question: string): Promise<unknown> {
    const answer = once(this.#child, 'message');
    this.#child.send(question);
    return (await answer)[0];
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  /** Lets it end by itself, so that it can write a profile. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  async #answer(wanted: string): Promise<void> {
    const ended = new AbortController();
    const { signal } = ended;
    const timeout = AbortSignal.any([signal, AbortSignal.timeout(READY_TIMEOUT_MS)]);
    const failed = once(this.#child, 'exit', { signal }).then(([code]) => {
      throw new Error(`a worker of the benchmark ended with ${code} before it was ${wanted}`);
    });
    try {
      await Promise.race([once(this.#child, 'message', { signal: timeout }), failed]);
    } finally {
      ended.abort();
      failed.catch(() => undefined);
    }
  }
}
