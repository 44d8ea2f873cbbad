/** Options of a connection: loose in, total out, refused early. */
import { readFileSync } from 'node:fs';
import { createSubjects, PREFIX_DEFAULT, TroupeError } from '@troupe/wire';
import { parseServers } from './server-url.ts';
import type { TracingOptions } from './tracing.ts';

/** How to connect. What is not given comes from the environment, then from the defaults named here. */
export interface ConnectOptions extends TracingOptions {
  /**
   * Server, or several of one cluster: `nats://host:4222`, comma-separated or a list. A user and password in it count.
   * Default `TROUPE_NATS_URL`, then `nats://127.0.0.1:4222`.
   */
  readonly url?: string | readonly string[] | undefined;
  /** First tokens of every subject. Default `TROUPE_PREFIX`, then `troupe`. */
  readonly prefix?: string | undefined;
  /** Default `TROUPE_NATS_USER`. */
  readonly user?: string | undefined;
  /** Default `TROUPE_NATS_PASS`. */
  readonly pass?: string | undefined;
  /** Path of a file that holds the password, read again at every reconnect. Default `TROUPE_NATS_PASS_FILE`. */
  readonly passFile?: string | undefined;
  /** Default `TROUPE_NATS_TOKEN`. */
  readonly token?: string | undefined;
  /** Path of a credentials file (JWT and seed). Default `TROUPE_NATS_CREDS`. */
  readonly creds?: string | undefined;
  /**
   * TLS with these files. Default: `TROUPE_NATS_CA` as `caFile`; without it TLS when the server asks for it, with the
   * system's authorities.
   */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string } | undefined;
  /** Shown by `nats server list connections`. Default `troupe-client`. */
  readonly name?: string | undefined;
  /**
   * Where answers are received, as the permissions allow: begins with `_INBOX`. Default `TROUPE_NATS_INBOX_PREFIX`, then
   * `_INBOX.<user>` with a user name that can stand in a subject, else `_INBOX`.
   */
  readonly inboxPrefix?: string | undefined;
  /** How long the first connection may take, tried again and again, ms. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** After how long without a PubAck a named task is published again, ms. Default 2,000; at least 100. */
  readonly ackTimeoutMs?: number | undefined;
  /** Requests under way at once; further ones wait in the queue. Default 4,096: enough to fill any link. */
  readonly inFlightMax?: number | undefined;
  /** Requests that may wait in the queue; one more is refused with `Busy`. Default 65,536. */
  readonly queueMax?: number | undefined;
}

/** Options as the client uses them. */
export interface ResolvedOptions extends TracingOptions {
  readonly servers: readonly string[];
  readonly prefix: string;
  readonly auth: Auth;
  readonly tls: ConnectOptions['tls'];
  readonly name: string;
  readonly inboxPrefix: string;
  readonly connectTimeoutMs: number;
  readonly ackTimeoutMs: number;
  readonly inFlightMax: number;
  readonly queueMax: number;
}

/** How the client says who it is. */
export type Auth =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'user';
      readonly user: string;
      readonly pass: string | undefined;
      readonly passFile?: string | undefined;
    }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'creds'; readonly path: string; readonly content: Uint8Array };

/** Numbers and their defaults, with the least that makes sense. */
const NUMBERS = {
  connectTimeoutMs: { default: 10_000, min: 1 },
  ackTimeoutMs: { default: 2_000, min: 100 },
  inFlightMax: { default: 4_096, min: 1 },
  queueMax: { default: 65_536, min: 0 },
} as const;

const URL_DEFAULT = 'nats://127.0.0.1:4222';
const INBOX_PATTERN = /^_INBOX(\.[A-Za-z0-9_-]{1,64}){0,2}$/;
const TOKEN_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Fills in what is missing. An empty string counts as missing, as it does in the environment. Throws `ConfigInvalid`
 * naming the option.
 */
export function resolveOptions(options: ConnectOptions = {}, env: Environment = process.env): ResolvedOptions {
  const given = typeof options.url === 'string' || options.url === undefined ? options.url : options.url.join(',');
  const { servers, user, pass } = parseServers(firstOf(given, env.TROUPE_NATS_URL) ?? URL_DEFAULT);
  const auth = resolveAuth(options, { user, pass }, env);
  const prefix = firstOf(options.prefix, env.TROUPE_PREFIX) ?? PREFIX_DEFAULT;
  createSubjects(prefix);
  return {
    servers,
    prefix,
    auth,
    tls: options.tls ?? tlsOf(firstOf(env.TROUPE_NATS_CA)),
    name: firstOf(options.name) ?? 'troupe-client',
    inboxPrefix: resolveInbox(firstOf(options.inboxPrefix, env.TROUPE_NATS_INBOX_PREFIX), auth),
    connectTimeoutMs: whole('connectTimeoutMs', options.connectTimeoutMs),
    ackTimeoutMs: whole('ackTimeoutMs', options.ackTimeoutMs),
    inFlightMax: whole('inFlightMax', options.inFlightMax),
    queueMax: whole('queueMax', options.queueMax),
    trace: hook('trace', options.trace),
    onSpan: hook('onSpan', options.onSpan),
  };
}

/** What the caller says beats the environment as a whole: options with a user never meet a token from there. */
function resolveAuth(options: ConnectOptions, url: Pick<ConnectOptions, 'user' | 'pass'>, env: Environment): Auth {
  const { user, pass, passFile, token, creds } = options;
  const fromEnv = {
    user: env.TROUPE_NATS_USER,
    pass: env.TROUPE_NATS_PASS,
    passFile: env.TROUPE_NATS_PASS_FILE,
    token: env.TROUPE_NATS_TOKEN,
    creds: env.TROUPE_NATS_CREDS,
  };
  return (
    authOf('options', { user, pass, passFile, token, creds }) ??
    authOf('URL', url) ??
    authOf('environment', fromEnv) ??
    NO_AUTH
  );
}

const NO_AUTH: Auth = { kind: 'none' };

function tlsOf(caFile: string | undefined): ConnectOptions['tls'] {
  return caFile === undefined ? undefined : { caFile };
}

type GivenAuth = Pick<ConnectOptions, 'user' | 'pass' | 'passFile' | 'token' | 'creds'>;

function authOf(where: string, given: GivenAuth): Auth | undefined {
  const user = firstOf(given.user);
  const token = firstOf(given.token);
  const creds = firstOf(given.creds);
  const kinds = Object.entries({ user, token, creds }).filter(([, value]) => value !== undefined);
  if (kinds.length > 1) {
    const names = kinds.map(([name]) => name).join(' and ');
    throw configInvalid(`The ${where} give ${names}: give one way of saying who you are.`);
  }
  const pass = firstOf(given.pass);
  const passFile = firstOf(given.passFile);
  if (pass !== undefined && passFile !== undefined) {
    throw configInvalid(`The ${where} give a password and a file with one: give one of them.`);
  }
  if (passFile !== undefined) readSecret(passFile, 'passFile or TROUPE_NATS_PASS_FILE');
  if (user !== undefined) return { kind: 'user', user, pass, ...(passFile === undefined ? {} : { passFile }) };
  if (pass !== undefined || passFile !== undefined) throw configInvalid(`The ${where} give a password but no user.`);
  if (token !== undefined) return { kind: 'token', token };
  return creds === undefined
    ? undefined
    : { kind: 'creds', path: creds, content: readSecret(creds, 'creds or TROUPE_NATS_CREDS') };
}

function readSecret(path: string, option: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw configInvalid(`The credentials file ${path} can't be read: check ${option}.`, cause);
  }
}

function resolveInbox(given: string | undefined, auth: Auth): string {
  if (given === undefined)
    return auth.kind === 'user' && TOKEN_PATTERN.test(auth.user) ? `_INBOX.${auth.user}` : '_INBOX';
  if (INBOX_PATTERN.test(given)) return given;
  throw configInvalid(
    `inboxPrefix is ${JSON.stringify(given)}: it is _INBOX, or _INBOX with one or two tokens behind it.`,
  );
}

function whole(name: keyof typeof NUMBERS, value: number | undefined): number {
  const { default: fallback, min } = NUMBERS[name];
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw configInvalid(`${name} is ${value}: it is a whole number of at least ${min}.`);
}

function hook<T>(name: string, given: T | undefined): T | undefined {
  if (given === undefined || typeof given === 'function') return given;
  throw configInvalid(`${name} is a ${typeof given}: it is a function.`);
}

function firstOf(...values: (string | undefined)[]): string | undefined {
  return values.find((value) => value !== undefined && value !== '');
}

function configInvalid(message: string, cause?: unknown): TroupeError {
  return new TroupeError('ConfigInvalid', message, { cause });
}
