/**
 * The line between one process and one server: a TCP proxy on loopback that a test can cut, silence or slow down.
 *
 * Invariants
 * 1. Bytes are passed on unchanged and in order, whatever happens; only when, and whether, changes.
 * 2. What waits while the line is silent is bounded by the sockets: neither side is read then.
 * 3. Closing ends every connection.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

export class Link {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #cut = false;
  #silent = false;
  #delayMs = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** @example const link = await Link.open(server.port); connect({ url: `nats://127.0.0.1:${link.port}` }); */
  static async open(targetPort: number): Promise<Link> {
    const link = new Link(targetPort);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Connections that stand. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Ends every connection, and each new one at once, until `heal()`. */
  cut(): void {
    this.#cut = true;
    for (const pair of [...this.#pairs]) this.#end(pair);
  }

  /** Nothing arrives any more on either side, and nobody is told, until `heal()`: as a cable that was pulled. */
  silence(): void {
    this.#silent = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** Each piece of what arrives waits for so long, one after the other, until `heal()`: a line that is slow and narrow. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** As good as new. What was held goes on, in order. */
  heal(): void {
    this.#cut = false;
    this.#silent = false;
    this.#delayMs = 0;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(near: Socket): void {
    if (this.#cut) {
      near.on('error', () => undefined);
      near.destroy();
      return;
    }
    const far = connect(this.#targetPort, '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => this.#end(pair));
      socket.on('close', () => this.#end(pair));
    }
    near.pipe(this.#late()).pipe(far);
    far.pipe(this.#late()).pipe(near);
    // A pipe resumes what it reads from; silence comes after it.
    if (this.#silent) queueMicrotask(() => pair.forEach((socket) => void socket.pause()));
  }

  #end(pair: readonly [Socket, Socket]): void {
    if (!this.#pairs.delete(pair)) return;
    for (const socket of pair) socket.destroy();
  }

  #late(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        if (this.#delayMs === 0) done(null, chunk);
        else setTimeout(done, this.#delayMs, null, chunk);
      },
    });
  }
}
