/**
 * WebSocket requests: checked as every request, then handed to the mount of their path.
 *
 * Invariants
 * 1. A browser's socket has an Origin, and it is ours; without Origin it is no browser, and carries a token where one is
 *    wanted.
 * 2. At most `streamsMax` sockets are open. All are destroyed when the gateway closes.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { TroupeError } from '@troupe/wire';
import { type Authenticator, demand } from './auth/authenticator.ts';
import type { GatewayContext } from './context.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import { errorBody, HttpError, tooMany } from './http/http-error.ts';
import type { WebSocketMount } from './mount.ts';
import type { RequestHandler } from './request-handler.ts';

export interface UpgradeParts {
  readonly context: GatewayContext;
  readonly handler: RequestHandler;
  readonly authenticator: Authenticator;
  readonly mounts: readonly WebSocketMount[];
  readonly metrics: GatewayMetrics;
}

export class UpgradeHandler {
  readonly #parts: UpgradeParts;
  readonly #sockets = new Set<Duplex>();

  constructor(parts: UpgradeParts) {
    this.#parts = parts;
  }

  /** Open sockets. */
  get sockets(): number {
    return this.#sockets.size;
  }

  /** Never throws. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    try {
      this.#open(request, socket, head);
    } catch (error) {
      this.#refuse(socket, error);
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#parts.mounts.map(async (mount) => mount.close?.()));
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { handler, authenticator, mounts, context } = this.#parts;
    const { path } = handler.admit(request);
    const principal = authenticator.authenticate(request);
    const mount = mounts.find((one) => one.path === path);
    if (mount === undefined) throw new TroupeError('NotFound', 'There is no WebSocket at this path.');
    demand(principal, mount.role);
    if (this.#sockets.size >= context.limits.streamsMax)
      throw tooMany(`${context.limits.streamsMax} WebSockets are open already`, 1_000);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // A socket lives long; the time limits of requests are not for it.
    (socket as Duplex & { setTimeout?(ms: number): void }).setTimeout?.(0);
    mount.open(request, socket, head, principal);
  }

  #refuse(socket: Duplex, error: unknown): void {
    const { status, body } = errorBody(error);
    this.#parts.metrics.refused.inc({ code: String(body.code) });
    if (!(error instanceof HttpError || error instanceof TroupeError))
      this.#parts.context.log.error({ error }, 'a WebSocket could not be opened');
    const text = JSON.stringify(body);
    socket.end(
      `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      () => socket.destroy(),
    );
  }
}
