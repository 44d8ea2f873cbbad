/** A real server, a worker on it, the actor under attack, and an eye on everything that must not happen. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyAgent } from '@troupe/agent';
import { connect, type Troupe } from '@troupe/client';
import {
  type Connection,
  clientPermissions,
  connectNats,
  createNatsPorts,
  type NatsConfig,
  type NatsConfigOptions,
  type Permissions,
  provision,
  provisionerPermissions,
  resolveConfig,
  workerPermissions,
} from '@troupe/nats';
import { type Ports, startWorker, type Worker, type WorkerOptions } from '@troupe/runtime';
import { type NatsServerHandle, startNatsServer } from '@troupe/testing';
import { RawNats } from './raw-nats.ts';

/** `permissions`: as docs/reference/permissions.md says; `open`: a server without authentication, as in development. */
export type Security = 'open' | 'permissions' | 'accounts';

export interface StageOptions {
  readonly security?: Security;
  readonly definitions: readonly AnyAgent[];
  readonly nats?: NatsConfigOptions;
  readonly worker?: WorkerOptions;
  readonly server?: Parameters<typeof startNatsServer>[0];
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: object;
}

const PASS = 'secret';

export class Stage implements AsyncDisposable {
  readonly config: NatsConfig;
  readonly log: LogLine[] = [];
  /** Everything published to subjects that only workers and the server write, with what the stage did itself left out. */
  readonly internal: { subject: string; payload: string }[] = [];
  readonly rejections: unknown[] = [];
  server!: NatsServerHandle;
  worker!: Worker;
  ports!: Ports;
  troupe!: Troupe;
  readonly #options: StageOptions;
  #connection!: Connection;
  #drops = 0;
  #closers: (() => unknown)[] = [];

  constructor(options: StageOptions) {
    this.#options = options;
    this.config = resolveConfig({ partitions: 4, ...options.nats });
  }

  get security(): Security {
    return this.#options.security ?? 'open';
  }

  static async open(options: StageOptions): Promise<Stage> {
    const stage = new Stage(options);
    try {
      await stage.#open();
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #open(): Promise<void> {
    const onRejection = (reason: unknown) => this.rejections.push(reason);
    process.on('unhandledRejection', onRejection);
    this.#closers.push(() => process.off('unhandledRejection', onRejection));
    const { server } = this.#options;
    this.server = await startNatsServer({ ...server, config: `${server?.config ?? ''}\n${this.#authorization()}` });
    this.#closers.push(() => this.server.close());
    const admin = await this.#connect('admin');
    await provision(admin, this.config);
    await admin.close();
    await this.#listen();
    this.#connection = await this.#connect('worker');
    this.#connection.onStatus((connected) => {
      if (!connected) this.#drops++;
    });
    this.ports = createNatsPorts(this.#connection, this.config);
    this.#closers.push(() => this.ports.close());
    await this.startWorker();
    this.#closers.push(() => this.worker.kill());
    this.troupe = await connect({ url: this.server.url, ...this.#login('client') });
    this.#closers.push(() => this.troupe.close());
  }

  /** Another worker, when the one before has ended. */
  async startWorker(): Promise<void> {
    this.worker = await startWorker({
      ports: this.ports,
      definitions: this.#options.definitions,
      id: 'w-target',
      options: { ...(this.security === 'accounts' ? { replyPrefixes: ['_R_'] } : {}), ...this.#options.worker },
      log: this.#logger(),
    });
    await this.worker.ready;
  }

  /** A socket with the rights of a client. */
  attacker(): Promise<RawNats> {
    return RawNats.open({ port: this.server.port, ...this.#login('client') });
  }

  /** A connection that may do everything, for looking. */
  async admin(): Promise<Ports & AsyncDisposable> {
    const ports = createNatsPorts(await this.#connect('admin'), this.config);
    return Object.assign(ports, { [Symbol.asyncDispose]: () => ports.close() });
  }

  /** How often the worker's line was cut since the start, as seen from its side. */
  get drops(): number {
    return this.#drops;
  }

  /** What the server calls the worker's connection; another number is another connection. */
  async workerConnectionId(): Promise<number | undefined> {
    const answer = (await (await fetch(`${this.server.monitorUrl}/connz`)).json()) as {
      connections: { cid: number; name?: string }[];
    };
    return answer.connections.find((one) => one.name === 'the-worker')?.cid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.reverse()) await Promise.resolve(close()).catch(() => undefined);
    this.#closers = [];
  }

  #logger(): Record<'debug' | 'info' | 'warn' | 'error', (fields: object, message: string) => void> {
    const line = (level: string) => (fields: object, message: string) => {
      this.log.push({ level, message, fields });
    };
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }

  /** Hears what travels on internal subjects, so that a worker that was talked into publishing there is seen. */
  async #listen(): Promise<void> {
    const spy = await this.#connect('spy');
    this.#closers.push(() => spy.close());
    for (const subject of [
      'troupe.event.>',
      'troupe.control.>',
      'troupe.snapshot.>',
      'troupe.record.>',
      'troupe.tick.>',
      'troupe.parked.>',
      '$JS.API.STREAM.PURGE.TROUPE_JOURNAL',
      '$JS.API.STREAM.DELETE.>',
      '$JS.API.STREAM.MSG.DELETE.TROUPE_JOURNAL',
    ]) {
      spy.nc.subscribe(subject, {
        callback: (_, msg) =>
          void this.internal.push({
            subject: msg.subject,
            payload: Buffer.from(msg.data).toString('latin1').slice(0, 200),
          }),
      });
    }
    await spy.nc.flush();
  }

  #connect(who: string): Promise<Connection> {
    return connectNats({ servers: this.server.url, name: `the-${who}`, waitMs: 5_000, ...this.#login(who) });
  }

  #login(who: string): { user?: string; pass?: string; inboxPrefix?: string } {
    if (this.security === 'open') return {};
    return { user: who, pass: PASS, inboxPrefix: `_INBOX.${who}` };
  }

  #authorization(): string {
    if (this.security === 'open') return '';
    const workers = [
      user('admin', provisionerPermissions(this.config, { inboxPrefix: '_INBOX.admin' }), ['troupe.>']),
      user('worker', workerPermissions(this.config, { inboxPrefix: '_INBOX.worker' }), ['_R_.>']),
      `{ user: spy, password: ${PASS} }`,
    ];
    const client = user('client', clientPermissions(this.config, { inboxPrefix: '_INBOX.client' }));
    if (this.security === 'permissions') return `authorization { users = [\n${[...workers, client].join('\n')}\n] }`;
    return accounts(workers, client);
  }
}

/** As docs/reference/permissions.md writes it. */
function accounts(workers: readonly string[], client: string): string {
  const verbs = ['task', 'signal', 'ask', 'query'];
  const heard = ['troupe.out.>', 'troupe.stream.>', '_INBOX.client.>'];
  return `accounts {
  WORKERS {
    jetstream: enabled
    users = [\n${workers.join('\n')}\n]
    exports = [
      ${verbs.map((verb) => `{ service: "troupe.${verb}.>" }`).join('\n      ')}
      ${heard.map((subject) => `{ stream: "${subject}" }`).join('\n      ')}
    ]
  }
  CLIENTS {
    users = [\n${client}\n]
    imports = [
      ${verbs.map((verb) => `{ service: { account: WORKERS, subject: "troupe.${verb}.>" } }`).join('\n      ')}
      ${heard.map((subject) => `{ stream: { account: WORKERS, subject: "${subject}" } }`).join('\n      ')}
    ]
  }
}`;
}

function user(name: string, { publish, subscribe }: Permissions, more: readonly string[] = []): string {
  const list = (subjects: readonly string[]) => `{ allow: [${subjects.map((s) => JSON.stringify(s)).join(', ')}] }`;
  return `{ user: ${name}, password: ${PASS}, permissions: { publish: ${list([...publish, ...more])}, subscribe: ${list(subscribe)} } }`;
}

export function fresh(): string {
  return randomBytes(6).toString('hex');
}

/** Until `test` holds, or the time is up. */
export async function until(
  test: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
  everyMs = 10,
): Promise<boolean> {
  for (const endAt = Date.now() + timeoutMs; Date.now() < endAt; await sleep(everyMs)) if (await test()) return true;
  return test();
}
