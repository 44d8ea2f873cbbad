/**
 * The line to NATS, and the one place that knows the client library's options.
 *
 * Invariants
 * 1. Once connected it reconnects for ever (the library's default is to close itself for good after 20 s), 250 to 350 ms
 *    between attempts; a half-open line is noticed by two missed pings, 10 to 15 s.
 * 2. Servers that the cluster tells of are used for reconnecting, beside those that were listed; but not before the first
 *    connection stands: the library would try them without a pause and without an end, when all refuse who we are.
 * 3. Who publishes must first look at `connected`: the library buffers without a bound while it is disconnected.
 */
import { readFileSync } from 'node:fs';
import { PortError } from '@troupe/runtime';
import {
  type ConnectionOptions,
  connect,
  createInbox,
  credsAuthenticator,
  type NatsConnection,
  type NatsError,
  type Status,
  type TlsOptions,
  usernamePasswordAuthenticator,
} from 'nats';
import { RawRequests } from './raw-request.ts';
import { type PacedSocket, paceReads } from './read-pace.ts';

export interface NatsOptions {
  /** Default `nats://127.0.0.1:4222`. */
  readonly servers?: string | readonly string[];
  /** Shown by the server's monitoring. Default `troupe`. */
  readonly name?: string;
  readonly user?: string;
  readonly pass?: string;
  /** Path of a file that holds the password; read again at every reconnect, so it may be renewed. Goes before `pass`. */
  readonly passFile?: string;
  readonly token?: string;
  /** Path of a `.creds` file; read again at every reconnect, so it may be renewed. */
  readonly credsFile?: string;
  readonly tls?: TlsOptions;
  /** First tokens of reply subjects, as the user's permissions want them. Default `_INBOX`. */
  readonly inboxPrefix?: string;
  /** How long to try for the first connection, ms. Default 0: one attempt. */
  readonly waitMs?: number;
  /** Time for one attempt, ms. Default 5,000. */
  readonly attemptTimeoutMs?: number;
  /** Most calls on the wire at once, see `RawRequests`. Default 4,096. */
  readonly inFlightMax?: number;
}

const SERVERS_DEFAULT = 'nats://127.0.0.1:4222';
const RECONNECT_WAIT_MS = 250;
const RECONNECT_JITTER_MS = 100;
const PING_INTERVAL_MS = 5_000;
const PINGS_MISSED_MAX = 2;

/** A connection, with what the ports need of it. Made by `connectNats`. */
export class Connection {
  readonly nc: NatsConnection;
  readonly requests: RawRequests;
  readonly #inboxPrefix: string;
  readonly #listeners = new Set<(connected: boolean) => void>();
  #connected = true;
  #closed = false;

  constructor(nc: NatsConnection, options: NatsOptions) {
    this.nc = nc;
    this.#inboxPrefix = options.inboxPrefix ?? '_INBOX';
    const inbox = this.createInbox();
    const { inFlightMax } = options;
    this.requests = new RawRequests(nc, inFlightMax === undefined ? { inbox } : { inbox, inFlightMax });
    paceConnection(nc);
    void this.#watch();
  }

  get connected(): boolean {
    return this.#connected && !this.#closed;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Largest message that the server takes, payload and headers, bytes. */
  get payloadBytesMax(): number {
    return this.nc.info?.max_payload ?? 1_048_576;
  }

  get serverVersion(): string {
    return this.nc.info?.version ?? '0.0.0';
  }

  /** A reply subject that nobody else has. */
  createInbox(): string {
    return createInbox(this.#inboxPrefix);
  }

  /** Called with false when the connection is lost, and with true when it is back with its subscriptions. */
  onStatus(listener: (connected: boolean) => void): { close(): void } {
    this.#listeners.add(listener);
    return { close: () => void this.#listeners.delete(listener) };
  }

  /** Ends everything. What is in flight fails with `closed`. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.requests.close();
    await this.nc.close();
  }

  async #watch(): Promise<void> {
    for await (const status of this.nc.status()) this.#statusChanged(status);
    this.#setConnected(false);
  }

  #statusChanged(status: Status): void {
    if (status.type === 'disconnect') this.#setConnected(false);
    else if (status.type === 'reconnect') {
      paceConnection(this.nc);
      this.#setConnected(true);
    }
    const denied = status.permissionContext;
    if (denied?.operation === 'publish') this.requests.denied(denied.subject);
  }

  #setConnected(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    this.requests.connectionChanged(connected);
    for (const listener of [...this.#listeners]) listener(connected);
  }
}

/**
 * Connects. Rejects with `PortError`: `denied` when the server refuses who we are, `disconnected` when none answered
 * within `waitMs`.
 *
 * @example
 * const connection = await connectNats({ servers: 'nats://127.0.0.1:4222', waitMs: 30_000 });
 */
export async function connectNats(options: NatsOptions = {}): Promise<Connection> {
  const endAt = performance.now() + (options.waitMs ?? 0);
  for (;;) {
    try {
      const nc = await connect(clientOptions(options));
      discoverServers(nc);
      return new Connection(nc, options);
    } catch (error) {
      const failure = connectError(options, error);
      if (failure.kind === 'denied' || performance.now() >= endAt) throw failure;
      await sleep(Math.min(RECONNECT_WAIT_MS, Math.max(0, endAt - performance.now())));
    }
  }
}

function clientOptions(options: NatsOptions): ConnectionOptions {
  const { servers = SERVERS_DEFAULT, credsFile, user, passFile } = options;
  const client: ConnectionOptions & { noAsyncTraces: boolean; ignoreAuthErrorAbort: boolean } = {
    servers: typeof servers === 'string' ? servers.split(',') : [...servers],
    name: options.name ?? 'troupe',
    inboxPrefix: options.inboxPrefix ?? '_INBOX',
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    reconnectJitter: RECONNECT_JITTER_MS,
    reconnectJitterTLS: RECONNECT_JITTER_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: PINGS_MISSED_MAX,
    timeout: options.attemptTimeoutMs ?? 5_000,
    noAsyncTraces: true,
    ignoreClusterUpdates: true, // Until it is connected: invariant 2.
    ignoreAuthErrorAbort: true,
  };
  if (options.pass !== undefined) client.pass = options.pass;
  if (options.token !== undefined) client.token = options.token;
  if (options.tls !== undefined) client.tls = options.tls;
  if (user !== undefined && passFile !== undefined) {
    client.authenticator = usernamePasswordAuthenticator(user, () => readFileSync(passFile, 'utf8').trim());
  } else if (user !== undefined) client.user = user;
  if (credsFile !== undefined) client.authenticator = credsAuthenticator(() => readFileSync(credsFile));
  return client;
}

interface Insides {
  readonly protocol?: {
    readonly options?: { ignoreClusterUpdates?: boolean };
    readonly servers?: { update?(info: unknown, encrypted: boolean): unknown };
    readonly transport?: { isEncrypted?(): boolean; readonly socket?: PacedSocket };
  };
}

/** Invariant 2. In another release of the library, without these insides, only the listed servers would be used. */
function discoverServers(nc: NatsConnection): void {
  const { options, servers, transport } = (nc as unknown as Insides).protocol ?? {};
  if (options === undefined) return;
  options.ignoreClusterUpdates = false;
  servers?.update?.(nc.info, transport?.isEncrypted?.() ?? false);
}

/** Every connection has a socket of its own. In another release of the library, without these insides, reads are not paced. */
function paceConnection(nc: NatsConnection): void {
  const { socket } = (nc as unknown as Insides).protocol?.transport ?? {};
  if (socket !== undefined) paceReads(socket);
}

const AUTH_ERROR = /authorization|authentication|BAD_CREDS/i;

function connectError(options: NatsOptions, error: unknown): PortError {
  const { code, message } = error as NatsError;
  // Somebody may have written a password into it.
  const servers = String(options.servers ?? SERVERS_DEFAULT).replace(/\/\/[^@/,]*@/g, '//***@');
  if (AUTH_ERROR.test(`${code} ${message}`)) {
    return new PortError('denied', `${servers} refused the credentials: ${message}`, { cause: error });
  }
  return new PortError('disconnected', `no NATS server answered at ${servers}: ${message}. Is it running?`, {
    cause: error,
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
