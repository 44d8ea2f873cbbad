/** `troupe gateway`, and the gateway of `troupe dev`, as a person would use them. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NatsServerHandle, startNatsServer } from '@troupe/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RunningCommand, run } from './support/process.ts';
import { counterOf, FILES, makeProject, type Project } from './support/project.ts';

const TOKEN = 'operate-token-of-the-cli-tests';

describe('troupe gateway', () => {
  let server: NatsServerHandle;
  let dir: string;
  let tokens: string;
  beforeAll(async () => {
    server = await startNatsServer();
    dir = mkdtempSync(join(tmpdir(), 'troupe-gateway-'));
    tokens = join(dir, 'tokens.txt');
    writeFileSync(tokens, `# who may\noperate ann ${TOKEN}\n`, { mode: 0o600 });
  });
  afterAll(async () => {
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const start = (words: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
    new RunningCommand(['gateway', '--nats-url', server.url, '--listen', '127.0.0.1:0', '--no-page', ...words], {
      cwd: dir,
      env,
    });

  test('serves this machine without tokens, and ends in good order', async () => {
    const gateway = start();
    const url = (await gateway.until(/gateway on (http:\S+)\n/))[1]!;
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await gateway.stop('SIGTERM')).code).toBe(0);
  });

  test('wants a token of its file, or of the environment, and logs none', async () => {
    const gateway = start(['--tokens', tokens, '--log-level', 'debug'], {
      TROUPE_GATEWAY_READ_TOKEN: 'a-read-token-of-the-environment',
    });
    const url = (await gateway.until(/gateway on (http:\S+)\n/))[1]!;
    const me = async (token: string) =>
      (await fetch(`${url}/v1/me`, { headers: { Authorization: `Bearer ${token}` } })).json();
    expect(await me(TOKEN)).toEqual({ name: 'ann', role: 'operate' });
    expect(await me('a-read-token-of-the-environment')).toEqual({ name: 'env-read', role: 'read' });
    expect(await me('a-wrong-token-of-somebody-else')).toMatchObject({ code: 'Unauthenticated' });
    const { code, stdout, stderr } = await gateway.stop();
    expect(code).toBe(0);
    expect(stderr).toContain('request answered');
    for (const secret of [TOKEN, 'a-read-token', 'a-wrong-token']) expect(stdout + stderr).not.toContain(secret);
  });

  test.each([['beyond this machine without tokens', ['--listen', '0.0.0.0:0'], '--tokens FILE']])(
    'does not start %s, and says what to do',
    async (_what, words, message) => {
      const { code, stderr } = await run(['gateway', '--nats-url', server.url, '--no-page', ...words], { cwd: dir });
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    },
  );

  test('does not take tokens from a file that others may read', async () => {
    const loose = join(dir, 'loose.txt');
    writeFileSync(loose, `operate ann ${TOKEN}\n`);
    chmodSync(loose, 0o644);
    const { code, stderr } = await run(['gateway', '--nats-url', server.url, '--no-page', '--tokens', loose], {
      cwd: dir,
    });
    expect([code, stderr]).toEqual([2, expect.stringContaining('chmod 600')]);
    expect(stderr).not.toContain(TOKEN);
  });
});

describe('troupe dev', () => {
  let project: Project;
  let dev: RunningCommand;
  let blocker: Server;
  beforeAll(async () => {
    // The usual port is taken: by this, or by something else for as long as that stays.
    blocker = createServer();
    const take = (): Promise<void> =>
      new Promise((resolve) => {
        blocker.once('error', () => setTimeout(() => resolve(take()), 100));
        blocker.listen(4_280, '127.0.0.1', () => resolve());
      });
    await Promise.race([take(), new Promise((resolve) => setTimeout(resolve, 20_000))]);
    project = makeProject(FILES);
    dev = new RunningCommand(['dev', '--nats-port', '0'], { cwd: project.dir });
  });
  afterAll(async () => {
    blocker.close();
    const { code } = await dev.stop();
    project[Symbol.dispose]();
    expect(code).toBe(0);
  });

  const ask = async (page: string, key: string): Promise<unknown> => {
    const url = new URL(`/v1/actors/counter/${key}/ask`, page);
    const asked = await fetch(url, { method: 'POST', body: '5', headers: { 'Content-Type': 'application/json' } });
    return asked.json();
  };
  const stateOf = async (page: string, key: string, seq: number): Promise<unknown> =>
    ((await (await fetch(new URL(`/v1/actors/counter/${key}/state?seq=${seq}`, page))).json()) as { context: unknown })
      .context;

  test('serves actors and page on the next free port, says so, and shows new code after a change', async () => {
    // Before anything is said to be ready: it was missed while the watch began only then.
    await dev.until(/worker is ready/);
    project.write('agents/early.ts', 'export {};\n');
    const page = (await dev.until(/Look inside: (http:\/\/127\.0\.0\.1:\d+)\n/))[1]!;
    expect(dev.stdout).toContain('(port 4280 is taken by something else; this is the next free one)');
    await dev.until(/ ready\n/);
    await dev.until(/reloaded in \d+ ms/);
    expect(await ask(page, 'web')).toMatchObject({ actor: 'counter/web', output: 5 });
    const html = await fetch(page, { headers: { Accept: 'text/html' } });
    expect([html.status, html.headers.get('Content-Type')]).toEqual([200, 'text/html; charset=utf-8']);

    project.write('agents/counter.ts', counterOf(10));
    await dev.until(/(reloaded in \d+ ms[\s\S]*){2}/);
    expect(await ask(page, 'new')).toMatchObject({ output: 50 });
    const history = await fetch(new URL('/v1/actors/counter/new/history', page));
    const [entry] = ((await history.json()) as { entries: { seq: number }[] }).entries;
    expect(await stateOf(page, 'new', entry!.seq)).toEqual({ n: 50 });
  });
});
