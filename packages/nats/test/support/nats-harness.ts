/** The world with a real nats-server, for the conformance suites. One server per file, streams of their own per test. */
import {
  connectNats,
  createNatsPorts,
  type NatsConfig,
  provision,
  resolveConfig,
  type ServerProcess,
  startServerProcess,
} from '@troupe/nats';
import { JsApi } from '@troupe/nats/internal';
import type { Ports } from '@troupe/runtime';
import type { Harness, HarnessOptions } from '@troupe/runtime/internal';
import { LossyProxy } from './lossy-proxy.ts';

const POLL_MS = 5;
const MIB = 1024 * 1024;

/** Starts the server that all worlds of a test file share. */
export async function startWorlds(): Promise<{
  make(options?: HarnessOptions): Promise<Harness>;
  close(): Promise<void>;
}> {
  const server = await startServerProcess({});
  let count = 0;
  return {
    make: async (options = {}) => {
      const bytesMax = options.journalBytesMax ?? 256 * MIB;
      const config = resolveConfig({
        prefix: `w${++count}`,
        journal: { bytesMax },
        snapshots: { bytesMax: 256 * MIB },
        deadLetters: { bytesMax: 64 * MIB },
        outs: { bytesMax: 64 * MIB, types: ['kept'] },
      });
      const connection = await connectNats({ servers: server.url, waitMs: 5_000 });
      await provision(connection, config);
      await connection.close();
      return new NatsHarness(server, config);
    },
    close: () => server.close(),
  };
}

class NatsHarness implements Harness {
  readonly #server: ServerProcess;
  readonly #config: NatsConfig;
  readonly #workers = new Map<Ports, LossyProxy>();
  #running = true;

  constructor(server: ServerProcess, config: NatsConfig) {
    this.#server = server;
    this.#config = config;
  }

  get subjects(): Harness['subjects'] {
    return this.#config.subjects;
  }

  async connect(): Promise<Ports> {
    const proxy = await LossyProxy.start(this.#server.port);
    const ports = createNatsPorts(await connectNats({ servers: proxy.url, waitMs: 5_000 }), this.#config);
    this.#workers.set(ports, proxy);
    return ports;
  }

  pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, ms);
    });
  }

  run<T>(call: Promise<T>): Promise<T> {
    return call;
  }

  async until(condition: () => boolean, ms = 10_000): Promise<void> {
    const endAt = performance.now() + ms;
    while (!condition()) {
      if (performance.now() > endAt) throw new Error(`not so within ${ms} ms`);
      await this.pass(POLL_MS);
    }
  }

  async publishRaw(subject: string, payload: Uint8Array, headers: Record<string, string> = {}): Promise<void> {
    const ports = await this.connect();
    await ports.bus.request(subject, payload, { timeoutMs: 5_000, headers });
  }

  async stopServer(): Promise<void> {
    this.#running = false;
    await this.#server.kill('SIGKILL');
  }

  async startServer(): Promise<void> {
    await this.#server.restart();
    this.#running = true;
  }

  loseNextAck(ports: Ports): void {
    this.#workers.get(ports)!.loseNextAck();
  }

  async close(): Promise<void> {
    for (const [ports, proxy] of this.#workers) {
      await ports.close();
      await proxy.close();
    }
    if (!this.#running) await this.startServer();
    await this.#deleteStreams();
  }

  async #deleteStreams(): Promise<void> {
    const connection = await connectNats({ servers: this.#server.url, waitMs: 5_000 });
    const api = new JsApi(connection);
    const names = [...this.#config.journals.map(({ name }) => name), ...Object.values(this.#config.streams)];
    await Promise.all(names.map((name) => api.call(`STREAM.DELETE.${name}`).catch(() => undefined)));
    await connection.close();
  }
}
