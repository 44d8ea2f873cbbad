/** A real server under an older version's number: a TCP proxy that changes what the server says of itself, and nothing else. */
import { createServer, connect as dial, type Socket } from 'node:net';

export interface OlderServer extends AsyncDisposable {
  readonly url: string;
}

/** In front of the server at `targetUrl`. */
export async function olderServer(targetUrl: string, version: string): Promise<OlderServer> {
  const { hostname, port } = new URL(targetUrl);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = dial(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          client.destroy();
          upstream.destroy();
          sockets.delete(socket);
        });
    }
    // It says who it is in its first line, and again once somebody has introduced himself.
    upstream.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      const told = text.replace(/(^|\r\n)(INFO \{[^\r]*"version":)"[^"]+"/g, `$1$2"${version}"`);
      client.write(told === text ? chunk : Buffer.from(told, 'latin1'));
    });
    client.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `nats://127.0.0.1:${(server.address() as { port: number }).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
