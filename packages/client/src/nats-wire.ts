/**
 * The seam on the `nats` client 2.29.3: the only file that knows it.
 *
 * Some of its insides are used, each with the public way as a fallback, so that another release would be slower, not
 * wrong: what it knows of the cluster's servers, the bytes of a received message (without the strings, maps and copies of its accessors), and that `publish` calls
 * nothing but `encode` on headers.
 */
import { readFileSync } from 'node:fs';
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  usernamePasswordAuthenticator,
} from 'nats';
import type { Auth, ResolvedOptions } from './options.ts';
import type { OnMessage, Subscription, Wire, WireEvent } from './wire.ts';

/** Wait between attempts to reconnect, ms; as much again at random, so that a fleet doesn't return as one. */
export const RECONNECT_WAIT_MS = 250;
/** A dead connection that nobody closed is noticed after two of them, ms. The library's own default is 4 minutes. */
const PING_INTERVAL_MS = 5_000;

/** Connects once. `timeoutMs` bounds the attempt. Rejects with the library's error. */
export async function dialNats(options: ResolvedOptions, timeoutMs: number): Promise<Wire> {
  const nc = await connect(connectionOptions(options, timeoutMs));
  discoverServers(nc);
  return new NatsWire(nc);
}

function connectionOptions(options: ResolvedOptions, timeoutMs: number): ConnectionOptions {
  return {
    servers: [...options.servers],
    name: options.name,
    inboxPrefix: options.inboxPrefix,
    timeout: timeoutMs,
    // The default gives up for good after 20 s.
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    reconnectJitter: RECONNECT_WAIT_MS,
    reconnectJitterTLS: RECONNECT_WAIT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
    noAsyncTraces: true,
    ignoreClusterUpdates: true,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...authOptions(options.auth),
  };
}

interface ConnectionInsides {
  readonly protocol?: {
    readonly options?: { ignoreClusterUpdates?: boolean };
    readonly servers?: { update?(info: unknown, encrypted: boolean): unknown };
    readonly transport?: { isEncrypted?(): boolean };
  };
}

/**
 * Servers that the cluster tells of are used from now on, beside those that were listed. Not before: when all refuse who we
 * are, the library would try them without a pause and without an end.
 */
function discoverServers(nc: NatsConnection): void {
  const { options, servers, transport } = (nc as unknown as ConnectionInsides).protocol ?? {};
  if (options === undefined) return;
  options.ignoreClusterUpdates = false;
  servers?.update?.(nc.info, transport?.isEncrypted?.() ?? false);
}

function authOptions(auth: Auth): Partial<ConnectionOptions> {
  switch (auth.kind) {
    case 'none':
      return {};
    case 'user': {
      const { user, passFile } = auth;
      // Read again at every reconnect, so it may be renewed.
      if (passFile !== undefined) {
        return { authenticator: usernamePasswordAuthenticator(user, () => readFileSync(passFile, 'utf8').trim()) };
      }
      return auth.pass === undefined ? { user: auth.user } : { user: auth.user, pass: auth.pass };
    }
    case 'token':
      return { token: auth.token };
    case 'creds':
      return { authenticator: credsAuthenticator(auth.content) };
  }
}

class NatsWire implements Wire {
  readonly #nc: NatsConnection;
  readonly #listeners: ((event: WireEvent) => void)[] = [];
  #connected = true;

  constructor(nc: NatsConnection) {
    this.#nc = nc;
    void this.#followStatus();
    void nc.closed().then((error) => {
      this.#connected = false;
      this.#emit({ kind: 'closed', error: error ?? undefined });
    });
  }

  get server(): string {
    return this.#nc.getServer();
  }
  get connected(): boolean {
    return this.#connected;
  }
  get payloadBytesMax(): number {
    return this.#nc.info?.max_payload ?? 1_048_576;
  }

  publish(subject: string, reply: string, headers: string, payload: Uint8Array): void {
    this.#nc.publish(
      subject,
      payload,
      headers === '' ? { reply } : { reply, headers: new Block(headers) as unknown as MsgHdrs },
    );
  }

  subscribe(subject: string, onMessage: OnMessage): Subscription {
    const subscription = this.#nc.subscribe(subject, {
      // The only error is a refusal. It is told here, not with the status, so that it comes before the next message.
      callback: (error, message) => {
        if (error === null) deliver(message, onMessage);
        else this.#emit({ kind: 'denied', operation: 'subscription', subject });
      },
    });
    return { close: () => subscription.unsubscribe() };
  }

  onEvent(listener: (event: WireEvent) => void): void {
    this.#listeners.push(listener);
  }

  flush(): Promise<void> {
    return this.#nc.flush();
  }

  close(): Promise<void> {
    return this.#nc.close();
  }

  async #followStatus(): Promise<void> {
    for await (const status of this.#nc.status()) {
      if (status.type === 'disconnect' && this.#connected) {
        this.#connected = false;
        this.#emit({ kind: 'disconnected' });
      } else if (status.type === 'reconnect') {
        this.#connected = true;
        this.#emit({ kind: 'connected' });
      } else if (status.permissionContext !== undefined) {
        const { operation, subject } = status.permissionContext;
        if (operation === 'publish') this.#emit({ kind: 'denied', operation, subject });
      }
    }
  }

  #emit(event: WireEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** Headers as the library wants them when it publishes. They are ASCII, so bytes are characters. */
class Block {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  encode(): Uint8Array {
    return Buffer.from(this.#text, 'latin1');
  }
}

interface Insides {
  readonly _msg?: { readonly subject: Uint8Array; readonly hdr: number };
  readonly _rdata?: Uint8Array;
}

function deliver(message: Msg, onMessage: OnMessage): void {
  const { _msg, _rdata } = message as Insides;
  if (_msg === undefined) {
    onMessage(Buffer.from(message.subject), message.headers?.toString() ?? '', message.data);
  } else if (_rdata === undefined) {
    onMessage(_msg.subject, '', EMPTY);
  } else if (_msg.hdr > 0) {
    const block = Buffer.from(_rdata.buffer, _rdata.byteOffset, _msg.hdr).toString('utf8');
    onMessage(_msg.subject, block, _rdata.subarray(_msg.hdr));
  } else onMessage(_msg.subject, '', _rdata);
}

const EMPTY = new Uint8Array(0);
