/** The server that `troupe dev` works with: its own, or one that runs already. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { TroupeError } from '@troupe/wire';

export interface DevServer {
  readonly url: string;
  /** Whether it is this command's own, and ends with it. */
  readonly own: boolean;
  close(): Promise<void>;
}

export interface DevServerOptions {
  /** Of a running server; then none is started. */
  readonly url: string | undefined;
  readonly port: number;
  readonly dataDir: string;
  /** The server ended by itself. */
  onExit(log: string): void;
}

const HOST = '127.0.0.1';

/** @throws TroupeError `ServerMissing`, `ConfigInvalid` when the port or the folder is in use, `Timeout` */
export async function openServer(options: DevServerOptions): Promise<DevServer> {
  if (options.url !== undefined) return { url: options.url, own: false, close: async () => undefined };
  if (options.port !== 0 && (await isTaken(options.port))) {
    throw new TroupeError(
      'ConfigInvalid',
      `Something listens on ${HOST}:${options.port} already. Use it with --nats-url nats://${HOST}:${options.port} if it is a nats-server with JetStream, or choose another port with --nats-port.`,
    );
  }
  const lock = await lockFolder(options.dataDir);
  try {
    const { startServerProcess } = await import('@troupe/nats');
    const server = await startServerProcess({
      port: options.port,
      storeDir: options.dataDir,
      name: 'troupe-dev',
      onUnexpectedExit: ({ log }) => options.onExit(log),
    });
    return {
      url: server.url,
      own: true,
      close: async () => {
        await server.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** JetStream takes no lock itself; two servers over one folder would ruin it. */
async function lockFolder(dataDir: string): Promise<{ release(): Promise<void> }> {
  const file = join(dirname(dataDir), 'dev.pid');
  await mkdir(dataDir, { recursive: true });
  const holder = Number(await readFile(file, 'utf8').catch(() => ''));
  if (holder > 0 && holder !== process.pid && isAlive(holder)) {
    throw new TroupeError(
      'ConfigInvalid',
      `Another troupe dev (process ${holder}) works in ${dataDir}. Stop it, or give this one a folder of its own with --data DIR and a port with --nats-port.`,
    );
  }
  await writeFile(file, `${process.pid}\n`);
  return { release: () => rm(file, { force: true }) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
