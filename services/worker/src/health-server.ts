/**
 * `/livez` and `/readyz`: for whoever starts and stops processes. They only look, take no input, and tell no secret; on
 * loopback unless configured otherwise.
 *
 * Invariants
 * 1. It answers GET and HEAD, and reads no body; connections, headers and time have limits.
 * 2. `/livez` answers 200 whenever the process can answer and has not given up: what is not ready is no reason to be killed.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TroupeError } from '@troupe/wire';

/** What one of the two answers. */
export interface HealthAnswer {
  readonly ok: boolean;
  /** JSON. */
  readonly body: object;
}

export interface HealthEndpoints {
  live(): HealthAnswer;
  ready(): HealthAnswer;
}

export interface HealthServer {
  readonly url: string;
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 64;
const REQUEST_TIMEOUT_MS = 5_000;
const HEADER_BYTES_MAX = 8_192;

/**
 * Listens.
 *
 * @throws TroupeError `ConfigInvalid` when the port can't be had.
 */
export async function serveHealth(host: string, port: number, endpoints: HealthEndpoints): Promise<HealthServer> {
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: HEADER_BYTES_MAX },
    (request, response) => answer(request, response, endpoints),
  );
  server.maxConnections = CONNECTIONS_MAX;
  // It must not keep a process alive that has nothing else to do.
  server.unref();
  await listen(server, host, port);
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, endpoints: HealthEndpoints): void {
  const { status, body } = answerOf(request, endpoints);
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    ...(status === 405 ? { Allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

function answerOf(
  { method, url = '/' }: IncomingMessage,
  endpoints: HealthEndpoints,
): { status: number; body: object } {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: { message: 'Use GET or HEAD.' } };
  const path = url.split('?')[0];
  const found = path === '/livez' ? endpoints.live() : path === '/readyz' ? endpoints.ready() : undefined;
  if (found === undefined) return { status: 404, body: { message: 'There are /livez and /readyz.' } };
  return { status: found.ok ? 200 : 503, body: found.body };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new TroupeError(
          'ConfigInvalid',
          `/livez and /readyz can't listen on ${host}, port ${port}: ${cause.message}. Choose others with --health-host and --health-port.`,
          { cause },
        ),
      ),
    );
    server.listen(port, host, () => resolve());
  });
}
