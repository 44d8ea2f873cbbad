/** One run of `troupe dev`: a server, a worker, a watch over the code, until it is stopped. */
import { dirname, resolve } from 'node:path';
import type { OpenPorts } from '@troupe/service-worker';
import {
  type ActorHint,
  RESTART_LIMITS,
  type ReadyMessage,
  RestartPolicy,
  type Settings,
  WORKER_EXIT,
} from '@troupe/service-worker/internal';
import { TroupeError } from '@troupe/wire';
import { listenToPublished } from '../operator/published.ts';
import { bannerLines } from './banner.ts';
import type { DevGateway } from './dev-gateway.ts';
import type { DevLog } from './dev-log.ts';
import type { PresetPlan } from './preset.ts';
import { type DevServer, openServer } from './server.ts';
import { watchCode } from './watcher.ts';
import { type WorkerEnd, WorkerProcess, type WorkerProcessOptions } from './worker-process.ts';

export interface DevSessionOptions {
  readonly settings: Settings;
  /** Of a running server; undefined starts one. */
  readonly serverUrl: string | undefined;
  readonly configFile: string;
  /** What reloads the worker. */
  readonly watch: readonly string[];
  readonly plan: PresetPlan | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly command: string;
  readonly log: DevLog;
  readonly signal: AbortSignal;
  /** Start a gateway too, which is what happens by default; `chosen` when somebody said where it listens. */
  readonly gateway: { readonly chosen: boolean } | undefined;
}

/** Beyond the drain's own deadline, ms. */
const STOP_GRACE_MS = 5_000;

export class DevSession {
  readonly #options: DevSessionOptions;
  #server: DevServer | undefined;
  #ports: OpenPorts | undefined;
  #worker: WorkerProcess | undefined;
  #page: { readonly url?: string; close(): Promise<void> } | undefined;
  #gateway: DevGateway | undefined;
  #reloading: Promise<void> = Promise.resolve();
  #onReady: (message: ReadyMessage) => void = () => {};
  #policy = new RestartPolicy(RESTART_LIMITS, Math.random);
  #restart: NodeJS.Timeout | undefined;
  #readyAtMs: number | undefined;

  constructor(options: DevSessionOptions) {
    this.#options = options;
  }

  /**
   * Runs until the signal is aborted.
   *
   * @throws TroupeError when server or first worker can't be started, or the server ends by itself.
   */
  async run(): Promise<void> {
    const { settings, serverUrl, signal, log, watch } = this.#options;
    const ended = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => ended.resolve(), { once: true });
    let watcher: { close(): void } | undefined;
    try {
      this.#server = await openServer({
        url: serverUrl,
        port: settings.natsPort,
        dataDir: settings.dataDir,
        onExit: (text) =>
          ended.reject(new TroupeError('NotConnected', `nats-server ended by itself. It printed:\n${text}`)),
      });
      // From before the code is read: what changes while the first worker starts is reloaded once it has.
      let early: string[] | undefined = [];
      watcher = watchCode(watch, (files) => {
        if (early === undefined) this.#reload(files);
        else early.push(...files);
      });
      const actors = await this.#startFirst();
      await this.#open(actors);
      const changed = [...new Set(early)];
      early = undefined;
      if (changed.length > 0) this.#reload(changed);
      await ended.promise;
      log.tell({ event: 'stopping' });
    } finally {
      watcher?.close();
      await this.#close();
    }
  }

  async #startFirst(): Promise<readonly ActorHint[]> {
    const first = await WorkerProcess.load(this.#workerOptions());
    if (first === undefined)
      throw new TroupeError('ConfigInvalid', `${this.#options.configFile} could not be loaded; see above.`);
    await this.#run(first.worker);
    return first.loaded.actors;
  }

  /** Lets a worker go and waits until it is ready, or has ended. */
  async #run(worker: WorkerProcess): Promise<ReadyMessage | undefined> {
    this.#worker = worker;
    this.#readyAtMs = undefined;
    const ready = new Promise<ReadyMessage>((done) => {
      this.#onReady = done;
    });
    worker.go();
    const message = await Promise.race([ready, worker.ended.then(() => undefined)]);
    return message;
  }

  async #open(actors: readonly ActorHint[]): Promise<void> {
    const { settings, plan, log, command } = this.#options;
    const { url, own } = this.#server!;
    const { prefix } = settings;
    const { openPorts } = await import('@troupe/service-worker');
    this.#ports = await openPorts({ settings: { ...settings, natsUrl: url }, name: 'troupe-dev' });
    listenToPublished(this.#ports, {}, (what) => log.tell({ event: 'published', what }));
    this.#page = await plan?.serve?.({ url, prefix });
    if (this.#options.gateway !== undefined) this.#gateway = await this.#startGateway(this.#options.gateway.chosen);
    const page = this.#gateway?.url ?? this.#page?.url;
    const { needsToken = false, portTaken } = this.#gateway ?? {};
    const types = Object.fromEntries(actors.map(({ type, version }) => [type, version]));
    log.banner(
      bannerLines({
        url,
        prefix,
        own,
        dataDir: settings.dataDir,
        actors,
        suggestion: plan?.suggestion,
        page: page === undefined ? undefined : { url: page, needsToken, portTaken },
        command,
      }),
    );
    log.tell({ event: 'ready', url, prefix, types, page: page ?? null });
  }

  async #startGateway(chosen: boolean): Promise<DevGateway> {
    const { configFile, env, log } = this.#options;
    const settings = { ...this.#options.settings, natsUrl: this.#server!.url };
    const { DevGateway } = await import('./dev-gateway.ts');
    const onEnd = (why: string): void => log.tell({ event: 'gateway ended', why });
    return DevGateway.start({ settings, configFile, env, chosen, onEnd });
  }

  /** The machines that it shows are those that run. */
  async #reloadGateway(): Promise<void> {
    await this.#gateway
      ?.reload()
      .catch((error: Error) => this.#options.log.tell({ event: 'gateway ended', why: error.message }));
  }

  /** One after the other: a change during a reload is the next reload. */
  #reload(files: readonly string[]): void {
    this.#reloading = this.#reloading.then(() => this.#reloadNow(files));
  }

  async #reloadNow(files: readonly string[]): Promise<void> {
    const { log, settings, signal } = this.#options;
    if (signal.aborted) return;
    clearTimeout(this.#restart);
    // Other code may work where this has failed again and again.
    this.#policy = new RestartPolicy(RESTART_LIMITS, Math.random);
    const startedAt = performance.now();
    log.tell({ event: 'reloading', files });
    const next = await WorkerProcess.load(this.#workerOptions());
    if (next === undefined) return log.tell({ event: 'reload failed' });
    await this.#worker?.stop(settings.drainMs + STOP_GRACE_MS);
    if (signal.aborted) return void (await next.worker.stop(0));
    const [ready] = await Promise.all([this.#run(next.worker), this.#reloadGateway()]);
    if (ready !== undefined)
      log.tell({ event: 'reloaded', types: ready.types, tookMs: Math.round(performance.now() - startedAt) });
  }

  /** It ended though nobody asked it to: it is started again, unless it was drained or that is no use. */
  #crashed({ code, signal }: WorkerEnd): void {
    const { log } = this.#options;
    if (this.#options.signal.aborted) return;
    const readyForMs = this.#readyAtMs === undefined ? undefined : performance.now() - this.#readyAtMs;
    const waitMs = this.#policy.failed({ worked: readyForMs !== undefined, readyForMs });
    const again = code !== WORKER_EXIT.ok && !this.#policy.hopeless;
    log.tell({ event: 'worker ended', code, signal, againInMs: again ? waitMs : null });
    if (again) this.#restart = setTimeout(() => this.#startAgain(), waitMs);
  }

  #startAgain(): void {
    this.#reloading = this.#reloading.then(async () => {
      const { log, signal } = this.#options;
      if (signal.aborted || this.#worker?.running === true) return;
      const next = await WorkerProcess.load(this.#workerOptions());
      if (next === undefined) return this.#crashed({ code: WORKER_EXIT.usage, signal: null });
      if (signal.aborted) return void (await next.worker.stop(0));
      const ready = await this.#run(next.worker);
      if (ready !== undefined) log.tell({ event: 'worker started again', types: ready.types });
    });
  }

  #workerOptions(): WorkerProcessOptions {
    const { settings, configFile, env, plan, cwd, log } = this.#options;
    const { prefix, partitions, logLevel, drainMs } = settings;
    const flags = {
      config: configFile,
      'nats-url': this.#server!.url,
      prefix,
      partitions,
      'log-level': logLevel,
      'drain-ms': drainMs,
    };
    return {
      args: [...Object.entries(flags).map(([name, value]) => `--${name}=${value}`), '--dev'],
      env: { ...env, ...plan?.env },
      cwd,
      onLine: (line, from) => log.worker(line, from),
      onReady: (message) => {
        this.#readyAtMs = performance.now();
        this.#onReady(message);
      },
      onCrash: (end) => this.#crashed(end),
    };
  }

  async #close(): Promise<void> {
    clearTimeout(this.#restart);
    await this.#reloading;
    await this.#page?.close().catch(() => undefined);
    await this.#gateway?.close().catch(() => undefined);
    await this.#worker?.stop(this.#options.settings.drainMs + STOP_GRACE_MS);
    await this.#ports?.ports.close().catch(() => undefined);
    await this.#server?.close();
  }
}

/** What a project's config says to watch, or its folder. */
export function watchedPaths(configFile: string, watch: readonly string[] | undefined): readonly string[] {
  const folder = dirname(configFile);
  return watch === undefined ? [folder] : [configFile, ...watch.map((path) => resolve(folder, path))];
}
