/** Several worker processes under one parent, against a real server: they end, hang and freeze, and nothing is lost. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Troupe } from '@troupe/client';
import { WORKER_EXIT } from '@troupe/service-worker/internal';
import { type NatsServerHandle, startNatsServer } from '@troupe/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endAll, eventually, fixture, Running } from './support/running.ts';

const HOSTILE = fixture('hostile');
const ASK = { deadlineMs: 50_000 };

let server: NatsServerHandle;
let troupe: Troupe;
beforeAll(async () => {
  server = await startNatsServer();
  troupe = await connect({ url: server.url });
});
afterAll(async () => {
  await endAll();
  await troupe.close();
  await server.close();
});

function pool(count: number, ...args: string[]): Running {
  return new Running(['--nats-url', server.url, '--processes', `${count}`, '--health-port', '0', ...args], HOSTILE);
}

interface Ready {
  readonly reasons: readonly string[];
  readonly processes: readonly { readonly process: number; readonly pid: number; readonly ready: boolean }[];
}

async function healthUrl(running: Running): Promise<string> {
  return String((await running.until('health endpoints listen')).url);
}

async function readiness(running: Running): Promise<{ readonly status: number; readonly body: Ready }> {
  const response = await fetch(`${await healthUrl(running)}/readyz`);
  return { status: response.status, body: (await response.json()) as Ready };
}

/** All processes, once every one of them is ready; none of them is `not`. */
function allReady(running: Running, not?: number): Promise<Ready['processes']> {
  return eventually('readiness', async () => {
    const { status, body } = await readiness(running);
    return status === 200 && body.processes.every(({ pid }) => pid !== not) ? body.processes : undefined;
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('two worker processes under a parent', () => {
  let running: Running;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-stuck-'));
    running = pool(2, '--stuck-ms', '3000', '--id', 'pair');
    await allReady(running);
  });
  afterAll(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  test('tell by their endpoints that they live and are ready, and take nothing but reads', async () => {
    const url = await healthUrl(running);
    const { status, body } = await readiness(running);
    expect({ status, reasons: body.reasons, processes: body.processes.length }).toEqual({
      status: 200,
      reasons: [],
      processes: 2,
    });
    expect(await (await fetch(`${url}/livez`)).json()).toEqual({ status: 'ok', reasons: [] });
    expect((await fetch(`${url}/livez`, { method: 'POST', body: 'x' })).status).toBe(405);
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/readyz`, { method: 'HEAD' })).status).toBe(200);
  });

  test('start one again that was killed, and lose no task meanwhile', async () => {
    const [first] = await allReady(running);
    const actors = Array.from({ length: 16 }, (_, n) => troupe.actor('counter', `killed-${n}`));
    await Promise.all(actors.map((actor) => actor.ask(1, ASK)));
    process.kill(first!.pid, 'SIGKILL');
    await Promise.all(actors.map((actor) => actor.ask(1, ASK)));
    const line = await running.until((one) => one.pid === first!.pid && one.msg.includes('is started again'));
    expect(line).toMatchObject({ component: 'parent', signal: 'SIGKILL', process: first!.process });
    await allReady(running, first!.pid);
    expect(await Promise.all(actors.map((actor) => actor.ask(1, ASK)))).toEqual(actors.map(() => 3));
  });

  test('end one whose step never returns, and say in which actor and at which entry it was', async () => {
    const file = join(folder, 'spinning');
    writeFileSync(file, '');
    const asked = troupe.actor('endless', 'a').ask(file, ASK);
    const where = await running.until('the event loop is stuck here');
    expect(where).toMatchObject({ level: 'error', component: 'worker', actor: 'endless/a', seq: expect.any(Number) });
    expect(where.stack).toContain('at spin (');
    await running.until((one) => one.pid === where.pid && one.msg.includes('this process ends itself'));
    rmSync(file);
    expect(await asked).toBe('back');
    await allReady(running, where.pid as number);
  });

  test('end one that is frozen', async () => {
    const [first] = await allReady(running);
    process.kill(first!.pid, 'SIGSTOP');
    await running.until((one) => one.pid === first!.pid && one.msg.includes('it is frozen; it is killed'));
    await running.until((one) => one.pid === first!.pid && one.msg.includes('was stuck and was killed'));
    await allReady(running, first!.pid);
  });

  test('do not outlive a parent that is killed', async () => {
    const processes = await allReady(running);
    running.child.kill('SIGKILL');
    await running.ended;
    await eventually('the end of every process', () => processes.every(({ pid }) => !isAlive(pid)));
    expect(running.lines.filter(({ reason }) => reason === 'parent gone')).toHaveLength(2);
    expect(running.lines.filter(({ msg }) => msg === 'drained')).toHaveLength(2);
  });
});

describe('a parent that is asked to stop', () => {
  test('drains every process under load, and no task that was accepted is lost', async () => {
    const first = pool(2);
    await allReady(first);
    const actors = Array.from({ length: 8 }, (_, n) => troupe.actor('counter', `drained-${n}`));
    const accepted = actors.map(() => 0);
    let going = true;
    const load = actors.map(async (actor, n) => {
      while (going) {
        await actor.send(1);
        accepted[n]!++;
        // A steady load: a flood would only make the next owner read longer.
        await sleep(4);
      }
    });
    await eventually('some load', () => accepted.every((count) => count > 50));
    first.child.kill('SIGTERM');
    const code = await first.ended;
    going = false;
    await Promise.all(load);
    expect(code).toBe(WORKER_EXIT.ok);
    expect(first.lines.map(({ msg }) => msg)).toContain('every process has ended in good order');
    const second = pool(1);
    expect(await Promise.all(actors.map((actor) => actor.ask(0, ASK)))).toEqual(accepted);
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(WORKER_EXIT.ok);
  });

  test('ends everything at once at the second signal', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'troupe-second-')), 'spinning');
    const running = pool(1);
    const [only] = await allReady(running);
    writeFileSync(file, '');
    // A process that does not listen: its step does not return.
    await troupe.actor('endless', 'second').send(file);
    await eventually('the step to begin', () => existsSync(file));
    running.child.kill('SIGTERM');
    await running.until('draining all processes');
    running.child.kill('SIGTERM');
    expect(await running.ended).toBe(143);
    await eventually('the end of the process', () => !isAlive(only!.pid));
    rmSync(file);
  });
});

describe('a parent whose processes can not work', () => {
  test('gives up at once on what they refuse to run with', async () => {
    const running = pool(2, '--id', 'i'.repeat(64));
    expect(await running.ended).toBe(WORKER_EXIT.usage);
    expect(running.log).toContain('must be 1 to 64 letters');
    expect(running.lines.find(({ msg }) => msg.startsWith('gave up'))).toMatchObject({ level: 'error', code: 2 });
    expect(running.lines.filter(({ msg }) => msg === 'process started')).toHaveLength(2);
  });

  test('gives up after five failures in a row, with their exit code', async () => {
    const args = ['--nats-url', 'nats://127.0.0.1:9', '--nats-wait-ms', '0', '--processes', '1'];
    const running = new Running(args, HOSTILE);
    expect(await running.ended).toBe(WORKER_EXIT.notConnected);
    const waits = running.lines.flatMap(({ waitMs }) => (typeof waitMs === 'number' ? [waitMs] : []));
    expect(waits).toHaveLength(4);
    expect(waits.every((waitMs, n) => waitMs >= 250 * 2 ** n && waitMs <= 500 * 2 ** n)).toBe(true);
    expect(running.lines.at(-1)!.msg).toContain('5 times in a row');
  });

  test('does not start any with a config file that is none', async () => {
    const running = new Running(['--processes', '2'], fixture('broken'));
    expect(await running.ended).toBe(WORKER_EXIT.usage);
    expect(running.log).not.toContain('process started');
  });

  test('says that its port is taken', async () => {
    const port = new URL(server.url).port;
    const running = new Running(['--processes', '1', '--health-port', port], HOSTILE);
    expect(await running.ended).toBe(WORKER_EXIT.usage);
    expect(running.log).toContain('EADDRINUSE');
  });
});
