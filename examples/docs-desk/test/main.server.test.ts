/** `npm start`, as a process, with a real nats-server. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@troupe/client';
import { desk, directory } from '@troupe/example-docs-desk';
import { startNatsServer } from '@troupe/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const main = join(import.meta.dirname, '../src/main.ts');
const cli = join(import.meta.dirname, '../../../packages/cli/src/main.ts');
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'docs-desk-main-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  args: readonly string[],
  onOutput: (text: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const env = { ...process.env, TROUPE_NATS_URL: '', TROUPE_NATS_PORT: '', TROUPE_DATA: '' };
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onOutput(stdout, (signal) => child.kill(signal));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onOutput(stderr, (signal) => child.kill(signal));
  });
  child.once('error', reject);
  child.once('close', (code) => resolve({ code, stdout, stderr }));
  return promise;
}

const urlIn = (stderr: string) => /nats:\/\/127\.0\.0\.1:(\d+)/.exec(stderr);

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

describe('npm start', () => {
  test('answers from the documents of the installed packages, and the second time without reading them again', async () => {
    const args = [main, '--once', '--nats-port', '0', '--data', join(folder, 'packages')];
    const first = await start(args);
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toMatch(/> What is my name\?\n {2}John\n/);
    expect(first.stdout).toContain('pino docs/redaction.md:3 (Redaction)');
    expect(first.stdout).toMatch(/> How do I make structured clones with msgpackr\?[^>]*\n {2}msgpackr README\.md:\d+/);
    expect(first.stdout).toMatch(/> How do parallel states work in XState\?/);
    expect(first.stdout).toMatch(/8 questions, one after the other: \d{2,} turns in [\d.]+ s, \d+ turns\/s/);
    expect(first.stdout).toMatch(/first answer [\d.]+ s after the start/);
    expect(first.stdout).not.toContain('did not answer');
    expect(first.stderr).toMatch(/\d{3} documents \([\d.]+ [KM]iB\) for \d+ librarians: \d{3} published/);

    const second = await start(args);
    expect(second).toMatchObject({ code: 0 });
    expect(second.stderr).toMatch(/all known already|librarians: \d published/); // Somebody may be editing a README.
    expect(second.stdout).toContain('pino docs/redaction.md:3 (Redaction)');
    expect(await isListening(Number(urlIn(second.stderr)?.[1]))).toBe(false);
  }, 180_000);

  test('with a folder and a server of your own, answers from them, and lets you look inside', async () => {
    await using server = await startNatsServer();
    const args = [main, '--docs', garden(), '--nats-url', server.url, '--data', join(folder, 'own'), '--gateway'];
    const ended = await start(args);
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stderr).toMatch(/look inside: http:\/\/127\.0\.0\.1:\d+\/actor\/desk\/john\n\n/);
    expect(ended.stderr).toContain('2 documents (0 KiB) for 1 librarians: 2 published');
    expect(ended.stdout).toMatch(/> What is my name\?\n {2}John\n/);
  }, 60_000);

  test('stopped on the way, stops what it has started', async () => {
    const data = join(folder, 'stopped');
    const ended = await start([main, '--nats-port', '0', '--data', data], (stderr, kill) => {
      if (stderr.includes('worker ready')) kill('SIGINT');
    });
    expect(ended.code === 130 || ended.code === 0).toBe(true);
    expect(await isListening(Number(urlIn(ended.stderr)?.[1]))).toBe(false);
    const again = await start([main, '--nats-port', '0', '--data', data]);
    expect(again.code).toBe(0);
  }, 120_000);

  test('says what is wrong and ends', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const port = String((taken.address() as { port: number }).port);
    const [portTaken, noFolder, noFlag, help] = await Promise.all([
      start([main, '--nats-port', port, '--data', join(folder, 'a')]),
      start([main, '--docs', join(folder, 'none'), '--nats-port', '0', '--data', join(folder, 'b')]),
      start([main, '--frobnicate']),
      start([main, '--help']),
    ]);
    taken.close();
    expect(portTaken).toMatchObject({ code: 1, stderr: expect.stringContaining(`Port ${port} is in use`) });
    expect(noFolder).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no folder') });
    expect(noFlag).toMatchObject({ code: 2, stderr: expect.stringContaining('--frobnicate') });
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('usage: npm start') });
  }, 60_000);
});

describe('troupe dev --docs', () => {
  test('answers other processes, forgets what is gone, and remembers after the end', async () => {
    const docs = garden();
    const args = [cli, 'dev', '--docs', docs, '--nats-port', '0', '--no-gateway', '--data', join(folder, 'dev/data')];
    const first = await whileUp(args, (url) => tell(url, 'My name is John'));
    expect(first.ended.code).toBe(0);
    rmSync(join(docs, 'roses.md'));
    const second = await whileUp(args, askAll);
    expect(second.said).toEqual([
      'John',
      expect.stringContaining('tomatoes.md:5 (Tomatoes > Watering)'),
      '["tomatoes.md"]',
    ]);
    expect(second.ended.code).toBe(0);
    expect(second.ended.stdout).toContain('ask desk/john');
    expect(second.ended.stdout).toContain('req troupe.ask.desk.john');
  }, 120_000);
});

/** Runs it, does something once it is up, and stops it. */
async function whileUp(
  args: readonly string[],
  act: (url: string) => Promise<readonly string[]>,
): Promise<{ said: readonly string[]; ended: Ended }> {
  let said: Promise<readonly string[]> | undefined;
  const ended = await start(args, (text, kill) => {
    if (said !== undefined || !text.includes('ask desk/john')) return;
    said = act(urlIn(text)![0]).finally(() => kill('SIGTERM'));
  });
  return { said: (await said) ?? [], ended };
}

function garden(): string {
  const docs = mkdtempSync(join(folder, 'garden-'));
  writeFileSync(
    join(docs, 'tomatoes.md'),
    '# Tomatoes\n\n## Watering\n\nWater tomatoes in the morning, at the root.\n',
  );
  writeFileSync(join(docs, 'roses.md'), '# Roses\n\nCut roses back in March.\n');
  return docs;
}

async function tell(url: string, text: string): Promise<string[]> {
  await using troupe = await connect({ url });
  return [(await troupe.actor(desk, 'john').ask(text)).text];
}

/** What another process hears: the name, a passage, the catalogue. */
async function askAll(url: string): Promise<string[]> {
  await using troupe = await connect({ url });
  const john = troupe.actor(desk, 'john');
  const name = await john.ask('What is my name?');
  const passage = await john.ask('When do I water tomatoes?');
  const catalogue = await troupe.actor(directory, 'main').ask({ type: 'catalogue' });
  const files = catalogue.kind === 'catalogue' ? catalogue.librarians.flatMap((one) => Object.keys(one.files)) : [];
  return [name.text, passage.text, JSON.stringify(files)];
}
