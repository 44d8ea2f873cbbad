/**
 * A server, a worker and a client of one test, on loopback, in a folder of their own.
 *
 * Invariants
 * 1. Closing ends every process that it started and removes every file that it made.
 * 2. Nothing waits without a deadline.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyAgent, type OpenedJournal, openJournal } from '@troupe/agent';
import { connect, type Troupe } from '@troupe/client';
import { connectNats, createNatsPorts, provision, resolveConfig } from '@troupe/nats';
import { type NatsServerHandle, startNatsServer } from '@troupe/testing';
import { PARTITIONS } from './partitions.ts';
import type { Random } from './random.ts';
import { WorkerProcess, type WorkerProcessOptions } from './worker-process.ts';

/** How long the server may take to tell of itself, ms. */
const MONITOR_MS = 10_000;

export interface WorldOptions {
  /** File name in `src/configs`, without `.config.ts`. */
  readonly project: string;
  /** What the project says. Default `PARTITIONS`. */
  readonly partitions?: number;
  /** Requests of the client under way at once. */
  readonly inFlightMax?: number;
  /** Start without a worker; the streams are there. Default false. */
  readonly idle?: boolean;
}

/** Of what a worker answers to `control.stats`. */
export interface WorkerFigures {
  readonly resident: number;
  readonly residentBytes: number;
  readonly about: { readonly heapUsedBytes: number };
}

export class World {
  readonly server: NatsServerHandle;
  readonly troupe: Troupe;
  readonly #notesDir: string;
  readonly #partitions: number;
  readonly #project: string;
  readonly #workers: WorkerProcess[] = [];

  private constructor(server: NatsServerHandle, troupe: Troupe, notesDir: string, options: WorldOptions) {
    this.server = server;
    this.troupe = troupe;
    this.#notesDir = notesDir;
    this.#partitions = options.partitions ?? PARTITIONS;
    this.#project = options.project;
  }

  /** @example await using world = await World.start({ project: 'talkers' }); */
  static async start(options: WorldOptions): Promise<World> {
    const server = await startNatsServer();
    const notesDir = mkdtempSync(join(tmpdir(), 'troupe-notes-'));
    try {
      const { inFlightMax } = options;
      const troupe = await connect({ url: server.url, ...(inFlightMax === undefined ? {} : { inFlightMax }) });
      const world = new World(server, troupe, notesDir, options);
      await world.#provision();
      if (options.idle !== true) await world.startWorker();
      return world;
    } catch (error) {
      await server.close();
      rmSync(notesDir, { recursive: true, force: true });
      throw error;
    }
  }

  /** The worker that runs, or ran last. */
  get worker(): WorkerProcess {
    const worker = this.#workers.at(-1);
    if (worker === undefined) throw new Error('no worker was started');
    return worker;
  }

  /** What every worker of this world said. */
  get log(): string {
    return this.#workers.map((worker, at) => `--- worker ${at}\n${worker.log}`).join('\n');
  }

  /** Starts a worker, and waits until it is ready. */
  startWorker(options: Partial<WorkerProcessOptions> = {}): Promise<WorkerProcess> {
    return this.launchWorker(options).ready();
  }

  /** Starts a worker, and goes on at once. */
  launchWorker(options: Partial<WorkerProcessOptions> = {}): WorkerProcess {
    const worker = new WorkerProcess({
      natsUrl: this.server.url,
      project: this.#project,
      notesDir: this.#notesDir,
      ...options,
    });
    this.#workers.push(worker);
    return worker;
  }

  /** `kill -9` of the worker, then a new one. */
  async crashWorker(options: Partial<WorkerProcessOptions> = {}): Promise<void> {
    await this.worker.kill();
    await this.startWorker(options);
  }

  /** SIGTERM, then a new one. */
  async restartWorker(options: Partial<WorkerProcessOptions> = {}): Promise<void> {
    await this.worker.stop();
    await this.startWorker(options);
  }

  /**
   * One of the ways in which things end, chosen at random: `kill -9` of the worker while it runs, while it starts, while it
   * drains; `kill -9` of the server, alone or with the worker. Afterwards all is up again.
   *
   * @returns what was done.
   */
  async crashSomehow(random: Random): Promise<string> {
    const pauseMs = Math.floor(random() * 1_500);
    const ways: Readonly<Record<string, () => Promise<void>>> = {
      'worker while it runs': () => this.crashWorker(),
      'worker while it starts': async () => {
        await this.worker.kill();
        const starting = this.launchWorker();
        await sleep(pauseMs);
        await starting.kill();
        await this.startWorker();
      },
      'worker while it drains': async () => {
        this.worker.askToStop();
        await sleep(pauseMs / 10);
        await this.worker.kill();
        await this.startWorker();
      },
      server: () => this.crashServer(),
      'worker and server': async () => {
        await this.server.kill('SIGKILL');
        await this.worker.kill();
        await this.server.restart();
        await this.startWorker();
      },
    };
    const names = Object.keys(ways);
    const name = names[Math.floor(random() * names.length)]!;
    await ways[name]!();
    return `${name}, ${pauseMs} ms`;
  }

  /** `kill -9` of the server, then the same again on its store. */
  async crashServer(): Promise<void> {
    await this.server.kill('SIGKILL');
    await this.server.restart();
  }

  /** What agents noted under a name, line by line. */
  notes(name: string): string[] {
    try {
      return readFileSync(join(this.#notesDir, name), 'utf8').split('\n').filter(Boolean);
    } catch {
      return [];
    }
  }

  /** Leaves a note for agents. */
  write(name: string, text: string): void {
    writeFileSync(join(this.#notesDir, name), text);
  }

  /** Messages in the journal. */
  async journalLength(): Promise<number> {
    const response = await fetch(`${this.server.monitorUrl}/jsz?streams=1`, {
      signal: AbortSignal.timeout(MONITOR_MS),
    });
    const body = (await response.json()) as {
      account_details?: { stream_detail?: { name: string; state: { messages: number } }[] }[];
    };
    const streams = (body.account_details ?? []).flatMap((account) => account.stream_detail ?? []);
    return streams.find(({ name }) => name === 'TROUPE_JOURNAL')?.state.messages ?? 0;
  }

  /** What the worker tells of itself; with several, the one that is first. */
  async workerStats(): Promise<WorkerFigures> {
    const connection = await connectNats({ servers: this.server.url, waitMs: 10_000 });
    const ports = createNatsPorts(connection, resolveConfig({ partitions: this.#partitions }));
    try {
      const { payload } = await ports.bus.request('troupe.control.stats', new Uint8Array(0), { timeoutMs: 10_000 });
      return JSON.parse(new TextDecoder().decode(payload)) as WorkerFigures;
    } finally {
      await ports.close();
    }
  }

  /** Reads journals as an operator does, with no worker's help. */
  async readJournal<T>(actors: readonly AnyAgent[], read: (journal: OpenedJournal) => Promise<T>): Promise<T> {
    const connection = await connectNats({ servers: this.server.url, waitMs: 10_000 });
    const ports = createNatsPorts(connection, resolveConfig({ partitions: this.#partitions }));
    try {
      return await read(openJournal({ ports, actors: actors as never }));
    } finally {
      await ports.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.troupe.close().catch(() => undefined);
    await Promise.all(this.#workers.map((worker) => worker.kill().catch(() => undefined)));
    await this.server.close();
    rmSync(this.#notesDir, { recursive: true, force: true });
  }

  async #provision(): Promise<void> {
    const connection = await connectNats({ servers: this.server.url, waitMs: 10_000 });
    try {
      await provision(connection, resolveConfig({ partitions: this.#partitions }));
    } finally {
      await connection.close();
    }
  }
}
