/** A real nats-server on a free port, which can be killed and started again on the same data. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #dir: string;
  readonly #config: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, dir: string, config: string) {
    this.port = port;
    this.#dir = dir;
    this.#config = config;
  }

  /** `config` is added to the server's configuration file. */
  static async start(config = ''): Promise<NatsServer> {
    const dir = await mkdtemp(join(tmpdir(), 'troupe-client-'));
    const server = new NatsServer(await freePort(), dir, config);
    await server.run();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async run(): Promise<void> {
    const file = join(this.#dir, 'server.conf');
    const store = join(this.#dir, 'store');
    await writeFile(file, `listen: 127.0.0.1:${this.port}\njetstream { store_dir: "${store}" }\n${this.#config}\n`);
    this.#process = spawn(process.env.TROUPE_NATS_SERVER ?? 'nats-server', ['-c', file], { stdio: 'ignore' });
    await listening(this.port);
  }

  /** No goodbye: SIGKILL. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nats-server did not listen on port ${port} within 5 s`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1');
    socket.once('data', () => end(true));
    socket.once('error', () => end(false));
    const end = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
  });
}
