import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createContext } from '../setup/context.mjs';
import { fingerprint } from '../setup/dependencies.mjs';
import { installFolder, link, writeShim } from '../setup/files.mjs';
import { withLock } from '../setup/lock.mjs';
import { chooseNode, withoutNpmRun } from '../setup/npm-tools.mjs';
import { runCommand } from '../setup/process.mjs';
import { resolveTarget } from '../setup/targets.mjs';
import { TemporaryFolder } from './temporary-folder.ts';

const setupDir = new URL('../setup/', import.meta.url).href;

/** Runs a module of its own in another Node; `body` sees what `names` imports from the setup module. */
function inAnotherProcess(module: string, names: string, body: string): ChildProcess {
  const script = `import { ${names} } from '${setupDir}${module}';\n${body}`;
  return spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function ended(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  const [code, signal] = await once(child, 'exit');
  return { code, signal };
}

describe('which Node runs the target', () => {
  const context = (platform: NodeJS.Platform, arch: string) =>
    createContext({ platform, arch, env: { TROUPE_CACHE_DIR: '/cache' } });

  test('the running one when it is new enough', () => {
    const choice = chooseNode(context('linux', 'x64'), { version: '24.0.0', execPath: '/usr/bin/node' });
    expect(choice).toEqual({ kind: 'current', path: '/usr/bin/node' });
  });

  test.for([
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['darwin', 'arm64'],
  ] as const)('else the package for %s-%s from npm, inside the cache', ([platform, arch]) => {
    const choice = chooseNode(context(platform, arch), { version: '22.19.0', execPath: '/usr/bin/node' });
    expect(choice).toMatchObject({ kind: 'package', name: `node-${platform}-${arch}` });
    expect(choice.path).toMatch(
      new RegExp(`^/cache/tools/node-24\\.\\d+\\.\\d+-${platform}-${arch}/node_modules/.*/bin/node$`),
    );
  });

  test('a platform that npm has no Node for is told to bring one', () => {
    const choose = () => chooseNode(context('freebsd', 'x64'), { version: '20.1.0', execPath: '/usr/bin/node' });
    expect(choose).toThrow(/this is 20\.1\.0, and npm has no Node binary for freebsd-x64.*yourself/);
  });
});

test('a nested npm does not inherit the run it is nested in, but keeps what people set', () => {
  const env = {
    PATH: '/bin',
    npm_config_registry: 'r',
    npm_config_local_prefix: '/x',
    npm_package_name: 'troupe',
    npm_config_loglevel: 'silent',
  };
  expect(withoutNpmRun(env)).toEqual({ PATH: '/bin', npm_config_registry: 'r' });
});

describe('targets', () => {
  const where = { rootDir: '/repo', nodePath: '/bin/node' };

  test('a script is run under the chosen Node with its arguments', () => {
    expect(resolveTarget(['troupe', 'ask', '--help'], where)).toEqual({
      command: '/bin/node',
      args: ['/repo/packages/cli/src/main.ts', 'ask', '--help'],
      dependencies: true,
      natsServer: true,
    });
  });

  test('verify needs no server, and pnpm not even the dependencies that it is to repair', () => {
    expect(resolveTarget(['verify'], where)).toMatchObject({ dependencies: true, natsServer: false });
    expect(resolveTarget(['exec', 'pnpm', 'install'], where)).toMatchObject({ dependencies: false, natsServer: false });
  });

  test.for([[[]], [['nonsense']], [['exec']], [['constructor']]] as const)(
    '%j is answered with the usage',
    ([argv]) => {
      expect(() => resolveTarget([...argv], where)).toThrow('usage: node scripts/bootstrap.mjs <start|test|');
    },
  );
});

describe('the stamp of the dependencies', () => {
  test('changes with the lockfile and with every manifest, and with nothing else', () => {
    using folder = new TemporaryFolder();
    const stamp = () => fingerprint({ rootDir: folder.path, platform: 'linux', arch: 'x64' });
    folder.write('package.json', '{}');
    folder.write('pnpm-lock.yaml', 'a');
    const first = stamp();
    folder.write('packages/a/src/index.ts', 'export {};');
    expect(stamp()).toBe(first);
    folder.write('packages/a/package.json', '{}');
    const second = stamp();
    folder.write('pnpm-lock.yaml', 'b');
    expect(new Set([first, second, stamp()]).size).toBe(3);
  });
});

describe('files appear whole or not at all', () => {
  test('a failed installation leaves what was there', async () => {
    using folder = new TemporaryFolder();
    const old = folder.write('tool/version', '1');
    const failing = installFolder(join(folder.path, 'tool'), async () => Promise.reject(new Error('no network')));
    await expect(failing).rejects.toThrow('no network');
    expect(readFileSync(old, 'utf8')).toBe('1');
    expect(readdirSync(folder.path)).toEqual(['tool']);
  });

  test('links and shims are replaced, and a shim passes its arguments on', async () => {
    using folder = new TemporaryFolder();
    link(folder.path, 'sh', '/no/such');
    link(folder.path, 'sh', '/bin/sh');
    writeShim(folder.path, "it's", [join(folder.path, 'sh'), '-c', 'echo "$0 $1"']);
    const outcome = await runCommand(join(folder.path, "it's"), ['a b', 'c']);
    expect(outcome).toMatchObject({ ok: true, stdout: 'a b c\n' });
  });
});

describe('commands', () => {
  test('a failure is told, never thrown', async () => {
    expect(await runCommand('/no/such/command', [])).toMatchObject({
      ok: false,
      reason: expect.stringContaining('ENOENT'),
    });
    expect(await runCommand('sh', ['-c', 'echo out; echo err >&2; exit 7'])).toMatchObject({
      ok: false,
      stdout: 'out\n',
      reason: 'exit code 7',
    });
    expect(await runCommand('sleep', ['100'], { timeoutMs: 50 })).toMatchObject({
      ok: false,
      reason: 'no end after 0.05 s',
    });
  });
});

describe('the lock', () => {
  const quiet = { log: () => {} };

  test('processes take turns', async () => {
    using folder = new TemporaryFolder();
    const lock = join(folder.path, 'lock');
    const body = `
      import { mkdirSync, rmdirSync } from 'node:fs';
      import { setTimeout as sleep } from 'node:timers/promises';
      for (let turn = 0; turn < 5; turn += 1) {
        await withLock('${lock}', { log() {} }, async () => {
          mkdirSync('${lock}.inside'); // Throws when somebody else is inside.
          await sleep(5);
          rmdirSync('${lock}.inside');
        }, { pollMs: 2 });
      }`;
    const processes = [1, 2, 3].map(() => inAnotherProcess('lock.mjs', 'withLock', body));
    expect(await Promise.all(processes.map(ended))).toEqual(Array(3).fill({ code: 0, signal: null }));
    expect(existsSync(lock)).toBe(false);
  });

  test('a dead holder is noticed by its process', async () => {
    using folder = new TemporaryFolder();
    const lock = join(folder.path, 'lock');
    const body = `await withLock('${lock}', { log() {} }, () => { console.log('held'); return new Promise(() => setInterval(() => {}, 1000)); });`;
    const holder = inAnotherProcess('lock.mjs', 'withLock', body);
    await once(holder.stdout!, 'data');
    holder.kill('SIGKILL');
    await ended(holder);
    expect(existsSync(lock)).toBe(true);
    expect(await withLock(lock, quiet, async () => 'mine', { pollMs: 2, waitMsMax: 2_000 })).toBe('mine');
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test('a holder on another machine is noticed by its silence', async () => {
    using folder = new TemporaryFolder();
    const lock = folder.write('lock', JSON.stringify({ pid: 1, host: `not-${hostname()}` }));
    await expect(withLock(lock, quiet, async () => 'mine', { pollMs: 2, waitMsMax: 50 })).rejects.toThrow(
      'held by another process',
    );
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(lock, longAgo, longAgo);
    expect(await withLock(lock, quiet, async () => 'mine', { pollMs: 2, waitMsMax: 2_000 })).toBe('mine');
  });

  test('it is given back when the work fails', async () => {
    using folder = new TemporaryFolder();
    const lock = join(folder.path, 'deep/lock');
    await expect(withLock(lock, quiet, async () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(existsSync(lock)).toBe(false);
  });
});

describe('the target', () => {
  const run = (command: string) =>
    inAnotherProcess(
      'run.mjs',
      'runTarget',
      `process.exitCode = await runTarget('sh', ['-c', ${JSON.stringify(command)}], process.env);`,
    );

  test('its exit code is ours', async () => {
    expect(await ended(run('exit 7'))).toEqual({ code: 7, signal: null });
    expect(await ended(run('kill -TERM $$'))).toEqual({ code: 143, signal: null });
  });

  test.for(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s is passed on, and we wait for its answer', async (signal) => {
    const child = run(`trap 'echo bye; exit 5' ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`);
    const output: string[] = [];
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => output.push(chunk));
    await once(child.stdout!, 'data');
    child.kill(signal);
    expect(await ended(child)).toEqual({ code: 5, signal: null });
    expect(output.join('')).toBe('ready\nbye\n');
  });
});

test('the whole entrance: quiet on stdout, tools on PATH, the server in the environment', async () => {
  using folder = new TemporaryFolder();
  const server = folder.command('nats-server', 'echo v2.15.1');
  const bootstrap = new URL('../bootstrap.mjs', import.meta.url).pathname;
  const args = [bootstrap, 'exec', 'node', '--print', 'process.version + " " + process.env.TROUPE_NATS_SERVER'];
  const outcome = await runCommand(process.execPath, args, { env: { ...process.env, TROUPE_NATS_SERVER: server } });
  expect(outcome).toMatchObject({
    ok: true,
    stdout: expect.stringMatching(new RegExp(`^v\\d\\d[.\\d]+ ${server}\n$`)),
  });
}, 60_000);
