/**
 * One request, from its head to its answer.
 *
 * Invariants
 * 1. The order of checks: Host and Origin, rate, target, who it is, route, role, parameters, body. Nothing about routes is
 *    told to somebody who may not use the gateway.
 * 2. Every request gets exactly one answer, at the latest after `answerMsMax` (event streams: a head by then).
 * 3. Answers carry no text of the client in their heads. What is logged of a request is its route, not its path: keys may be
 *    names of people, and a token may have been put in the wrong place.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@troupe/diagnostics';
import { isTroupeError, TroupeError, toJsonValue } from '@troupe/wire';
import { type Authenticator, demand } from './auth/authenticator.ts';
import type { OriginGuard } from './auth/origin-guard.ts';
import type { RateLimiter } from './auth/rate-limiter.ts';
import type { Principal } from './auth/role.ts';
import { SIGN_IN_PAGE } from './auth/sign-in.ts';
import type { GatewayContext } from './context.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import { EventStream } from './http/event-stream.ts';
import { GatewayRequest } from './http/gateway-request.ts';
import { errorBody, HttpError, tooMany } from './http/http-error.ts';
import type { Reply } from './http/reply.ts';
import type { Found, Router } from './http/router.ts';
import { API_HEADERS, PAGE_HEADERS } from './http/security-headers.ts';
import type { StaticFile, StaticFiles } from './http/static-files.ts';
import { parseTarget, type Target } from './http/target.ts';

/** What handling needs; all of it lives as long as the gateway. */
export interface HandlerParts {
  readonly context: GatewayContext;
  readonly guard: OriginGuard;
  readonly limiter: RateLimiter;
  readonly authenticator: Authenticator;
  readonly router: Router;
  readonly page: StaticFiles | undefined;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
}

const HTML = 'text/html; charset=utf-8';
/** When a browser whose event stream was cut connects again, ms. */
const RECONNECT_MS = 2_000;

export class RequestHandler {
  readonly #parts: HandlerParts;
  readonly #streams = new Set<EventStream>();

  constructor(parts: HandlerParts) {
    this.#parts = parts;
  }

  /** Open event streams. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { metrics, log } = this.#parts;
    const startedAt = performance.now();
    const seen: { route: string } = { route: 'none' };
    response.once('close', () => {
      const { method = '' } = request;
      const status = `${response.statusCode}`;
      metrics.requests.inc({ route: seen.route, method: knownMethod(method), status });
      const tookMs = performance.now() - startedAt;
      if (response.getHeader('Content-Type') !== 'text/event-stream')
        metrics.seconds.observe(tookMs / 1_000, { route: seen.route });
      log.debug({ route: seen.route, method, status, tookMs: Math.round(tookMs) }, 'request answered');
    });
    try {
      await this.#answer(request, response, seen);
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  close(): void {
    for (const stream of this.#streams) stream.end();
  }

  /** Invariant 1. @throws HttpError, TroupeError */
  admit(request: IncomingMessage): Target {
    const { guard, limiter } = this.#parts;
    guard.check(request);
    const waitMs = limiter.take(request.socket.remoteAddress ?? '');
    if (waitMs > 0) throw tooMany('This address sends more requests than it may', waitMs);
    return parseTarget(request.url ?? '');
  }

  async #answer(request: IncomingMessage, response: ServerResponse, seen: { route: string }): Promise<void> {
    const { authenticator, router, context } = this.#parts;
    const target = this.admit(request);
    const open = target.path === '/v1/session' && request.method === 'POST';
    const principal = open ? undefined : authenticator.authenticate(request);
    const found = router.find(request.method ?? '', target);
    if (found === undefined) return this.#servePage(request, response, target, seen);
    seen.route = found.route.path;
    if (found.route.role !== 'anyone') demand(principal!, found.route.role);
    const { signal, end } = this.#deadline(response, context.signal);
    try {
      await this.#run(request, response, { found, target, principal, signal });
    } finally {
      end();
    }
  }

  async #run(
    raw: IncomingMessage,
    response: ServerResponse,
    asked: { found: Found; target: Target; principal: Principal | undefined; signal: AbortSignal },
  ): Promise<void> {
    const { context } = this.#parts;
    const { found, ...rest } = asked;
    const { route, params } = found;
    const request = new GatewayRequest({ raw, route, params, ...rest, bodyBytesMax: context.limits.bodyBytesMax });
    const reply = await route.handle(request, context);
    await this.#send(raw, response, reply);
  }

  async #send(request: IncomingMessage, response: ServerResponse, reply: Reply): Promise<void> {
    switch (reply.kind) {
      case 'json':
        return write(
          response,
          reply.status,
          'application/json',
          JSON.stringify(toJsonValue(reply.value) ?? null),
          reply.headers,
        );
      case 'text':
        return write(response, reply.status, reply.contentType, reply.text);
      case 'empty':
        response.writeHead(reply.status, { ...API_HEADERS, ...reply.headers }).end();
        return;
      case 'events':
        return this.#sendEvents(request, response, reply);
    }
  }

  async #sendEvents(
    request: IncomingMessage,
    response: ServerResponse,
    reply: Extract<Reply, { kind: 'events' }>,
  ): Promise<void> {
    const { context, metrics } = this.#parts;
    const { streamsMax, streamBytesMax } = context.limits;
    if (this.#streams.size >= streamsMax) throw tooMany(`${streamsMax} event streams are open already`, 1_000);
    response.writeHead(200, { ...API_HEADERS, 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    if (request.method === 'HEAD') return void response.end();
    const stream = new EventStream(response, streamBytesMax, () => metrics.droppedEvents.inc());
    this.#streams.add(stream);
    // Read once the listener is in place: nothing leaves before this turn of the event loop is over.
    response.write(`retry: ${RECONNECT_MS}\n: listening\n\n`);
    const stop = reply.open(stream);
    await new Promise<void>((resolve) =>
      stream.onEnd(() => {
        this.#streams.delete(stream);
        stop?.();
        resolve();
      }),
    );
  }

  /** Aborted when the answer is due, the client goes away, or the gateway closes. Event streams only end by the latter two. */
  #deadline(response: ServerResponse, closed: AbortSignal): { signal: AbortSignal; end(): void } {
    const { answerMsMax } = this.#parts.context.limits;
    const gone = new AbortController();
    const timer = setTimeout(() => {
      if (!response.headersSent) gone.abort(new TroupeError('Timeout', `No answer came within ${answerMsMax} ms.`));
    }, answerMsMax);
    const onClose = (): void => gone.abort(new TroupeError('Cancelled', 'The client went away.'));
    response.once('close', onClose);
    return {
      signal: AbortSignal.any([gone.signal, closed]),
      end: () => {
        clearTimeout(timer);
        response.off('close', onClose);
      },
    };
  }

  #servePage(
    request: IncomingMessage,
    response: ServerResponse,
    { segments, path }: Target,
    seen: { route: string },
  ): void {
    const file = this.#pageFile(request, segments);
    if (file === undefined)
      throw new TroupeError(
        'NotFound',
        `There is nothing at ${JSON.stringify(path.slice(0, 200))}: see /openapi.json.`,
      );
    seen.route = 'page';
    const headers = { ...PAGE_HEADERS, 'Content-Type': file.contentType, ETag: file.etag };
    if (request.headers['if-none-match'] === file.etag) return void response.writeHead(304, headers).end();
    response.writeHead(200, { ...headers, 'Content-Length': file.body.length }).end(file.body);
  }

  #pageFile(request: IncomingMessage, segments: readonly string[]): StaticFile | undefined {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    const isApi = segments[0] === 'v1';
    return isApi ? undefined : this.#parts.page?.find(segments.join('/'), wantsHtml(request));
  }

  #fail(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
    const { metrics, log, page } = this.#parts;
    const { status, body } = errorBody(thrown);
    const code = String(body.code);
    if (status < 500) metrics.refused.inc({ code });
    if (!isTroupeError(thrown) && !(thrown instanceof HttpError)) log.error({ error: thrown }, 'a request failed');
    if (response.destroyed) return;
    if (response.headersSent) return void response.end();
    const { headers = {}, closes = false } = thrown instanceof HttpError ? thrown : {};
    const own = closes || !request.complete ? { ...headers, Connection: 'close' } : headers;
    // A person with a browser gets something to sign in with, still under the status of the refusal.
    if (status === 401 && page !== undefined && wantsHtml(request)) write(response, status, HTML, SIGN_IN_PAGE, own);
    else write(response, status, 'application/json', JSON.stringify(body), own);
  }
}

function write(
  response: ServerResponse,
  status: number,
  contentType: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const base = contentType.startsWith('text/html') ? PAGE_HEADERS : API_HEADERS;
  const body = Buffer.from(text, 'utf8');
  response
    .writeHead(status, { ...base, ...headers, 'Content-Type': contentType, 'Content-Length': body.length })
    .end(body);
}

function wantsHtml({ headers }: IncomingMessage): boolean {
  return (headers.accept ?? '').includes('text/html');
}

function knownMethod(method: string): string {
  return ['GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'].includes(method) ? method : 'other';
}
