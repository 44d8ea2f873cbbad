/**
 * A nats-server of our own, as a child process: for `troupe dev`, and for tests through `@troupe/testing`.
 *
 * Owns: the process, its ports, its configuration file, its log, and the store when it made it. Does not own streams.
 *
 * Invariants
 * 1. It listens on loopback only, unless it is given a configuration of its own.
 * 2. Who gets a `ServerProcess` gets a server that answers; else the start fails within its deadline, with the log.
 * 3. Ports and store stay the same over restarts.
 * 4. The process never outlives ours: an exit hook for an orderly end, a watchdog for any other.
 * 5. A folder that was given is never removed; one that was made is, at the close.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TroupeError } from '@troupe/wire';
import { BoundedLog } from './bounded-log.ts';
import { readProcessState } from './process-state.ts';
import { type ReleaseWatch, watchProcess } from './process-watchdog.ts';
import { formatServerConfig, SERVER_HOST } from './server-config.ts';
import { readServerInfo, type ServerInfo } from './server-info.ts';

/** How a server is started. Every field has a default. */
export interface ServerProcessOptions {
  /** Path or name of the binary. Default: `TROUPE_NATS_SERVER`, else `nats-server` of PATH. */
  readonly binary?: string;
  /** Client port. Default 0: a free one. */
  readonly port?: number;
  /** Port of the HTTP monitoring. Default 0: a free one. */
  readonly monitorPort?: number;
  /** Where JetStream stores. Default: a temporary folder, removed at the close. */
  readonly storeDir?: string;
  /** Default true. */
  readonly jetstream?: boolean;
  /** Write through to the disk before every acknowledgement (`sync_interval: always`). Default false. */
  readonly syncAlways?: boolean;
  /** Lines for inside the `jetstream` block, such as `max_file: 64MB`. */
  readonly jetstreamConfig?: string;
  /** Lines for the end of the configuration, such as `max_payload: 64KB` or an `authorization` block. */
  readonly config?: string;
  /**
   * A whole configuration of your own, used as it is, such as one that `infra/generate.ts` wrote. `port`, `monitorPort` and
   * `storeDir` must repeat what it says; `jetstream`, `syncAlways`, `jetstreamConfig` and `config` don't count. Default: none.
   */
  readonly configFile?: string;
  /** Default `troupe-<process id>-<count>`. */
  readonly name?: string;
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** From the start until it must answer, ms. Default 15,000. */
  readonly readyTimeoutMs?: number;
  /** From SIGTERM or SIGINT until it is killed, ms. Default 10,000. */
  readonly stopTimeoutMs?: number;
  /** Called when the server ends by itself. Default: nothing; the next use of the server fails. */
  readonly onUnexpectedExit?: (exit: ServerExit) => void;
}

/** How a server ended. */
export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of its log. */
  readonly log: string;
}

/** Signals that end a server: at once, or after it has written out what it holds. */
export type StopSignal = 'SIGKILL' | 'SIGTERM' | 'SIGINT';

const READY_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 10_000;
const FREEZE_TIMEOUT_MS = 1_000;
const POLL_MS = 10;
const VERSION_MIN = [2, 12] as const;

type Run =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'running'; readonly child: ChildProcess; readonly pid: number; readonly exited: Promise<void> }
  | { readonly kind: 'closed' };

/** A running server. Made by `startServerProcess`. */
export class ServerProcess {
  readonly #options: ServerProcessOptions;
  readonly #runDir = mkdtempSync(join(tmpdir(), 'troupe-nats-'));
  readonly #log = new BoundedLog();
  readonly #name: string;
  readonly #binary: string;
  /** JetStream's folder, also while it is off. */
  readonly storeDir: string;
  #run: Run = { kind: 'stopped' };
  #port: number;
  #monitorPort: number;
  /** The run that somebody asked to end; its end is expected. */
  #ending: ChildProcess | undefined;

  private constructor(options: ServerProcessOptions) {
    this.#options = options;
    this.#name = options.name ?? nextName();
    this.#binary = options.binary || process.env.TROUPE_NATS_SERVER || 'nats-server';
    this.#port = options.port || -1;
    this.#monitorPort = options.monitorPort || -1;
    this.storeDir = options.storeDir ?? join(this.#runDir, 'store');
  }

  /** The way in; see `startServerProcess`. */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    if (options.configFile !== undefined && !(options.port && options.monitorPort)) {
      throw new TroupeError('ConfigInvalid', 'configFile needs port and monitorPort, as the file has them.');
    }
    const server = new ServerProcess(options);
    try {
      await server.#start();
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  /** Client port; the same over restarts. */
  get port(): number {
    return this.#port;
  }

  /** `nats://127.0.0.1:<port>` */
  get url(): string {
    return `nats://${SERVER_HOST}:${this.#port}`;
  }

  /** `http://127.0.0.1:<port>`: `/varz`, `/jsz`, `/healthz` ... */
  get monitorUrl(): string {
    return `http://${SERVER_HOST}:${this.#monitorPort}`;
  }

  /** Process id; undefined while it doesn't run. */
  get pid(): number | undefined {
    return this.#run.kind === 'running' ? this.#run.pid : undefined;
  }

  /** What it printed, over all runs; the last 64 Ki characters. */
  get log(): string {
    return this.#log.text;
  }

  /**
   * Starts it again on the same ports and store; stops it first (SIGTERM) if it runs. Resolves when it answers.
   *
   * @throws TroupeError `Closed` after `close()`; else as `startServerProcess`
   */
  async restart(): Promise<void> {
    if (this.#run.kind === 'running') await this.kill('SIGTERM');
    await this.#start();
  }

  /**
   * Ends it and resolves when it is gone; does nothing when it doesn't run. Default SIGKILL, as a crash would. A server
   * that doesn't obey SIGTERM or SIGINT within `stopTimeoutMs`, for example because it is frozen, is killed.
   */
  async kill(signal: StopSignal = 'SIGKILL'): Promise<void> {
    if (this.#run.kind !== 'running') return;
    const { child, exited } = this.#run;
    this.#ending = child;
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#options.stopTimeoutMs ?? STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  }

  /**
   * Stops it in the middle of whatever it does (SIGSTOP): its connections stay open and nothing is answered. Resolves when
   * it has come to a stop.
   *
   * @throws TroupeError `Closed` when it doesn't run; `Timeout` when it has not stopped after a second
   */
  async freeze(): Promise<void> {
    const pid = this.#signal('SIGSTOP');
    const deadlineAt = performance.now() + FREEZE_TIMEOUT_MS;
    while (readProcessState(pid) === 'running') {
      if (performance.now() > deadlineAt) throw new TroupeError('Timeout', `nats-server ${this.#name} did not freeze`);
      await sleep(POLL_MS);
    }
  }

  /**
   * Lets it go on after `freeze()`.
   *
   * @throws TroupeError `Closed` when it doesn't run
   */
  resume(): void {
    this.#signal('SIGCONT');
  }

  /** Ends it (SIGTERM, then SIGKILL) and removes what was made for it. May be called again. */
  async close(): Promise<void> {
    if (this.#run.kind === 'running') {
      this.#run.child.kill('SIGCONT'); // A frozen one can't hear SIGTERM.
      await this.kill('SIGTERM');
    }
    this.#run = { kind: 'closed' };
    rmSync(this.#runDir, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #signal(signal: NodeJS.Signals): number {
    if (this.#run.kind !== 'running') throw new TroupeError('Closed', `nats-server ${this.#name} is ${this.#run.kind}`);
    this.#run.child.kill(signal);
    return this.#run.pid;
  }

  async #start(): Promise<void> {
    if (this.#run.kind === 'closed') throw new TroupeError('Closed', `nats-server ${this.#name} is closed`);
    const timeoutMs = this.#options.readyTimeoutMs ?? READY_TIMEOUT_MS;
    const deadlineAt = performance.now() + timeoutMs;
    const pid = await this.#spawn(this.#writeConfig());
    try {
      await this.#waitUntilReady(pid, deadlineAt, timeoutMs);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  #writeConfig(): string {
    const { jetstream = true, syncAlways = false, jetstreamConfig = '', config = '', configFile } = this.#options;
    if (configFile !== undefined) return configFile;
    if (jetstream) mkdirSync(this.storeDir, { recursive: true });
    const file = join(this.#runDir, 'nats-server.conf');
    const text = formatServerConfig({
      name: this.#name,
      port: this.#port,
      monitorPort: this.#monitorPort,
      portsDir: this.#runDir,
      jetstream: jetstream ? { storeDir: this.storeDir, syncAlways, settings: jetstreamConfig } : undefined,
      settings: config,
    });
    writeFileSync(file, text);
    return file;
  }

  /** Resolves once the operating system has started it. */
  async #spawn(configFile: string): Promise<number> {
    const child = spawn(this.#binary, ['--config', configFile], {
      env: { ...process.env, ...this.#options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // A terminal's Ctrl-C must not end it before those who use it.
    });
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => this.#log.append(chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => this.#log.append(chunk));
    const pid = await spawned(child, this.#binary);
    const release = ownUntilExit(child, pid, this.#runDir);
    const exited = new Promise<void>((resolve) => {
      child.once('close', (code, signal) => {
        release();
        this.#run = { kind: 'stopped' };
        if (this.#ending !== child) this.#options.onUnexpectedExit?.({ code, signal, log: this.#log.tail() });
        resolve();
      });
    });
    this.#run = { kind: 'running', child, pid, exited };
    return pid;
  }

  async #waitUntilReady(pid: number, deadlineAt: number, timeoutMs: number): Promise<void> {
    let last = 'it has not written its ports';
    while (performance.now() < deadlineAt) {
      if (this.pid !== pid) throw this.#failedStart('Internal', 'ended at its start');
      this.#readPorts(pid);
      if (this.#port > 0 && this.#monitorPort > 0) {
        const answer = await askForInfo(this.#port, deadlineAt - performance.now());
        if (answer.kind === 'info') return this.#checkVersion(answer.info.version);
        last = answer.reason;
      }
      await sleep(POLL_MS);
    }
    throw this.#failedStart('Timeout', `did not answer within ${timeoutMs} ms (${last})`);
  }

  /** The ports that the server chose; it writes them into a file named after its process id. */
  #readPorts(pid: number): void {
    if (this.#port > 0 && this.#monitorPort > 0) return;
    try {
      const text = readFileSync(join(this.#runDir, portsFileName(this.#binary, pid)), 'utf8');
      const { nats, monitoring } = JSON.parse(text) as { nats: string[]; monitoring: string[] };
      this.#port = Number(new URL(nats[0] ?? '').port);
      this.#monitorPort = Number(new URL(monitoring[0] ?? '').port);
    } catch {
      // Not written yet, or not to the end.
    }
  }

  #checkVersion(version: string): void {
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const [majorMin, minorMin] = VERSION_MIN;
    if (major > majorMin || (major === majorMin && minor >= minorMin)) return;
    throw new TroupeError(
      'ServerTooOld',
      `nats-server ${version} was started; ${majorMin}.${minorMin} or later is needed`,
    );
  }

  #failedStart(code: 'Internal' | 'Timeout', what: string): TroupeError {
    return new TroupeError(code, `nats-server ${this.#name} ${what}. It printed:\n${this.#log.tail()}`);
  }
}

/**
 * Starts a nats-server on loopback and resolves when it answers.
 *
 * @throws TroupeError `ConfigInvalid` when `configFile` comes without its ports; `ServerMissing` when the binary can't be run; `ServerTooOld` below 2.12; `Timeout` when it does not
 *   answer within `readyTimeoutMs`; `Internal` when it ends at once (a port in use, a mistake in `config`), with its log
 *
 * @example
 * await using server = await startServerProcess({ storeDir: '.troupe/nats', port: 4222 });
 * const connection = await connectNats({ servers: server.url });
 */
export function startServerProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  return ServerProcess.start(options);
}

type Answer = { readonly kind: 'info'; readonly info: ServerInfo } | { readonly kind: 'none'; readonly reason: string };

async function askForInfo(port: number, timeoutMs: number): Promise<Answer> {
  try {
    return { kind: 'info', info: await readServerInfo(SERVER_HOST, port, Math.max(1, timeoutMs)) };
  } catch (error) {
    return { kind: 'none', reason: (error as Error).message };
  }
}

let count = 0;

function nextName(): string {
  count += 1;
  return `troupe-${process.pid}-${count}`;
}

function portsFileName(binary: string, pid: number): string {
  return `${basename(binary)}_${pid}.ports`;
}

function spawned(child: ChildProcess, binary: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid as number));
    child.once('error', (cause) => {
      const message = `${binary} could not be started: ${cause.message}. Install nats-server 2.12 or later, or set TROUPE_NATS_SERVER to its path.`;
      reject(new TroupeError('ServerMissing', message, { cause }));
    });
  });
}

/** Invariant 4. The returned function is to be called when the process has ended. */
function ownUntilExit(child: ChildProcess, pid: number, runDir: string): () => void {
  const releaseWatch: ReleaseWatch = watchProcess(pid, [runDir]);
  const onExit = () => {
    child.kill('SIGKILL');
    rmSync(runDir, { recursive: true, force: true });
  };
  process.once('exit', onExit);
  return () => {
    releaseWatch();
    process.off('exit', onExit);
  };
}
