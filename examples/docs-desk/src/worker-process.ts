/**
 * The worker as a child process.
 *
 * Invariants
 * 1. It hears no Ctrl-C of its own (another process group): it ends when told, after what uses it.
 * 2. It never outlives its parent: the worker drains when the channel to it closes.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Counts, type CountsRequest, isWorkerMessage } from './worker-messages.ts';

/** Where it works. */
export interface WorkerProcessOptions {
  readonly natsUrl: string;
  readonly logFile: string;
  /** Told when it ends by itself, with the end of its log. */
  readonly onExit: (why: string) => void;
}

/** How long it may take until it is ready, and until it is gone, ms. */
const READY_MS = 60_000;
const STOP_MS = 6_000;
const COUNT_MS = 5_000;
const LOG_TAIL_CHARS = 2_000;

/** A worker that starts as it is made. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #options: WorkerProcessOptions;
  readonly #exited: Promise<void>;
  readonly #ready: Promise<void>;
  #stopping = false;
  #requests = 0;

  constructor(options: WorkerProcessOptions) {
    this.#options = options;
    const log = openSync(options.logFile, 'w');
    this.#child = fork(join(import.meta.dirname, 'worker-main.ts'), [], {
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...process.env, TROUPE_NATS_URL: options.natsUrl },
    });
    closeSync(log);
    this.#ready = new Promise((resolve) => {
      this.#child.on('message', (message) => {
        if (isWorkerMessage(message) && message.kind === 'ready') resolve();
      });
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        if (!this.#stopping) options.onExit(this.#withLog(`The worker ended by itself (${signal ?? code}).`));
        resolve();
      });
    });
    this.#child.once('error', (error) => options.onExit(`The worker could not be started: ${error.message}`));
  }

  /** Resolves once it owns its share. Rejects when it doesn't come to that, with the end of its log. */
  async ready(): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(this.#withLog(`The worker was not ready within ${READY_MS / 1_000} s.`))),
      READY_MS,
    );
    const ended = this.#exited.then(() => Promise.reject(new Error(this.#withLog('The worker ended at its start.'))));
    await Promise.race([this.#ready, ended, late.promise]).finally(() => clearTimeout(timer));
  }

  /** What it has done so far; undefined when it doesn't say. */
  async counts(): Promise<Counts | undefined> {
    if (!this.#child.connected) return undefined;
    const id = this.#requests++;
    const { promise, resolve } = Promise.withResolvers<Counts | undefined>();
    const timer = setTimeout(() => resolve(undefined), COUNT_MS);
    const onMessage = (message: unknown): void => {
      if (isWorkerMessage(message) && message.kind === 'counts' && message.id === id) resolve(message.counts);
    };
    this.#child.on('message', onMessage);
    this.#child.send({ kind: 'count', id } satisfies CountsRequest, () => {});
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#child.off('message', onMessage);
    }
  }

  /** Lets it drain, and ends it if that takes too long. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #withLog(sentence: string): string {
    return `${sentence} Its log, ${this.#options.logFile}, ends with:\n${readFileSync(this.#options.logFile, 'utf8').slice(-LOG_TAIL_CHARS)}`;
  }
}
