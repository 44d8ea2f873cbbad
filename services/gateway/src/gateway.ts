/**
 * The gateway: an HTTP server in front of a troupe.
 *
 * Built on `node:http` itself: what matters here is below what frameworks offer (limits of heads and sockets, upgrades, event
 * streams), and thirty routes need no more than a table.
 *
 * Invariants
 * 1. It listens beyond this machine only with tokens (`options.ts`).
 * 2. Whatever a client does or leaves undone, its connection has an end: `headMs`, `requestMs`, `answerMsMax`, `idleMs`.
 * 3. Closing ends everything within `CLOSE_MS`.
 */
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Troupe } from '@troupe/client';
import type { ActorDefinition } from '@troupe/core';
import { type Logger, MetricsRegistry } from '@troupe/diagnostics';
import type { Ports } from '@troupe/runtime';
import { createSubjects, TroupeError } from '@troupe/wire';
import { Authenticator } from './auth/authenticator.ts';
import { OriginGuard } from './auth/origin-guard.ts';
import { RateLimiter } from './auth/rate-limiter.ts';
import { Sessions } from './auth/sessions.ts';
import { sessionRoutes } from './auth/sign-in.ts';
import type { GatewayContext } from './context.ts';
import { collectWorkers, createGatewayMetrics } from './gateway-metrics.ts';
import { EventChannels } from './http/event-channels.ts';
import { json } from './http/reply.ts';
import type { Route } from './http/route.ts';
import { Router } from './http/router.ts';
import { StaticFiles } from './http/static-files.ts';
import type { MakeMount } from './mount.ts';
import { openApiDocument } from './openapi/document.ts';
import { type ListenOptions, type ResolvedListenOptions, resolveListenOptions } from './options.ts';
import { RequestHandler } from './request-handler.ts';
import { ROUTES } from './routes/index.ts';
import { UpgradeHandler } from './upgrade-handler.ts';

/** What a gateway is made of. The connections stay the caller's: closing the gateway leaves them open. */
export interface GatewayOptions extends ListenOptions {
  readonly troupe: Troupe;
  readonly ports: Ports;
  /** First tokens of every subject. Default `troupe`. */
  readonly prefix?: string;
  readonly definitions?: readonly ActorDefinition[];
  readonly log: Logger;
  /** Default: one of its own. */
  readonly metrics?: MetricsRegistry;
  readonly mounts?: readonly MakeMount[];
  /** A folder with an index.html that is served under `/`. */
  readonly page?: { readonly dir: string } | undefined;
}

/** A gateway that runs. */
export interface Gateway extends AsyncDisposable {
  /** `http://127.0.0.1:4280`, with the port that it got. */
  readonly url: string;
  readonly port: number;
  /** Whether requests need a token. */
  readonly needsToken: boolean;
  readonly metrics: MetricsRegistry;
  /** Ends every connection. Idempotent. */
  close(): Promise<void>;
}

/** Addresses whose rate is remembered. */
const ADDRESSES_MAX = 10_000;
/** Signed-in browsers. */
const SESSIONS_MAX = 1_024;
const HEAD_BYTES_MAX = 16_384;
/** How long open requests may go on when it closes, ms. */
const CLOSE_MS = 2_000;
const now = (): number => performance.now();

/**
 * Starts a gateway.
 *
 * @throws TroupeError `ConfigInvalid` for an address that is taken or can't be had, one beyond this machine without tokens, and
 * options that can't be used.
 * @example
 * await using gateway = await startGateway({ troupe, ports, log, listen: '127.0.0.1:0' });
 * console.log(gateway.url);
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const resolved = resolveListenOptions(options);
  const closing = new AbortController();
  const metrics = options.metrics ?? new MetricsRegistry();
  const context: GatewayContext = {
    troupe: options.troupe,
    ports: options.ports,
    subjects: createSubjects(options.prefix),
    definitions: options.definitions ?? [],
    log: options.log,
    metrics,
    limits: resolved.limits,
    channels: new EventChannels(resolved.limits),
    signal: closing.signal,
  };
  const server = createHttpServer(resolved);
  await listenSomewhere(server, resolved);
  const { port } = server.address() as AddressInfo;
  try {
    const close = serve(server, { options, resolved, context, port });
    const scheme = resolved.tls === undefined ? 'http' : 'https';
    const host = resolved.host.includes(':') ? `[${resolved.host}]` : resolved.host;
    let closed: Promise<void> | undefined;
    const closeOnce = (): Promise<void> => {
      closing.abort(new TroupeError('Closed', 'The gateway is closing.'));
      closed ??= close();
      return closed;
    };
    const url = `${scheme}://${host}:${port}`;
    const needsToken = resolved.tokens.required;
    return { url, port, needsToken, metrics, close: closeOnce, [Symbol.asyncDispose]: closeOnce };
  } catch (error) {
    server.close();
    throw error;
  }
}

interface Serving {
  readonly options: GatewayOptions;
  readonly resolved: ResolvedListenOptions;
  readonly context: GatewayContext;
  readonly port: number;
}

/** Puts everything behind the server. @returns how to end it. */
function serve(server: Server, { options, resolved, context, port }: Serving): () => Promise<void> {
  const { limits, tokens } = resolved;
  const metrics = createGatewayMetrics(context.metrics);
  const perMinute = limits.wrongTokensPerMinuteMax;
  const wrong = new RateLimiter({ perSecond: perMinute / 60, burst: perMinute, keysMax: ADDRESSES_MAX, now });
  const sessions = new Sessions({
    ttlMs: limits.sessionMs,
    sessionsMax: SESSIONS_MAX,
    secure: resolved.secureCookie,
    now,
  });
  const authenticator = new Authenticator(tokens, sessions, wrong, () =>
    context.log.warn({}, 'a request came with a token that is not known'),
  );
  const perSecond = limits.requestsPerSecondMax;
  const handler = new RequestHandler({
    context,
    guard: new OriginGuard({ hosts: resolved.hosts, port }),
    limiter: new RateLimiter({ perSecond, burst: 2 * perSecond, keysMax: ADDRESSES_MAX, now }),
    authenticator,
    router: new Router(allRoutes(authenticator)),
    page: options.page === undefined ? undefined : new StaticFiles(options.page.dir),
    metrics,
    log: context.log,
  });
  const mounts = (options.mounts ?? []).map((make) => make(context));
  const upgrades = new UpgradeHandler({ context, handler, authenticator, mounts, metrics });
  collectWorkers(context.metrics, context, now);
  context.metrics.collect(() => {
    server.getConnections((_error, count = 0) => metrics.open.set(count, { what: 'connections' }));
    metrics.open.set(handler.streams, { what: 'event streams' });
    metrics.open.set(upgrades.sockets, { what: 'WebSockets' });
  });
  const { channels } = context;
  let cut = false;
  const status = context.ports.bus.onStatus((connected) => {
    if (connected && cut) channels.gap();
    cut = !connected;
  });
  server.on('request', (request, response) => void handler.handle(request, response));
  server.on('upgrade', (request, socket, head) => upgrades.handle(request, socket, head));
  return async () => {
    status.close();
    channels.close();
    await shutDown(server, handler, upgrades);
  };
}

/** Every route, the document among them; also without a gateway, for the reference. */
export function allRoutes(authenticator: Authenticator): readonly Route[] {
  const routes: Route[] = [...ROUTES, ...sessionRoutes(authenticator)];
  routes.push({
    method: 'GET',
    path: '/openapi.json',
    operationId: 'openApi',
    tag: 'health',
    summary: 'This document.',
    role: 'read',
    responses: { 200: { meaning: 'OpenAPI 3.1.', schema: { type: 'object' } } },
    handle: () => json(openApiDocument(routes, authenticator.required)),
  });
  return routes;
}

/** Invariant 2. */
function createHttpServer({ tls, limits }: ResolvedListenOptions): Server {
  const options = {
    maxHeaderSize: HEAD_BYTES_MAX,
    headersTimeout: limits.headMs,
    requestTimeout: Math.max(limits.requestMs, limits.headMs),
    connectionsCheckingInterval: Math.min(1_000, limits.headMs),
    keepAliveTimeout: 5_000,
    insecureHTTPParser: false,
    requireHostHeader: false, // The guard refuses a missing one, with a reason.
  };
  const server =
    tls === undefined ? createServer(options) : (createTlsServer({ ...options, ...tls }) as unknown as Server);
  server.maxConnections = limits.connectionsMax;
  server.timeout = limits.idleMs;
  return server;
}

/** On the port that was asked for, else on one of the next ones, else on a free one; the latter two only where that is wanted. */
async function listenSomewhere(server: Server, { host, port, nextPorts }: ResolvedListenOptions): Promise<void> {
  const others = Array.from({ length: nextPorts }, (_, n) => port + 1 + n).filter((next) => next <= 65_535);
  const ports = nextPorts === 0 ? [port] : [port, ...others, 0];
  for (const [at, candidate] of ports.entries()) {
    const cause = await listen(server, host, candidate);
    if (cause === undefined) return;
    const taken = cause.code === 'EADDRINUSE';
    if (taken && at < ports.length - 1) continue;
    const hint = taken
      ? 'something listens there already: choose another port with --listen HOST:PORT, 0 for a free one'
      : cause.message;
    throw new TroupeError('ConfigInvalid', `The gateway can't listen on ${host}:${candidate}: ${hint}.`, { cause });
  }
}

/** @returns why it can't. */
function listen(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const onListening = (): void => {
      server.off('error', onError);
      server.on('error', () => undefined);
      resolve(undefined);
    };
    const onError = (cause: Error): void => {
      server.off('listening', onListening);
      resolve(cause);
    };
    server.once('error', onError).once('listening', onListening).listen({ host, port });
  });
}

/** Invariant 3. */
async function shutDown(server: Server, handler: RequestHandler, upgrades: UpgradeHandler): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  handler.close();
  await upgrades.close();
  server.closeIdleConnections();
  const late = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
  await closed;
  clearTimeout(late);
}
