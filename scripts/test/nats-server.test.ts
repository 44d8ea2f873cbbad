import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Context, createContext } from '../setup/context.mjs';
import type { Source } from '../setup/nats-plan.mjs';
import { ensureNatsServer } from '../setup/nats-server.mjs';
import { compareVersions } from '../setup/versions.mjs';
import { TemporaryFolder } from './temporary-folder.ts';

const prints = (version: string) => `echo "nats-server: v${version}"`;

function contextIn(folder: TemporaryFolder, env: Record<string, string> = {}): Context & { lines: string[] } {
  const lines: string[] = [];
  const toolsDir = join(folder.path, 'tools');
  const log = (line: string) => void lines.push(line);
  return { ...createContext({ toolsDir, env: { PATH: '', ...env }, platform: 'linux', arch: 'x64', log }), lines };
}

const present: Source[] = [{ kind: 'path' }, { kind: 'cache' }];

describe('finding a nats-server', () => {
  test('a server on PATH that is new enough is taken as it is', async () => {
    using folder = new TemporaryFolder();
    const path = folder.command('bin/nats-server', prints('2.12.0'));
    const context = contextIn(folder, { PATH: join(folder.path, 'bin') });
    expect(await ensureNatsServer(context, present)).toBe(path);
    expect(context.lines).toEqual([]);
  });

  test('an older one on PATH is passed over for the one in the cache', async () => {
    using folder = new TemporaryFolder();
    folder.command('bin/nats-server', prints('2.11.9'));
    const cached = folder.command('tools/nats-server-linux-x64/nats-server', prints('2.15.1'));
    const context = contextIn(folder, { PATH: join(folder.path, 'bin') });
    expect(await ensureNatsServer(context, present)).toBe(cached);
  });

  test('when none serves, the error tells each attempt and what to do', async () => {
    using folder = new TemporaryFolder();
    const old = folder.command('bin/nats-server', prints('2.9.3'));
    const context = contextIn(folder, { PATH: join(folder.path, 'bin') });
    const failure = ensureNatsServer(context, [...present, { kind: 'homebrew', skip: 'no brew' }]);
    await expect(failure).rejects.toThrow(`PATH: ${old} is nats-server 2.9.3, but 2.12.0 or later is needed`);
    await expect(failure).rejects.toThrow(
      /tool cache: nothing in .*\n {2}- Homebrew: no brew\n.*PATH,\nor set TROUPE_NATS_SERVER/,
    );
  });

  test.for([
    { problem: 'is nats-server 2.10.29', script: prints('2.10.29') },
    { problem: '--version failed (exit code 3)', script: 'echo broken >&2; exit 3' },
    { problem: '--version printed no version: hello', script: 'echo hello' },
  ])('a server that was named must serve: $problem', async ({ problem, script }) => {
    using folder = new TemporaryFolder();
    folder.command('bin/nats-server', prints('2.15.1'));
    const path = folder.command('named', script);
    const context = contextIn(folder, { PATH: join(folder.path, 'bin'), TROUPE_NATS_SERVER: path });
    await expect(ensureNatsServer(context)).rejects.toThrow(`TROUPE_NATS_SERVER: ${path} ${problem}`);
  });

  test('a server that was named must be there', async () => {
    using folder = new TemporaryFolder();
    const context = contextIn(folder, { TROUPE_NATS_SERVER: '/no/such/server' });
    await expect(ensureNatsServer(context)).rejects.toThrow(
      'TROUPE_NATS_SERVER: /no/such/server is not an executable file',
    );
  });

  test('the version is asked once for as long as the file is the same', async () => {
    using folder = new TemporaryFolder();
    const counting = `echo run >> ${join(folder.path, 'runs')}; ${prints('2.15.1')}`;
    folder.command('bin/nats-server', counting);
    const context = contextIn(folder, { PATH: join(folder.path, 'bin') });
    await ensureNatsServer(context, present);
    await ensureNatsServer(context, present);
    folder.command('bin/nats-server', `${counting} # replaced`);
    await ensureNatsServer(context, present);
    expect(readFileSync(join(folder.path, 'runs'), 'utf8')).toBe('run\nrun\n');
  });
});

describe('the archive of the distribution', () => {
  const apt: Source = {
    kind: 'apt',
    family: 'debian',
    codename: 'none',
    suite: 'testing',
    component: 'main',
    keyring: '/keys/none.gpg',
  };

  test('a machine without a fitting archive is told so, and nothing is left behind', async () => {
    using folder = new TemporaryFolder();
    const context = contextIn(folder);
    await expect(ensureNatsServer(context, [{ ...apt, component: 'no-such-component' }])).rejects.toThrow(
      /apt: no archive with none/,
    );
    expect(readdirSync(context.toolsDir)).toEqual([]);
  });
});

test('versions are compared by number', () => {
  expect(compareVersions('2.9.10', '2.12.0')).toBeLessThan(0);
  expect(compareVersions('2.12.0-RC.1', '2.12.0')).toBe(0);
  expect(compareVersions('3.0.0', '2.99.99')).toBeGreaterThan(0);
});
