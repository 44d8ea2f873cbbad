/**
 * A worker as its own process: the one that users run, with a project of the tests.
 *
 * Invariants
 * 1. It ends with this process: a parent that is gone counts as SIGTERM for it.
 * 2. Its log is kept, bounded, and is part of every error.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isWorkerMessage, WORKER_MAIN } from '@troupe/service-worker/internal';
import { until, within } from './waiting.ts';

const LOG_LENGTH_MAX = 200_000;
const READY_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 30_000;

export interface WorkerProcessOptions {
  readonly natsUrl: string;
  /** File name in `src/configs`, without `.config.ts`. */
  readonly project: string;
  /** Where agents note what they do. */
  readonly notesDir: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #log = '';
  #ready = false;

  /** Starts it; `ready()` waits until it has taken over. */
  constructor({ natsUrl, project, notesDir, args = [], env = {} }: WorkerProcessOptions) {
    const config = fileURLToPath(new URL(`./configs/${project}.config.ts`, import.meta.url));
    this.#child = fork(fileURLToPath(WORKER_MAIN), ['--nats-url', natsUrl, '--config', config, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, NODE_OPTIONS: '', TROUPE_NOTES_DIR: notesDir, ...env },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-LOG_LENGTH_MAX);
      });
    this.#child.on('message', (message) => {
      if (isWorkerMessage(message) && message.kind === 'ready') this.#ready = true;
    });
    this.#exited = new Promise((resolve) => this.#child.once('close', resolve));
  }

  get log(): string {
    return this.#log;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Once every partition is live. @throws Error with its log when it ends before, or takes too long. */
  async ready(): Promise<this> {
    await until('the worker to be ready', () => this.#ready || !this.running, READY_TIMEOUT_MS).catch(
      (error: Error) => {
        throw new Error(`${error.message}\n${this.#log}`);
      },
    );
    if (!this.#ready) throw new Error(`the worker ended before it was ready:\n${this.#log}`);
    return this;
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await within('the end of a killed worker', this.#exited, STOP_TIMEOUT_MS);
  }

  /** SIGSTOP: it stands still, with its connections open. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  /** SIGCONT: it goes on, knowing nothing of what happened meanwhile. */
  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** SIGTERM, and nothing more: it begins to drain. */
  askToStop(): void {
    this.#child.kill('SIGTERM');
  }

  /** Ends it in good order, as a deployment would. @returns its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return within('the drain of a worker', this.#exited, STOP_TIMEOUT_MS);
  }
}
