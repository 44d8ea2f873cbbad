/**
 * Three nats-servers as `infra/generate.ts` configures them, used as they are: TLS, accounts, users, three copies of each
 * stream. On loopback, in a folder of its own.
 *
 * Invariants
 * 1. Closing ends every process that it started and removes every file that it made.
 * 2. Nothing waits without a deadline.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv, promisify } from 'node:util';
import { connect, type Troupe } from '@troupe/client';
import { type Connection, connectNats, type NatsConfig, provision, resolveConfig } from '@troupe/nats';
import { type NatsServerHandle, startNatsServer } from '@troupe/testing';
import { until } from './waiting.ts';
import { WorkerProcess, type WorkerProcessOptions } from './worker-process.ts';

/** What `infra/generate.ts` writes into `cluster.json`. */
interface ClusterFiles {
  readonly url: string;
  readonly caFile: string;
  readonly servers: readonly {
    readonly name: string;
    readonly configFile: string;
    readonly storeDir: string;
    readonly clientPort: number;
    readonly monitorPort: number;
  }[];
}

export interface ClusterOptions {
  /** Default 8. */
  readonly partitions?: number;
  readonly journalStreams?: number;
  /** Of the generator. Default `always`, as its own. */
  readonly sync?: 'always' | 'default';
  /** Of the generator, such as `--client`, `shop=order`. Default: one client for all types. */
  readonly args?: readonly string[];
  /** Make the streams. Default true. */
  readonly provision?: boolean;
}

const GENERATOR = fileURLToPath(new URL('../../../infra/generate.ts', import.meta.url));
const FORMATION_TIMEOUT_MS = 45_000;
const WORKER_ENV = /^TROUPE_/;

export class Cluster {
  readonly dir: string;
  readonly config: NatsConfig;
  readonly servers: NatsServerHandle[] = [];
  readonly #files: ClusterFiles;
  readonly #workers: WorkerProcess[] = [];
  readonly #closers: (() => Promise<void>)[] = [];

  private constructor(dir: string, config: NatsConfig) {
    this.dir = dir;
    this.config = config;
    this.#files = JSON.parse(readFileSync(join(dir, 'cluster.json'), 'utf8')) as ClusterFiles;
  }

  /** @example await using cluster = await Cluster.start({ partitions: 8 }); */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const { partitions = 8, journalStreams = 1, sync = 'always', args = [] } = options;
    const dir = join(mkdtempSync(join(tmpdir(), 'troupe-cluster-')), 'cluster');
    const ports = await freePorts(9);
    const portArgs = ['client-port', 'route-port', 'monitor-port'].flatMap((name, kind) =>
      ports.slice(kind * 3, kind * 3 + 3).flatMap((port) => [`--${name}`, String(port)]),
    );
    const split = ['--partitions', String(partitions), '--journal-streams', String(journalStreams)];
    await generate(['--out', dir, ...portArgs, ...split, '--sync', sync, '--store-max', '64GB', ...args]);
    const config = resolveConfig({ replicas: 3, partitions, ...(journalStreams === 1 ? {} : { journalStreams }) });
    const cluster = new Cluster(dir, config);
    try {
      await cluster.#start(options.provision ?? true);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** For `TROUPE_NATS_URL`: all three servers. */
  get url(): string {
    return this.#files.url;
  }

  get caFile(): string {
    return this.#files.caFile;
  }

  /** What every worker of this cluster said. */
  get log(): string {
    return this.#workers.map((worker, at) => `--- worker ${at}\n${worker.log}`).join('\n');
  }

  get workers(): readonly WorkerProcess[] {
    return this.#workers;
  }

  /** The variables of a user, as the generator wrote them. */
  envOf(user: string): Record<string, string> {
    const entries = Object.entries(parseEnv(readFileSync(join(this.dir, 'users', `${user}.env`), 'utf8')));
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  passwordOf(user: string): string {
    return readFileSync(join(this.dir, 'users', `${user}.password`), 'utf8');
  }

  /** A connection as one of the users; the caller closes it. `servers`: others than all three. */
  connectAs(user: string, servers: string = this.url): Promise<Connection> {
    const { TROUPE_NATS_PASS_FILE: passFile = '', TROUPE_NATS_INBOX_PREFIX: inboxPrefix = '' } = this.envOf(user);
    const tls = { caFile: this.caFile };
    return connectNats({ servers, name: `as ${user}`, user, passFile, inboxPrefix, tls, waitMs: 20_000 });
  }

  /** A client of users, as its variables say; closed with the cluster. */
  async client(user = 'client', options: { readonly url?: string } = {}): Promise<Troupe> {
    const env = this.envOf(user);
    const troupe = await connect({
      url: options.url ?? this.url,
      user,
      passFile: env.TROUPE_NATS_PASS_FILE,
      inboxPrefix: env.TROUPE_NATS_INBOX_PREFIX,
      tls: { caFile: this.caFile },
      connectTimeoutMs: 20_000,
    });
    this.#closers.push(() => troupe.close());
    return troupe;
  }

  /** Starts a worker process with the worker's variables and nothing else of Troupe's, and goes on at once. */
  launchWorker(options: Partial<WorkerProcessOptions> & { readonly project: string }): WorkerProcess {
    const foreign = Object.keys(process.env).filter((name) => WORKER_ENV.test(name));
    const worker = new WorkerProcess({
      natsUrl: this.url,
      notesDir: this.dir,
      ...options,
      env: { ...Object.fromEntries(foreign.map((name) => [name, ''])), ...this.envOf('worker'), ...options.env },
    });
    this.#workers.push(worker);
    return worker;
  }

  /** The server that leads a stream. */
  async leaderOf(stream: string): Promise<NatsServerHandle> {
    return until(`a leader of ${stream}`, async () => {
      for (const server of this.servers.filter(({ pid }) => pid !== undefined)) {
        const leader = (await streamsOf(server)).find(({ name }) => name === stream)?.cluster?.leader;
        const found = this.servers[this.#files.servers.findIndex(({ name }) => name === leader)];
        if (found?.pid !== undefined) return found;
      }
      return undefined;
    });
  }

  /** Waits until every stream has a leader and two followers that are up with it. */
  settled(timeoutMs = FORMATION_TIMEOUT_MS): Promise<unknown> {
    return until(
      'three current copies of every stream',
      async () => {
        const views = await Promise.all(this.servers.map(streamsOf));
        const led = new Map<string, boolean>();
        for (const { name, cluster } of views.flat()) {
          const replicas = cluster?.replicas ?? [];
          const isCurrent = replicas.length === 2 && replicas.every(({ current, offline }) => current && !offline);
          led.set(name, (led.get(name) ?? false) || (cluster?.leader !== undefined && isCurrent));
        }
        return led.size > 0 && [...led.values()].every(Boolean);
      },
      timeoutMs,
    );
  }

  /** What the servers printed. */
  get serverLog(): string {
    return this.servers.map(({ log }, at) => `--- n${at + 1}\n${log}`).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#closers.map((close) => close().catch(() => undefined)));
    await Promise.all(this.#workers.map((worker) => worker.kill().catch(() => undefined)));
    await Promise.all(this.servers.map((server) => server.close()));
    rmSync(join(this.dir, '..'), { recursive: true, force: true });
  }

  async #start(withStreams: boolean): Promise<void> {
    const starting = this.#files.servers.map(({ name, configFile, storeDir, clientPort: port, monitorPort }) =>
      startNatsServer({ name, configFile, storeDir, port, monitorPort, readyTimeoutMs: FORMATION_TIMEOUT_MS }),
    );
    for (const started of await Promise.allSettled(starting)) {
      if (started.status === 'fulfilled') this.servers.push(started.value);
      else throw started.reason;
    }
    if (!withStreams) return;
    const operator = await this.connectAs('operator');
    try {
      let last: unknown;
      const make = async (): Promise<boolean> => {
        try {
          await provision(operator, this.config);
          return true;
        } catch (error) {
          if ((error as { code?: string }).code === 'StreamMismatch') throw error;
          last = error; // While the servers elect their first leader, nothing can be made yet.
          return false;
        }
      };
      await until('the streams', make, FORMATION_TIMEOUT_MS).catch((error: Error) => {
        throw new Error(`${error.message}\n${String(last)}\n${this.serverLog}`, { cause: last });
      });
    } finally {
      await operator.close();
    }
  }
}

/** Runs the generator. @throws Error with what it said. */
export async function generate(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [GENERATOR, ...args], { timeout: 60_000 });
  return stdout;
}

interface StreamView {
  readonly name: string;
  readonly cluster?: {
    readonly leader?: string;
    readonly replicas?: readonly { readonly name: string; readonly current: boolean; readonly offline?: boolean }[];
  };
}

async function streamsOf(server: NatsServerHandle): Promise<StreamView[]> {
  try {
    const response = await fetch(`${server.monitorUrl}/jsz?streams=1`, { signal: AbortSignal.timeout(2_000) });
    const body = (await response.json()) as { account_details?: { stream_detail?: StreamView[] }[] };
    return (body.account_details ?? []).flatMap((account) => account.stream_detail ?? []);
  } catch {
    return []; // It doesn't run, or not yet.
  }
}

async function freePorts(count: number): Promise<number[]> {
  const held = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
      return server;
    }),
  );
  const ports = held.map((server) => (server.address() as { port: number }).port);
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
