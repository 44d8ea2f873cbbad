/** `troupe gateway` as its user of the generated cluster, over TLS, and every one of its routes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cluster } from '../../../src/cluster.ts';

/** The command, to be run by Node. */
export const CLI = fileURLToPath(import.meta.resolve('@troupe/cli')).replace(/index\.ts$/, 'main.ts');
const CONFIG = fileURLToPath(new URL('../../../src/configs/load.config.ts', import.meta.url));
export const TOKEN = 'a-token-of-the-test-that-operates';
const START_MS = 60_000;
const ANSWER_MS = 20_000;

export class GatewayProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  log = '';

  constructor(cluster: Cluster) {
    const tokens = join(cluster.dir, 'tokens.txt');
    writeFileSync(tokens, `operate ann ${TOKEN}\n`);
    chmodSync(tokens, 0o600);
    const pem = (name: string) => join(cluster.dir, 'n1', name);
    const words = ['gateway', '--listen', '127.0.0.1:0', '--no-page', '--config', CONFIG, '--tokens', tokens];
    const tls = ['--tls-cert', pem('server.pem'), '--tls-key', pem('server-key.pem')];
    this.#child = spawn(process.execPath, [CLI, ...words, ...tls], {
      env: { PATH: process.env.PATH, ...cluster.envOf('gateway') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    this.#exited = new Promise((resolve) => this.#child.once('close', resolve));
  }

  /** Its address, once it listens. */
  async url(): Promise<string> {
    for (const endAt = performance.now() + START_MS; performance.now() < endAt; ) {
      const url = /gateway on (https:\S+)\n/.exec(this.log)?.[1];
      if (url !== undefined) return url;
      if (this.#child.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`The gateway did not listen within ${START_MS} ms:\n${this.log}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exited;
  }
}

/** One call, by the name that the OpenAPI document gives it. */
interface Call {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Calls every route of the gateway's own document once.
 *
 * @returns the status of each, by operation; `not called` for one that this doesn't know.
 */
export async function callEveryRoute(base: string): Promise<Record<string, number | string>> {
  const headers = { Authorization: `Bearer ${TOKEN}` };
  const call = async ({ method = 'GET', path, body, headers: more }: Call): Promise<Response> =>
    fetch(`${base}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...more },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  const post = (path: string, body?: unknown): Call => ({ method: 'POST', path, body });
  const document = (await (await call({ path: '/openapi.json' })).json()) as {
    paths: Record<string, Record<string, { operationId?: string }>>;
  };
  const wanted = Object.values(document.paths).flatMap((path) =>
    Object.values(path).flatMap(({ operationId }) => (operationId === undefined ? [] : [operationId])),
  );
  const actor = '/v1/actors/ledger/gated';
  // Two letters: one to redrive, one to drop.
  const letters: number[] = [];
  for (const key of ['one', 'two']) {
    await call(post(`/v1/actors/ledger/${key}/tasks`, { type: 'nonsense' }));
    for (const endAt = performance.now() + ANSWER_MS; performance.now() < endAt; ) {
      const page = (await (await call({ path: `/v1/dead-letters?type=ledger&key=${key}` })).json()) as {
        letters: { seq: number }[];
      };
      if (page.letters.length > 0) {
        letters.push(page.letters[0]!.seq);
        break;
      }
    }
  }
  const calls: Record<string, Call> = {
    sendTask: post(`${actor}/tasks`, 1),
    ask: { ...post(`${actor}/ask`, 2), headers: { 'Troupe-Task-Id': 'walked' } },
    signal: post(`${actor}/signals`, { type: 'nonsense' }),
    taskOutcome: { path: `${actor}/tasks/walked` },
    listActors: { path: '/v1/actors?type=ledger' },
    state: { path: `${actor}/state` },
    history: { path: `${actor}/history?last=1` },
    timers: { path: `${actor}/timers` },
    query: post(`${actor}/queries/state`, {}),
    events: { path: '/v1/events' },
    actorEvents: { path: `${actor}/events` },
    taskStream: { path: `${actor}/tasks/walked/stream` },
    listDeadLetters: { path: '/v1/dead-letters' },
    deadLetter: { path: `/v1/dead-letters/${letters[0]}` },
    redriveDeadLetter: post(`/v1/dead-letters/${letters[0]}/redrive`),
    dropDeadLetter: { method: 'DELETE', path: `/v1/dead-letters/${letters[1]}` },
    workers: { path: '/v1/workers' },
    partitions: { path: '/v1/partitions' },
    healthz: { path: '/healthz' },
    readyz: { path: '/readyz' },
    metrics: { path: '/metrics' },
    openApi: { path: '/openapi.json' },
    signIn: post('/v1/session', { token: TOKEN }),
    signOut: { method: 'DELETE', path: '/v1/session' },
    me: { path: '/v1/me' },
  };
  const statuses: Record<string, number | string> = {};
  for (const name of wanted) {
    const known = calls[name];
    if (known === undefined) {
      statuses[name] = 'not called';
      continue;
    }
    const response = await call(known);
    // A stream of events is open: nothing more has to come.
    if (response.headers.get('Content-Type') === 'text/event-stream') await response.body!.cancel();
    else await response.arrayBuffer();
    statuses[name] = response.status;
  }
  return statuses;
}

/** Asks the page's WebSocket everything that it answers from the bus and the streams. */
export async function askThePage(base: string): Promise<Record<string, string>> {
  const socket = new WebSocket(`${base.replace('https', 'wss')}/v1/live`, {
    headers: { Authorization: `Bearer ${TOKEN}` },
  } as unknown as string[]);
  const answers = new Map<number, (answer: { ok: boolean; error?: { code: string } }) => void>();
  const pushed = Promise.withResolvers<void>();
  socket.addEventListener('message', ({ data }) => {
    const frame = JSON.parse(String(data)) as { id?: number; push?: string; ok: boolean; error?: { code: string } };
    if (frame.push === 'actors') pushed.resolve();
    answers.get(frame.id ?? -1)?.(frame);
  });
  await within(
    'the WebSocket',
    new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error('the WebSocket was refused')));
    }),
  );
  const actor = 'ledger/gated';
  const history = await ask('span', { actor });
  const seq = (history.value as { lastSeq: number } | undefined)?.lastSeq ?? 0;
  const questions: [string, object][] = [
    ['hello', {}],
    ['structure', { type: 'ledger' }],
    ['steps', { actor, last: 10 }],
    ['step', { actor, seq }],
    ['state', { actor }],
    ['correlate', { actor, seq }],
    ['watchActor', { actor, on: true }],
    ['watchActors', {}],
    ['send', { actor, kind: 'task', input: 3 }],
  ];
  const told: Record<string, string> = { span: history.ok ? 'ok' : String(history.error?.code) };
  for (const [op, args] of questions) {
    const { ok, error } = await ask(op, args);
    told[op] = ok ? 'ok' : String(error?.code);
  }
  await within('the list of actors', pushed.promise);
  socket.close();
  return told;

  function ask(op: string, args: object): Promise<{ ok: boolean; value?: unknown; error?: { code: string } }> {
    const id = answers.size + 1;
    const answer = new Promise<{ ok: boolean }>((resolve) => answers.set(id, resolve));
    socket.send(JSON.stringify({ id, op, args }));
    return within(op, answer);
  }
}

function within<T>(what: string, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${what} took longer than ${ANSWER_MS} ms`)), ANSWER_MS);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}
