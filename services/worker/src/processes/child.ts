/**
 * One worker process of a pool, from its start to its end.
 *
 * Invariants
 * 1. It is in a process group of its own: a terminal's Ctrl-C reaches the parent only, which then asks it to drain.
 * 2. It is killed when it has not beaten for `silentMsMax`, counted in looks of the parent's own event loop: a machine that slept
 *    is not held against it. Until its first beat it has `START_MS_MAX`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Health } from '../health.ts';
import { BEAT_MS, type BeatMessage, isBeat } from './beat.ts';
import type { Failure } from './restart-policy.ts';

/** How long loading a process's code may take, ms. */
const START_MS_MAX = 60_000;
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** How it ended. */
export interface ChildEnd extends Failure {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It was killed because its event loop did not turn. */
  readonly stuck: boolean;
}

export interface ChildOptions {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Undefined: it is never killed for being silent. */
  readonly silentMsMax: number | undefined;
  /** It is about to be killed for having been silent so long, ms. */
  onStuck(silentMs: number): void;
}

const STARTING: Health = { ready: false, reasons: ['it is starting'] };

export class Child {
  readonly ended: Promise<ChildEnd>;
  readonly #child: ChildProcess;
  readonly #options: ChildOptions;
  readonly #timer: NodeJS.Timeout;
  #health: Health = STARTING;
  #readyAtMs: number | undefined;
  #beaten = false;
  #debugged = false;
  #silentMs = 0;
  #stuck = false;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#child = fork(MAIN, [...options.args], {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
    });
    this.#child.on('message', (message) => {
      if (isBeat(message)) this.#beat(message);
    });
    this.#timer = setInterval(() => this.#look(), BEAT_MS);
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        clearInterval(this.#timer);
        const readyForMs = this.#readyAtMs === undefined ? undefined : performance.now() - this.#readyAtMs;
        resolve({ code, signal, stuck: this.#stuck, worked: this.#health.worker !== undefined, readyForMs });
      };
      this.#child.once('exit', end);
      // It could not be started at all: there is no exit then.
      this.#child.once('error', () => {
        if (this.#child.pid === undefined) end(1, null);
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get health(): Health {
    return this.#health;
  }

  /** Does nothing to one that has ended. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
  }

  #beat({ health, debugged }: BeatMessage): void {
    this.#beaten = true;
    this.#silentMs = 0;
    this.#debugged = debugged;
    this.#health = health;
    if (health.ready) this.#readyAtMs ??= performance.now();
  }

  #look(): void {
    const { silentMsMax } = this.#options;
    if (silentMsMax === undefined || this.#debugged) return;
    this.#silentMs += BEAT_MS;
    if (this.#silentMs < (this.#beaten ? silentMsMax : Math.max(START_MS_MAX, silentMsMax))) return;
    clearInterval(this.#timer);
    this.#stuck = true;
    this.#options.onStuck(this.#silentMs);
    this.#child.kill('SIGKILL');
  }
}
