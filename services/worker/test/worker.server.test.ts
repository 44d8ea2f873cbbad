/** The worker as a process, against a real server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { connect } from '@troupe/client';
import { WORKER_EXIT } from '@troupe/service-worker/internal';
import { type NatsServerHandle, startNatsServer } from '@troupe/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const PROJECT = fileURLToPath(new URL('./fixtures/project/', import.meta.url));
const BROKEN = fileURLToPath(new URL('./fixtures/broken/', import.meta.url));

/** A worker's process with its log. */
class Worker {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  log = '';

  constructor(args: readonly string[], cwd = PROJECT) {
    this.child = spawn(process.execPath, [MAIN, ...args], { cwd, stdio: ['ignore', 'inherit', 'pipe'] });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  get lines(): { level: string; msg: string }[] {
    return this.log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string });
  }

  async until(text: string): Promise<void> {
    while (!this.log.includes(text)) {
      if (this.child.exitCode !== null) throw new Error(`the worker ended before "${text}":\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describe('a worker process', () => {
  let server: NatsServerHandle;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.close());

  test('makes the streams, hosts its actors, and drains on SIGTERM', async () => {
    const worker = new Worker(['--nats-url', server.url, '--id', 'one']);
    await worker.until('worker is ready');
    await using troupe = await connect({ url: server.url });
    expect(await troupe.actor('counter', 'a').ask(3)).toBe(3);
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(WORKER_EXIT.ok);
    expect(worker.lines.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(['created stream TROUPE_JOURNAL', 'worker is ready', 'draining', 'drained']),
    );
  });

  test('goes on where the one before it was killed', async () => {
    const first = new Worker(['--nats-url', server.url]);
    await first.until('worker is ready');
    await using troupe = await connect({ url: server.url });
    expect(await troupe.actor('counter', 'killed').ask(3)).toBe(3);
    first.child.kill('SIGKILL');
    await first.ended;
    const second = new Worker(['--nats-url', server.url]);
    expect(await troupe.actor('counter', 'killed').ask(4, { deadlineMs: 40_000 })).toBe(7);
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(WORKER_EXIT.ok);
  });

  test('ends at once at the second signal', async () => {
    const worker = new Worker(['--nats-url', server.url]);
    await worker.until('worker is ready');
    worker.child.kill('SIGTERM');
    await worker.until('draining');
    worker.child.kill('SIGTERM');
    expect([WORKER_EXIT.ok, 143]).toContain(await worker.ended);
  });

  test('refuses a journal with another partition count, and says what to configure', async () => {
    const worker = new Worker(['--nats-url', server.url, '--partitions', '8']);
    expect(await worker.ended).toBe(WORKER_EXIT.failed);
    expect(worker.log).toContain('was created with 4 partitions, configured are 8');
  });
});

describe('a worker process that can not start', () => {
  test.each([
    [
      'without a server',
      ['--nats-url', 'nats://127.0.0.1:9', '--nats-wait-ms', '0'],
      PROJECT,
      WORKER_EXIT.notConnected,
      'no NATS server answered',
    ],
    ['with a broken config file', [], BROKEN, WORKER_EXIT.usage, 'defineConfig did not make'],
    ['without a config file', [], '/', WORKER_EXIT.usage, 'There is no troupe.config.ts'],
    ['with an unknown flag', ['--nope'], PROJECT, WORKER_EXIT.usage, '--nope'],
  ])('%s ends with its code and says why', async (_what, args, cwd, code, message) => {
    const worker = new Worker(args, cwd);
    expect(await worker.ended).toBe(code);
    expect(worker.lines.at(-1)!.level).toBe('error');
    expect(worker.log).toContain(message);
  });
});
