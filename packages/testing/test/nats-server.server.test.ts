import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcessState } from '@troupe/nats/internal';
import { connect, type NatsConnection } from 'nats';
import { describe, expect, test } from 'vitest';
import { startNatsServer } from '../src/nats-server.ts';

async function withConnection<Result>(
  url: string,
  use: (connection: NatsConnection) => Promise<Result>,
): Promise<Result> {
  const connection = await connect({ servers: url, reconnect: false });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

function addStream(url: string): Promise<unknown> {
  return withConnection(url, async (connection) => {
    const manager = await connection.jetstreamManager();
    await manager.streams.add({ name: 'kept', subjects: ['kept.>'] });
    return connection.jetstream().publish('kept.a', 'one');
  });
}

function countMessages(url: string): Promise<number> {
  return withConnection(url, async (connection) => {
    const manager = await connection.jetstreamManager();
    return (await manager.streams.info('kept')).state.messages;
  });
}

function isAlive(pid: number): boolean {
  return readProcessState(pid) !== 'ended';
}

async function waitUntil(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadlineAt = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadlineAt) throw new Error(`not within ${timeoutMs} ms`);
    await sleep(20);
  }
}

function fakeServer(script: string): { path: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-fake-server-'));
  const path = join(folder, 'nats-server');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

describe('startNatsServer', () => {
  test('gives a server that stores, on a free port of its own, and takes everything away again', async () => {
    const server = await startNatsServer();
    await using other = await startNatsServer({ jetstream: false });
    expect(server.port).not.toBe(other.port);
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    await addStream(server.url);
    expect(await countMessages(server.url)).toBe(1);
    const pid = server.pid ?? 0;
    await server.close();
    await server.close();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(server.storeDir)).toBe(false);
    await expect(server.restart()).rejects.toMatchObject({ code: 'Closed' });
  });

  test('tells about itself on the monitoring port, and writes through when asked', async () => {
    await using server = await startNatsServer({ syncAlways: true, jetstreamConfig: 'max_file: 64MB' });
    const response = await fetch(`${server.monitorUrl}/varz`);
    const { host, jetstream } = (await response.json()) as {
      host: string;
      jetstream: { config: Record<string, unknown> };
    };
    expect(host).toBe('127.0.0.1');
    expect(jetstream.config).toMatchObject({ sync_always: true, max_storage: 64 * 1024 ** 2 });
  });

  test.for(['SIGKILL', 'SIGTERM'] as const)('keeps port and store over %s and a restart', async (signal) => {
    await using server = await startNatsServer();
    const { port, monitorUrl } = server;
    await addStream(server.url);
    await server.kill(signal);
    expect(server.pid).toBeUndefined();
    await expect(connect({ servers: server.url, reconnect: false })).rejects.toThrow();
    await server.restart();
    expect([server.port, server.monitorUrl]).toEqual([port, monitorUrl]);
    expect(await countMessages(server.url)).toBe(1);
  });

  test('restarts a running server', async () => {
    await using server = await startNatsServer();
    const before = server.pid;
    await addStream(server.url);
    await server.restart();
    expect(server.pid).not.toBe(before);
    expect(await countMessages(server.url)).toBe(1);
  });

  test('a frozen server accepts but does not answer until it is resumed', async () => {
    await using server = await startNatsServer({ jetstream: false });
    await server.freeze();
    const socket = connectTcp(server.port, '127.0.0.1');
    await once(socket, 'connect');
    const info = once(socket, 'data').then(() => 'answered');
    expect(await Promise.race([info, sleep(200, 'silent')])).toBe('silent');
    server.resume();
    expect(await info).toBe('answered');
    socket.destroy();
  });

  test('closes a frozen server', async () => {
    const server = await startNatsServer();
    const pid = server.pid ?? 0;
    await server.freeze();
    await server.close();
    expect(isAlive(pid)).toBe(false);
    expect(() => server.resume()).toThrow('closed');
  });

  test('leaves a folder that it was given', async () => {
    const storeDir = mkdtempSync(join(tmpdir(), 'troupe-given-store-'));
    try {
      await using server = await startNatsServer({ storeDir });
      await addStream(server.url);
      await server.close();
      expect(readdirSync(storeDir)).toEqual(['jetstream']);
      await using again = await startNatsServer({ storeDir });
      expect(await countMessages(again.url)).toBe(1);
    } finally {
      rmSync(storeDir, { recursive: true, force: true });
    }
  });

  test('takes further configuration', async () => {
    await using server = await startNatsServer({ jetstream: false, config: 'max_payload: 1KB' });
    const maxPayload = await withConnection(server.url, async ({ info }) => info?.max_payload);
    expect(maxPayload).toBe(1024);
  });

  test('shows the log when the configuration is wrong', async () => {
    await expect(startNatsServer({ config: 'no_such_option: 1' })).rejects.toMatchObject({
      code: 'Internal',
      message: expect.stringContaining('no_such_option'),
    });
  });

  test('shows the log when the port is taken', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as { port: number };
    await expect(startNatsServer({ port })).rejects.toThrow(/address already in use/);
    squatter.close();
  });

  test('says how to get a server when there is none', async () => {
    await expect(startNatsServer({ binary: '/no/such/nats-server' })).rejects.toMatchObject({
      code: 'ServerMissing',
      message: expect.stringContaining('TROUPE_NATS_SERVER'),
    });
  });

  test('gives up on a server that never answers, and leaves nothing of it', async () => {
    using fake = fakeServer('echo "pid $$"; exec sleep 1000');
    const failure = await startNatsServer({ binary: fake.path, readyTimeoutMs: 300 }).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'Timeout', message: expect.stringContaining('within 300 ms') });
    const pid = Number(/pid (\d+)/.exec((failure as Error).message)?.[1]);
    expect(isAlive(pid)).toBe(false);
  });

  test.for(['SIGKILL', 'SIGTERM', 'exit'])('no server outlives a process that ends by %s', async (how) => {
    const launcher = new URL('../src/nats-server.ts', import.meta.url).href;
    const script = `
      import { startNatsServer } from ${JSON.stringify(launcher)};
      const server = await startNatsServer();
      console.log(JSON.stringify({ pid: server.pid, storeDir: server.storeDir }));
      if (process.argv[1] === 'exit') setTimeout(() => process.exit(0), 100);
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', script, how], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(owner.stdout.setEncoding('utf8'), 'data');
    const { pid, storeDir } = JSON.parse(line) as { pid: number; storeDir: string };
    expect(isAlive(pid)).toBe(true);
    if (how !== 'exit') owner.kill(how as NodeJS.Signals);
    await once(owner, 'exit');
    await waitUntil(() => !isAlive(pid));
    await waitUntil(() => !existsSync(storeDir));
  });
});
