/** The nats-server that the example works on: one that is there, or one of its own on loopback. */
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import type { DeskOptions } from './options.ts';

/** Where the server is, or will be. Known before it runs, so that the worker can start at the same time. */
export interface NatsPlace {
  readonly url: string;
  /** Port to start one on; undefined when one is there. */
  readonly port: number | undefined;
  /** A sentence about it. */
  readonly note: string;
}

/** Something that was started. */
export interface Running {
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/**
 * Decides where the server is. The usual port may be taken; then another one will do.
 *
 * @throws Error when a port was asked for and is taken
 */
export async function chooseNats({ natsUrl, natsPort, natsPortFixed }: DeskOptions): Promise<NatsPlace> {
  if (natsUrl !== undefined) {
    return { url: natsUrl, port: undefined, note: `using the server at ${withoutSecrets(natsUrl)}` };
  }
  const own = await freePort(natsPort);
  const port = own ?? (await freePort(0))!;
  const url = urlOf(port);
  if (own !== undefined) return { url, port, note: `nats-server on ${url}` };
  const there = `to use the server there: --nats-url ${urlOf(natsPort)}`;
  if (natsPortFixed) throw new Error(`Port ${natsPort} is in use. Give another with --nats-port, or ${there}`);
  return { url, port, note: `nats-server on ${url}, because port ${natsPort} is in use (${there})` };
}

/** Starts the server, unless one is there. `onExit` gets its log when it ends by itself. */
export async function startNats(place: NatsPlace, dataDir: string, onExit: (log: string) => void): Promise<Running> {
  if (place.port === undefined) return { close: async () => {} };
  const { startServerProcess } = await import('@troupe/nats');
  return startServerProcess({
    port: place.port,
    storeDir: join(dataDir, 'nats'),
    onUnexpectedExit: ({ log }) => onExit(log),
  });
}

/** The port, or for 0 any free one; undefined when it is taken. */
function freePort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen(port, HOST, () => {
      const found = (probe.address() as AddressInfo).port;
      probe.close(() => resolve(found));
    });
  });
}

function urlOf(port: number): string {
  return `nats://${HOST}:${port}`;
}

function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^@/]*@/g, '//');
}
