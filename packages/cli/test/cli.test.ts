/** The command without a server: help, exit codes, output, config. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMANDS, EXIT } from '@troupe/cli';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { troupe } from './support/run.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-cli-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An address where nobody listens. */
const NOBODY = 'nats://127.0.0.1:9';

describe('help', () => {
  test('lists every command', async () => {
    const { code, stdout, stderr } = await troupe(['--help']);
    expect([code, stderr]).toEqual([0, '']);
    for (const { name, summary } of COMMANDS) {
      expect(stdout).toContain(name);
      expect(stdout.replace(/\s+/g, ' ')).toContain(summary);
    }
  });

  test('goes to stderr with code 2 when nothing was asked for', async () => {
    const { code, stdout, stderr } = await troupe([]);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toContain('Usage: troupe <command>');
  });

  test.each(COMMANDS.map(({ name }) => name))('of %s shows usage, flags, examples and exit codes', async (name) => {
    const { code, stdout } = await troupe([...name.split(' '), '--help']);
    expect(code).toBe(0);
    for (const part of [`Usage: troupe ${name}`, 'Flags:', '--json', 'Examples:', `troupe ${name}`, 'Exit codes:'])
      expect(stdout).toContain(part);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
  });

  test('of ask stays as it is', async () => {
    expect((await troupe(['ask', '--help'])).stdout).toMatchSnapshot();
  });
});

describe('exit codes', () => {
  test.each([
    ['an unknown command', ['nope'], EXIT.usage],
    ['an address without a type', ['ask', 'john', 'hi'], EXIT.usage],
    ['a type that is none', ['ask', 'Support/john', 'hi'], EXIT.usage],
    ['a key that is too long', ['ask', `support/${'x'.repeat(300)}`, 'hi'], EXIT.usage],
    ['no input', ['ask', 'support/john'], EXIT.usage],
    ['input given twice', ['ask', 'support/john', 'a', '--file', 'b'], EXIT.usage],
    ['a file that is not there', ['ask', 'support/john', '--file', '/nowhere'], EXIT.usage],
    ['an unusable duration', ['ask', 'support/john', 'hi', '--deadline', 'soon'], EXIT.usage],
    ['an event without a type', ['signal', 'order/42', '{"a":1}'], EXIT.usage],
    ['a config file that is not there', ['ls', '--config', '/nowhere.ts'], EXIT.usage],
    ['a sequence that is no number', ['dead', 'show', 'x'], EXIT.usage],
    ['an unusable setting', ['worker', '--partitions', 'many'], EXIT.usage],
    ['no config where one is needed', ['worker'], EXIT.usage],
  ])('%s is 2', async (_what, words, expected) => {
    const { code, stdout, stderr } = await troupe(words, { cwd: folder });
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toMatch(/^error: .+[.?]\n?/);
  });

  test('nobody at the address is 3', async () => {
    const { code, stderr } = await troupe(['dead', 'ls', '--nats-url', NOBODY], { cwd: folder });
    expect(code).toBe(EXIT.notConnected);
    expect(stderr).toContain('NotConnected');
    expect(stderr).toContain('troupe dev');
  });

  test('doctor has its own', async () => {
    const { code, stdout } = await troupe(['doctor', '--nats-url', NOBODY, '--json'], { cwd: folder });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'failing', checks: [{ check: 'server', status: 'problem' }] });
  });
});

describe('output', () => {
  test('with --json is JSON, errors too', async () => {
    const failed = await troupe(['ask', 'john', 'hi', '--json'], { cwd: folder });
    expect(JSON.parse(failed.stdout)).toMatchObject({
      error: { code: 'Usage', message: expect.stringContaining('<type>/<key>') },
    });
    expect(failed.stderr).toBe('');
    const version = await troupe(['version', '--json']);
    expect(JSON.parse(version.stdout)).toEqual({ troupe: expect.any(String), node: process.versions.node });
  });

  test('has colours on a terminal only, and never with NO_COLOR', async () => {
    const colour = '\u001b[';
    expect((await troupe(['nope'], { terminal: true })).stderr).toContain(colour);
    expect((await troupe(['nope'])).stderr).not.toContain(colour);
    expect((await troupe(['nope'], { terminal: true, env: { NO_COLOR: '1' } })).stderr).not.toContain(colour);
  });

  test('shows no control characters of a value', async () => {
    const { stderr } = await troupe(['ask', 'a\u001b[31m/b', 'x'], { cwd: folder });
    expect(stderr).not.toContain('\u001b');
  });
});

describe('settings', () => {
  const settingsOf = async (words: string[], world: Parameters<typeof troupe>[1]) => {
    const { code, stdout, stderr } = await troupe(['config', ...words, '--json'], world);
    expect(code, stdout + stderr).toBe(0);
    const { file, settings } = JSON.parse(stdout) as {
      file: string | null;
      settings: { name: string; value: unknown; from: string }[];
    };
    return { file, ...Object.fromEntries(settings.map(({ name, value, from }) => [name, [value, from]])) } as Record<
      string,
      unknown
    >;
  };

  test('come from flag, environment, config file and default, in this order', async () => {
    const cwd = join(folder, 'order/deep/er');
    mkdirSync(cwd, { recursive: true });
    writeConfig(
      join(folder, 'order'),
      "{ actors: [], prefix: 'file', partitions: 8, nats: { url: ['nats://a:1', 'nats://b:2'] } }",
    );
    const env = { TROUPE_PREFIX: 'environment', TROUPE_PARTITIONS: '16', TROUPE_NATS_URL: '' };
    expect(await settingsOf(['--prefix', 'flag'], { cwd, env })).toMatchObject({
      file: join(folder, 'order/troupe.config.ts'),
      prefix: ['flag', 'flag'],
      partitions: [16, 'environment'],
      natsUrl: ['nats://a:1,nats://b:2', 'config file'],
      logLevel: ['info', 'default'],
    });
  });

  test('take paths from where they are written', async () => {
    const cwd = join(folder, 'paths/deep');
    mkdirSync(cwd, { recursive: true });
    writeConfig(join(folder, 'paths'), "{ actors: [], nats: { creds: 'secret.creds' } }");
    expect(await settingsOf(['--data', 'here'], { cwd, env: {} })).toMatchObject({
      creds: [join(folder, 'paths/secret.creds'), 'config file'],
      dataDir: [join(cwd, 'here'), 'flag'],
    });
    expect(await settingsOf([], { cwd, env: {} })).toMatchObject({
      dataDir: [join(folder, 'paths/.troupe/data'), 'default'],
    });
  });

  test('never show a secret', async () => {
    const env = {
      TROUPE_NATS_PASS: 'hush',
      TROUPE_NATS_TOKEN: 'hush',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=hush',
      TROUPE_NATS_URL: 'nats://ann:hush@host:4222',
    };
    const { stdout } = await troupe(['config'], { cwd: folder, env });
    expect(stdout).not.toContain('hush');
  });

  test('say which one can not be used, by the name it was given under', async () => {
    const { stderr } = await troupe(['config'], { cwd: folder, env: { TROUPE_NATS_PORT: '99999' } });
    expect(stderr).toContain('TROUPE_NATS_PORT is "99999": use a whole number from 0 to 65535.');
  });

  test('say what is wrong with a config file', async () => {
    const cwd = join(folder, 'broken');
    mkdirSync(cwd, { recursive: true });
    writeFileSync(join(cwd, 'troupe.config.ts'), 'export default { actors: [] };\n');
    expect((await troupe(['config'], { cwd })).stderr).toContain('a default export that defineConfig did not make');
    writeFileSync(join(cwd, 'troupe.config.mjs'), '');
  });
});

function writeConfig(at: string, config: string): void {
  writeFileSync(
    join(at, 'troupe.config.ts'),
    `import { defineConfig } from ${JSON.stringify(import.meta.resolve('@troupe/agent'))};\nexport default defineConfig(${config});\n`,
  );
}
