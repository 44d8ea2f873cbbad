import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { connectNats, createNatsPorts, provision } from '@troupe/nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster } from '../../src/cluster.ts';
import { askThePage, CLI, callEveryRoute, GatewayProcess, TOKEN } from './support/gateway-walk.ts';

let cluster: Cluster;
const EMPTY = new Uint8Array(0);

beforeAll(async () => {
  cluster = await Cluster.start({ args: ['--client', 'client', '--client', 'shop=order'] });
  await cluster.launchWorker({ project: 'load' }).ready();
}, 120_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

/** `allowed`, or how it was refused. */
async function request(user: string, subject: string, payload: Uint8Array = EMPTY): Promise<string> {
  const connection = await cluster.connectAs(user);
  try {
    return await connection.requests.request(subject, payload, undefined, 5_000).then(
      () => 'allowed',
      (error: { kind?: string }) => error.kind ?? String(error),
    );
  } finally {
    await connection.close();
  }
}

async function subscribe(user: string, subject: string): Promise<string> {
  const connection = await cluster.connectAs(user);
  try {
    let refused: unknown;
    connection.nc.subscribe(subject, { callback: (error) => (refused ??= error) });
    await connection.nc.flush();
    await connection.nc.flush();
    return refused === undefined || refused === null ? 'allowed' : 'denied';
  } finally {
    await connection.close();
  }
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

describe('each user can do its job over TLS', () => {
  test('a client sends, asks and reads, and gets its answers from the other account', async () => {
    const troupe = await cluster.client();
    const actor = troupe.actor('ledger', 'ann');
    expect(await actor.ask(0)).toBe(1);
    expect((await actor.send(1)).seq).toBeGreaterThan(0);
    expect(await actor.ask(2)).toBe(3);
    expect((await actor.snapshot()).context).toEqual({ count: 3, seen: [0, 1, 2] });
    expect(await request('client', 'troupe.ask.ledger.bob', json(0))).toBe('allowed');
  });

  test.each([
    ['inspector', 'looks at a journal', '$JS.API.STREAM.INFO.TROUPE_JOURNAL', EMPTY],
    ['inspector', 'reads one entry', '$JS.API.STREAM.MSG.GET.TROUPE_JOURNAL', json({ seq: 1 })],
    ['inspector', 'reads leases', '$JS.API.STREAM.MSG.GET.TROUPE_RECORDS', json({ seq: 1 })],
    ['inspector', 'asks for the state of an actor', 'troupe.query.ledger.ann', json({ query: 'state' })],
    ['inspector', 'asks the workers how they are', 'troupe.control.stats', EMPTY],
    ['operator', 'lists streams', '$JS.API.STREAM.NAMES', EMPTY],
    ['operator', 'purges', '$JS.API.STREAM.PURGE.TROUPE_DEAD', EMPTY],
    ['operator', 'moves a leader', '$JS.API.STREAM.LEADER.STEPDOWN.TROUPE_DEAD', EMPTY],
    ['system', 'asks the servers how they are', '$SYS.REQ.SERVER.PING', EMPTY],
  ])('%s %s', async (user, _, subject, payload) => {
    expect(await request(user, subject, payload)).toBe('allowed');
  });

  test('gateway reads lists, history and leases, and sends', async () => {
    const ports = createNatsPorts(await cluster.connectAs('gateway'), cluster.config);
    const ann = { type: 'ledger', key: 'ann' };
    let entries = 0;
    for await (const _ of ports.journal.readActor(ann, {})) entries++;
    expect(entries).toBeGreaterThanOrEqual(3);
    for await (const { address } of ports.snapshots.list({})) expect(address.type).toBe('ledger');
    for await (const letter of ports.deadLetters.list({})) expect(letter.code).not.toBe('');
    expect((await ports.records.list('worker')).size).toBeGreaterThan(0);
    expect((await ports.journal.info()).messages).toBeGreaterThan(0);
    await ports.bus.request('troupe.control.stats', EMPTY, { timeoutMs: 5_000 });
    await ports.close();
    expect(await request('gateway', 'troupe.task.ledger.gated', json(0))).toBe('allowed');
  });

  test('worker finds the streams as it wants them', async () => {
    const connection = await cluster.connectAs('worker');
    await provision(connection, cluster.config);
    const ports = createNatsPorts(connection, cluster.config);
    expect((await ports.journal.info()).messages).toBeGreaterThan(0);
    await ports.close();
  });
});

describe('troupe gateway as its user, over HTTPS with a certificate of the generator', () => {
  let gateway: GatewayProcess;
  let url: string;
  const authorities = getCACertificates('default');
  /** Who tried what it may not, as the servers noted it. */
  const violations = () => cluster.serverLog.split('\n').filter((line) => /Violation.*"gateway"/.test(line));

  beforeAll(async () => {
    gateway = new GatewayProcess(cluster);
    url = await gateway.url();
  });
  afterAll(async () => {
    setDefaultCACertificates(authorities);
    await gateway?.[Symbol.asyncDispose]();
  });

  test('is not trusted without its authority, speaks TLS 1.2 or later, and no plain HTTP', async () => {
    await expect(fetch(`${url}/healthz`)).rejects.toMatchObject({
      cause: { code: expect.stringMatching(/UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET_ISSUER/) },
    });
    const port = Number(new URL(url).port);
    const ca = readFileSync(cluster.caFile);
    const seen = await new Promise<{ protocol: string | null; authorized: boolean }>((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port, ca }, () => {
        resolve({ protocol: socket.getProtocol(), authorized: socket.authorized });
        socket.destroy();
      });
      socket.on('error', reject).setTimeout(15_000, () => reject(new Error('no handshake')));
    });
    expect(seen).toEqual({ protocol: expect.stringMatching(/^TLSv1\.[23]$/), authorized: true });
    await expect(fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(15_000) })).rejects.toThrow();
  });

  test('answers every route and every question of the page, and tries nothing that it may not', async () => {
    setDefaultCACertificates([...authorities, readFileSync(cluster.caFile, 'utf8')]);
    const statuses = await callEveryRoute(url);
    expect(Object.keys(statuses).length).toBeGreaterThan(20);
    const { redriveDeadLetter, ...others } = statuses;
    // Applied again it fails again, with the code of the machine, unless its new letter is still on its way.
    expect([200, 422]).toContain(redriveDeadLetter);
    expect(Object.entries(others).filter(([, status]) => !(Number(status) >= 200 && Number(status) < 300))).toEqual([]);
    const told = await askThePage(url);
    expect(Object.entries(told).filter(([, answer]) => answer !== 'ok')).toEqual([]);
    expect(violations()).toEqual([]);
    expect(gateway.log).not.toMatch(/permission/i);
  });

  test('signs a browser in with a cookie that travels over TLS only', async () => {
    const answer = await fetch(`${url}/v1/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token: TOKEN }),
    });
    expect([answer.status, answer.headers.get('Set-Cookie')]).toEqual([
      expect.toSatisfy((status: number) => status < 300),
      expect.stringMatching(/HttpOnly.*Secure|Secure.*HttpOnly/),
    ]);
  });
});

describe('troupe as the operator', () => {
  test('changes log levels of a worker and profiles it, and tries nothing that it may not', async () => {
    const env = { PATH: process.env.PATH, ...cluster.envOf('operator') };
    const troupe = (...words: string[]) =>
      promisify(execFile)(process.execPath, [CLI, ...words, '--json'], { env, cwd: cluster.dir, timeout: 60_000 });
    expect(JSON.parse((await troupe('log-level', 'ledger', 'debug', '--for', '1m')).stdout)).toMatchObject({
      levels: [{ level: 'info' }, { type: 'ledger', level: 'debug' }],
    });
    await troupe('log-level', 'ledger', 'default');
    const { stdout } = await troupe('profile', 'run', '--seconds', '1', '--out', join(cluster.dir, 'profile'));
    expect(JSON.parse(stdout)).toMatchObject({ worker: expect.any(String), files: expect.any(Array) });
    expect(cluster.serverLog.split('\n').filter((line) => /Violation.*"(operator|worker)"/.test(line))).toEqual([]);
  });
});

describe('and nothing else', () => {
  test.each([
    ['client', '$JS.API.INFO'],
    ['client', '$JS.API.STREAM.INFO.TROUPE_JOURNAL'],
    ['client', 'troupe.event.ledger.ann'],
    ['client', 'troupe.journal.0.task.ledger.ann'],
    ['client', 'troupe.share.0.task.ledger.ann'],
    ['client', 'troupe.record.partition.0'],
    ['client', 'troupe.snapshot.0.ledger.ann'],
    ['client', 'troupe.control.drain.some'],
    ['client', '_INBOX.worker.x'],
    ['client', '_R_.x'],
    ['client', '$SYS.REQ.SERVER.PING'],
    ['shop', 'troupe.task.ledger.ann'],
    ['shop', 'troupe.query.ledger.ann'],
    ['worker', '$JS.API.STREAM.DELETE.TROUPE_JOURNAL'],
    ['worker', '$JS.API.STREAM.CREATE.TROUPE_JOURNAL'],
    ['worker', '$JS.API.STREAM.UPDATE.TROUPE_JOURNAL'],
    ['worker', '$JS.API.STREAM.SNAPSHOT.TROUPE_JOURNAL'],
    ['worker', '$JS.API.STREAM.CREATE.OTHER'],
    ['worker', '$SYS.REQ.SERVER.PING'],
    ['inspector', 'troupe.task.ledger.ann'],
    ['inspector', 'troupe.signal.ledger.ann'],
    ['inspector', 'troupe.event.ledger.ann'],
    ['inspector', 'troupe.record.partition.0'],
    ['inspector', 'troupe.control.drain.some'],
    ['inspector', '$JS.API.CONSUMER.CREATE.TROUPE_JOURNAL.x'],
    ['inspector', '$JS.API.STREAM.PURGE.TROUPE_JOURNAL'],
    ['inspector', '$JS.API.STREAM.MSG.DELETE.TROUPE_JOURNAL'],
    ['gateway', 'troupe.record.partition.0'],
    ['gateway', 'troupe.snapshot.0.ledger.ann'],
    ['gateway', 'troupe.journal.0.task.ledger.ann'],
    ['gateway', '$JS.API.STREAM.PURGE.TROUPE_JOURNAL'],
    ['gateway', '$JS.API.STREAM.DELETE.TROUPE_JOURNAL'],
    ['gateway', '$JS.API.STREAM.MSG.DELETE.TROUPE_JOURNAL'],
    ['gateway', '$SYS.REQ.SERVER.PING'],
    ['operator', '$JS.API.STREAM.CREATE.OTHER'],
    ['operator', '$JS.API.STREAM.DELETE.OTHER'],
    ['operator', '$SYS.REQ.SERVER.PING'],
    ['operator', 'unrelated.subject'],
  ])('%s is refused on %s', async (user, subject) => {
    expect(await request(user, subject)).toBe('denied');
  });

  test.each([
    ['client', 'troupe.>'],
    ['client', 'troupe.event.>'],
    ['client', '_INBOX.>'],
    ['client', '_INBOX.shop.>'],
    ['shop', 'troupe.out.ledger.>'],
    ['inspector', 'troupe.task.>'],
    ['inspector', '_INBOX.worker.>'],
    ['worker', '_INBOX.operator.>'],
    ['worker', '$SYS.>'],
    ['operator', '_INBOX.worker.>'],
  ])('%s hears nothing on %s', async (user, subject) => {
    expect(await subscribe(user, subject)).toBe('denied');
  });

  test('the system user reaches neither streams nor workers', async () => {
    expect(await request('system', 'troupe.task.ledger.ann')).toBe('no-responders');
  });

  test('a client that names a lease as its reply subject changes no lease', async () => {
    const client = await cluster.connectAs('client');
    const ports = createNatsPorts(await cluster.connectAs('operator'), cluster.config);
    const before = await ports.records.get('partition.0');
    client.nc.publish('troupe.task.ledger.mallory', json(0), { reply: 'troupe.record.partition.0' });
    await client.nc.flush();
    const troupe = await cluster.client();
    expect(await troupe.actor('ledger', 'mallory').ask(1)).toBe(2);
    expect(await ports.records.get('partition.0')).toEqual(before);
    await client.close();
    await ports.close();
  });
});

describe('who is nobody', () => {
  test.each([
    ['a wrong password', { user: 'worker', pass: 'wrong' }],
    ['no password', {}],
    ['a user that there is not', { user: 'admin', pass: 'admin' }],
  ])('is refused within the deadline, with %s, at every server that the cluster tells of', async (_, login) => {
    const attempt = connectNats({ servers: cluster.url, tls: { caFile: cluster.caFile }, waitMs: 3_000, ...login });
    await expect(attempt).rejects.toMatchObject({ kind: 'denied' });
  });

  test('does not trust a server whose authority it does not know', async () => {
    const attempt = connectNats({ servers: cluster.url, user: 'client', pass: cluster.passwordOf('client'), tls: {} });
    await expect(attempt).rejects.toMatchObject({ kind: 'disconnected' });
  });

  test('can not talk without TLS', async () => {
    const { port } = cluster.servers[0]!;
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connectTcp(port, '127.0.0.1');
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        if (text === '') socket.write(`CONNECT {"user":"client","pass":"${cluster.passwordOf('client')}"}\r\nPING\r\n`);
        text += chunk;
      });
      socket.on('close', () => resolve(text)).on('error', reject);
      socket.setTimeout(15_000, () => reject(new Error('the server kept the connection')));
    });
    expect(answer).toContain('"tls_required":true');
    expect(answer).not.toContain('PONG');
  });

  test.each([
    ['route', 'INFO'],
    ['server', 'refused'],
  ])('joins the cluster only with a certificate of the authority of the routes: %s.pem, %s', async (name, wanted) => {
    const text = readFileSync(join(cluster.dir, 'n1', 'nats-server.conf'), 'utf8');
    const port = Number(/cluster \{[^}]*?listen: "127\.0\.0\.1:(\d+)"/s.exec(text)?.[1]);
    const cert = readFileSync(join(cluster.dir, 'n1', `${name}.pem`));
    const key = readFileSync(join(cluster.dir, 'n1', `${name}-key.pem`));
    const seen = await new Promise<string>((resolve, reject) => {
      const socket = connectTls({ port, host: '127.0.0.1', cert, key, rejectUnauthorized: false });
      socket.on('data', (chunk) => {
        socket.destroy();
        resolve(String(chunk).slice(0, 4));
      });
      socket.on('error', () => resolve('refused')).on('close', () => resolve('refused'));
      socket.setTimeout(15_000, () => reject(new Error('the server said nothing')));
    });
    expect(seen).toBe(wanted);
  });
});

describe('the files', () => {
  test('that hold secrets are readable by their owner only, and folders likewise', () => {
    const modes = new Map<string, number>();
    for (const name of readdirSync(cluster.dir, { recursive: true, encoding: 'utf8' })) {
      if (!name.includes('data')) modes.set(name, statSync(join(cluster.dir, name)).mode & 0o777);
    }
    const secret = [...modes].filter(([name]) => /(-key\.pem|\.conf|\.env|\.password)$/.test(name));
    expect(secret.length).toBeGreaterThan(20);
    expect(secret.filter(([, mode]) => mode !== 0o600)).toEqual([]);
    expect(['n1', 'users', 'authorities'].map((name) => modes.get(name))).toEqual([0o700, 0o700, 0o700]);
  });

  test('are accepted by the server itself', async () => {
    for (const server of ['n1', 'n2', 'n3']) {
      const binary = process.env.TROUPE_NATS_SERVER || 'nats-server';
      const args = ['-t', '--config', join(cluster.dir, server, 'nats-server.conf')];
      const { stderr } = await promisify(execFile)(binary, args, { timeout: 20_000 });
      expect(stderr).toContain('configuration file');
    }
  });

  test('no password is told by a server, a worker, or an error', async () => {
    const secrets = ['worker', 'client', 'shop', 'gateway', 'operator', 'inspector', 'system'].map((user) =>
      cluster.passwordOf(user),
    );
    const refused = await connectNats({
      servers: cluster.url.replace('tls://', `tls://worker:${cluster.passwordOf('worker')}@`),
      user: 'worker',
      pass: 'wrong',
      tls: { caFile: cluster.caFile },
    }).catch((error: Error) => error);
    const debugging = cluster.launchWorker({
      project: 'load',
      args: ['--log-level', 'debug'],
      env: { TROUPE_NATS_PASS_FILE: '', TROUPE_NATS_PASS: `wrong-${cluster.passwordOf('worker')}` },
    });
    await expect(debugging.ready()).rejects.toThrow(/ended before/);
    const heard = [cluster.log, cluster.serverLog, String(refused), JSON.stringify(refused), debugging.log].join('\n');
    expect(debugging.log).toMatch(/credentials/i);
    expect(secrets.filter((secret) => secret.length < 40 || heard.includes(secret))).toEqual([]);
  });
});
