/** Options of a gateway: loose in, total out, refused early. */
import { TroupeError } from '@troupe/wire';
import { TokenBook, type TokenSpec } from './auth/token-book.ts';

/** Every limit of a gateway. Defaults stand in `LIMITS_DEFAULT`. */
export interface GatewayLimits {
  /** Bytes of a request's body. Default 1 MiB, what a message may have. */
  readonly bodyBytesMax: number;
  /** How long a client may take to send the head of a request, ms. Default 10,000. */
  readonly headMs: number;
  /** How long it may take to send a whole request, ms. Default 30,000. */
  readonly requestMs: number;
  /** Longest that an answer may take, an ask included, ms. Default 300,000. */
  readonly answerMsMax: number;
  /** A connection on which nothing moves for so long is closed, ms. Default 120,000. */
  readonly idleMs: number;
  /** Open connections. Default 1,024. */
  readonly connectionsMax: number;
  /** Open event streams, and open WebSockets, each. Default 256. */
  readonly streamsMax: number;
  /** Bytes waiting for a slow reader of an event stream; beyond, events are dropped and counted. Default 1 MiB. */
  readonly streamBytesMax: number;
  /** How long events are kept for a reader whose connection was cut, after its last reader has gone, ms. Default 60,000. */
  readonly resumeMs: number;
  /** Bytes kept for such readers, of all streams together; the oldest go first. 1 MiB of one stream. Default 32 MiB. */
  readonly resumeBytesMax: number;
  /** Requests of one address per second. Default 500, with bursts of twice that. */
  readonly requestsPerSecondMax: number;
  /** Wrong tokens of one address per minute. Default 10. */
  readonly wrongTokensPerMinuteMax: number;
  /** How long a browser stays signed in, ms. Default 12 hours. */
  readonly sessionMs: number;
}

export const LIMITS_DEFAULT: GatewayLimits = {
  bodyBytesMax: 1_048_576,
  headMs: 10_000,
  requestMs: 30_000,
  answerMsMax: 300_000,
  idleMs: 120_000,
  connectionsMax: 1_024,
  streamsMax: 256,
  streamBytesMax: 1_048_576,
  resumeMs: 60_000,
  resumeBytesMax: 33_554_432,
  requestsPerSecondMax: 500,
  wrongTokensPerMinuteMax: 10,
  sessionMs: 43_200_000,
};

/** Where it listens unless told otherwise: this machine only. */
export const LISTEN_DEFAULT = '127.0.0.1:4280';

/** How a gateway listens and whom it lets in. */
export interface ListenOptions {
  /** `host:port`; port 0 takes a free one. Default `127.0.0.1:4280`. */
  readonly listen?: string | undefined;
  /** How many of the ports after it are tried where it is taken; after them a free one. Default 0: that port or none. */
  readonly nextPorts?: number | undefined;
  /** Who may use it. Without any, everybody on this machine may do everything, and it listens on loopback only. */
  readonly tokens?: readonly TokenSpec[] | undefined;
  /** Further names under which it is reached, `name` or `name:port`: behind a proxy, or from other machines. */
  readonly allowHosts?: readonly string[] | undefined;
  /** Certificate chain and key, PEM: then it speaks HTTPS. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  /** True behind a proxy that ends TLS: the browser's cookie is marked `Secure`. Default: with `tls` only. */
  readonly secureCookie?: boolean | undefined;
  readonly limits?: Partial<GatewayLimits> | undefined;
}

/** Options as the gateway uses them. */
export interface ResolvedListenOptions {
  readonly host: string;
  readonly port: number;
  readonly nextPorts: number;
  readonly tokens: TokenBook;
  readonly hosts: readonly string[];
  readonly tls: ListenOptions['tls'];
  readonly secureCookie: boolean;
  readonly limits: GatewayLimits;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const HOST_PATTERN = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]{1,253})(:\d{1,5})?$/;

/**
 * Fills in what is missing.
 *
 * @throws TroupeError `ConfigInvalid`: an address that can't be listened on, one beyond this machine without tokens, a limit
 * that is no limit.
 */
export function resolveListenOptions(options: ListenOptions = {}): ResolvedListenOptions {
  const { host, port } = parseListen(options.listen ?? LISTEN_DEFAULT);
  const tokens = new TokenBook(options.tokens ?? []);
  if (!isLoopback(host) && !tokens.required) {
    throw new TroupeError(
      'ConfigInvalid',
      `The gateway would listen on ${host}, where other machines reach it, and no token is needed to use it. Give tokens with ` +
        '--tokens FILE (a line each: <role> <name> <token>, role read or operate) or TROUPE_GATEWAY_READ_TOKEN and ' +
        'TROUPE_GATEWAY_OPERATE_TOKEN, or listen on 127.0.0.1.',
      { details: { host } },
    );
  }
  return {
    host,
    port,
    nextPorts: options.nextPorts ?? 0,
    tokens,
    hosts: [...new Set([...LOOPBACK_NAMES, ...ownName(host), ...(options.allowHosts ?? []).map(allowedHost)])],
    tls: options.tls,
    secureCookie: options.secureCookie ?? options.tls !== undefined,
    limits: resolveLimits(options.limits),
  };
}

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw new TroupeError(
      'ConfigInvalid',
      `The gateway can't listen on ${JSON.stringify(text)}: write host:port, such as ${LISTEN_DEFAULT} or [::1]:4280.`,
    );
  return { host: (match[1] ?? match[2])!.toLowerCase(), port };
}

/** Of `0.0.0.0` and `::` nobody knows under which names they are reached. */
function ownName(host: string): string[] {
  if (host === '0.0.0.0' || host === '::') return [];
  return [host.includes(':') ? `[${host}]` : host];
}

function allowedHost(text: string): string {
  const host = text.toLowerCase();
  if (HOST_PATTERN.test(host)) return host;
  throw new TroupeError(
    'ConfigInvalid',
    `--allow-host ${JSON.stringify(text)} is no host: write a name or name:port, such as troupe.example.org or 10.0.0.7:4280.`,
  );
}

function resolveLimits(given: Partial<GatewayLimits> = {}): GatewayLimits {
  const limits = { ...LIMITS_DEFAULT };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(LIMITS_DEFAULT, name))
      throw new TroupeError('ConfigInvalid', `The gateway has no limit ${JSON.stringify(name)}.`);
    if (value === undefined) continue;
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new TroupeError('ConfigInvalid', `The gateway's ${name} is ${value}: it is a whole number of at least 1.`);
    limits[name as keyof GatewayLimits] = value;
  }
  return limits;
}
