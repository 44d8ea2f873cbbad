/**
 * The worker of `troupe dev`, in a process of its own: so that new code is really new, and a crash of it is not ours.
 *
 * Invariants
 * 1. A worker is let go only when the one before it has ended: no two of ours at once.
 * 2. Code that can't be loaded never replaces code that runs.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  isWorkerMessage,
  type LoadedMessage,
  openGate,
  type ReadyMessage,
  WORKER_MAIN,
} from '@troupe/service-worker/internal';

export interface WorkerProcessOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** A line of its log (stderr), or of what agents print (stdout). */
  onLine(line: string, from: 'log' | 'print'): void;
  onReady(message: ReadyMessage): void;
  /** It ended though nobody asked it to. */
  onCrash(end: WorkerEnd): void;
}

/** How it ended: by its own exit code, or by a signal. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A worker that waits at its gate, or runs. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number>;
  #asked = false;
  #through = false;

  private constructor(child: ChildProcess, options: WorkerProcessOptions) {
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve(code ?? 1);
        if (!this.#asked && this.#through) options.onCrash({ code, signal });
      });
    });
  }

  /** Starts a process and loads the code. @returns undefined when that failed; its log has said why. */
  static async load(
    options: WorkerProcessOptions,
  ): Promise<{ readonly worker: WorkerProcess; readonly loaded: LoadedMessage } | undefined> {
    const child = fork(fileURLToPath(WORKER_MAIN), [...options.args, '--gate'], {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    // A process group of its own: a terminal's Ctrl-C must not end it before it is asked to.
    createInterface({ input: child.stderr! }).on('line', (line) => options.onLine(line, 'log'));
    createInterface({ input: child.stdout! }).on('line', (line) => options.onLine(line, 'print'));
    const worker = new WorkerProcess(child, options);
    const loaded = new Promise<LoadedMessage | undefined>((resolve) => {
      child.on('message', (message) => {
        if (!isWorkerMessage(message)) return;
        if (message.kind === 'loaded') resolve(message);
        else options.onReady(message);
      });
      void worker.#exited.then(() => resolve(undefined));
    });
    const message = await loaded;
    return message === undefined ? undefined : { worker, loaded: message };
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves with its exit code. */
  get ended(): Promise<number> {
    return this.#exited;
  }

  /** Lets it run. */
  go(): void {
    this.#through = true;
    openGate(this.#child);
  }

  /** Asks it to give everything back, and waits until it has ended; kills it after `graceMs`. @returns its exit code. */
  async stop(graceMs: number): Promise<number> {
    this.#asked = true;
    if (this.running) this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    const code = await this.#exited;
    clearTimeout(timer);
    return code;
  }
}
