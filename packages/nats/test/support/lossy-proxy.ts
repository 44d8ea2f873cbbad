/** A TCP proxy before the server, which can swallow an acknowledgement and then cut the line, as a bad network does. */
import { createServer, connect as dial, type Server, type Socket } from 'node:net';

/** From the swallowed acknowledgement until the line is cut, ms. */
const CUT_AFTER_MS = 100;
const PUBLISH = /(^|\r\n)H?PUB /;

export class LossyProxy {
  readonly #server: Server;
  readonly #pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  #losesNextAck = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(targetPort: number): Promise<LossyProxy> {
    const server = createServer();
    const proxy = new LossyProxy(server);
    server.on('connection', (client) => proxy.#connect(client, targetPort));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return `nats://127.0.0.1:${address.port}`;
  }

  /** The next publish goes through; nothing comes back any more, and then the line is cut. */
  loseNextAck(): void {
    this.#losesNextAck = true;
  }

  /** Cuts every line; new ones may be made. */
  cut(): void {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
    this.#pairs.clear();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #connect(client: Socket, targetPort: number): void {
    const upstream = dial(targetPort, '127.0.0.1');
    const pair = { client, upstream };
    this.#pairs.add(pair);
    let deaf = false;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
      this.#pairs.delete(pair);
    };
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    client.on('data', (chunk) => {
      if (this.#losesNextAck && PUBLISH.test(chunk.toString('latin1'))) {
        this.#losesNextAck = false;
        deaf = true;
        setTimeout(end, CUT_AFTER_MS);
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (!deaf) client.write(chunk);
    });
    for (const socket of [client, upstream]) {
      socket.on('error', end);
      socket.on('close', end);
    }
  }
}
