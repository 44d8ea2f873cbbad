import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthority, issueServer } from '../../infra/src/certificates.ts';
import { readOptions } from '../../infra/src/options.ts';
import { writeCluster } from '../../infra/src/write-cluster.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'troupe-infra-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const DAY_MS = 86_400_000;

describe('certificates', () => {
  test('are signed by their authority for exactly the hosts given, and may not sign others', () => {
    const authority = createAuthority('ours', 10);
    const issuer = new X509Certificate(authority.certificate);
    const server = new X509Certificate(
      issueServer(authority, ['nats1.example.org', '10.0.0.1', 'fe80::1'], 5).certificate,
    );
    expect(server.verify(issuer.publicKey)).toBe(true);
    expect(server.checkIssued(issuer)).toBe(true);
    expect(server.checkHost('nats1.example.org')).toBe('nats1.example.org');
    expect(server.checkHost('nats2.example.org')).toBeUndefined();
    expect([server.checkIP('10.0.0.1'), server.checkIP('fe80::1'), server.checkIP('10.0.0.2')]).toEqual([
      '10.0.0.1',
      'fe80::1',
      undefined,
    ]);
    expect([issuer.ca, server.ca]).toEqual([true, false]);
  });

  test('of another authority with the same name do not verify', () => {
    const server = new X509Certificate(issueServer(createAuthority('ours', 10), ['a'], 5).certificate);
    expect(server.verify(new X509Certificate(createAuthority('ours', 10).certificate).publicKey)).toBe(false);
  });

  test.each([5, 825, 3_650, 20_000])('that are to hold for %i days do, also past 2050', (days) => {
    const { validFrom, validTo } = new X509Certificate(createAuthority('ours', days).certificate);
    const validMs = Date.parse(validTo) - Date.parse(validFrom);
    expect(Math.round(validMs / DAY_MS)).toBe(days);
    expect(Date.parse(validFrom)).toBeLessThan(Date.now());
  });

  test('all have serial numbers of their own', () => {
    const authority = createAuthority('ours', 10);
    const serials = Array.from({ length: 50 }, () => new X509Certificate(issueServer(authority, ['a'], 5).certificate));
    expect(new Set(serials.map(({ serialNumber }) => serialNumber)).size).toBe(50);
  });
});

describe('options', () => {
  test('leave a cluster of three on loopback', () => {
    const plan = readOptions(['--out', 'x'], '/somewhere');
    expect(plan).toMatchObject({
      outDir: '/somewhere/x',
      installDir: '/somewhere/x',
      listen: '127.0.0.1',
      sync: 'always',
    });
    expect(plan.servers.map(({ clientPort, routePort, monitorPort }) => [clientPort, routePort, monitorPort])).toEqual([
      [4222, 6222, 8222],
      [4223, 6223, 8223],
      [4224, 6224, 8224],
    ]);
    expect(plan.clients).toEqual([{ name: 'client', types: ['*'] }]);
  });

  test('with hosts of their own listen everywhere', () => {
    const hosts = ['a.example', 'b.example', 'c.example'].flatMap((host) => ['--host', host]);
    expect(readOptions(['--out', 'x', ...hosts], '/').listen).toBe('0.0.0.0');
  });

  test.each([
    [[], /--out is undefined/],
    [['--out', 'x', '--host', 'a.example'], /--host is "a.example": allowed is one per server, 3/],
    [['--out', 'x', '--host', 'a b'], /--host/],
    [['--out', 'x', '--client-port', '70000'], /--client-port is "70000": allowed is a whole number/],
    [['--out', 'x', '--client-port', '1', '--client-port', '2'], /--client-port/],
    [['--out', 'x', '--sync', 'never'], /--sync is "never": allowed is always or default/],
    [['--out', 'x', '--store-max', '20'], /--store-max/],
    [['--out', 'x', '--client', 'worker'], /--client is "worker"/],
    [['--out', 'x', '--client', 'a=Order'], /--client is "Order"/],
    [['--out', 'x', '--client', 'a', '--client', 'a'], /each name once/],
    [['--out', 'x', '--cluster', 'a"b'], /--cluster/],
    [['--out', 'x', '--partitions', '4', '--journal-streams', '5'], /journalStreams is 5/],
    [['--out', 'x', '--nonsense'], /nonsense/],
  ])('%j are refused, saying what is allowed', (args, message) => {
    expect(() => readOptions(args, '/')).toThrow(message);
  });
});

describe('files', () => {
  test('are never overwritten', () => {
    const out = join(dir, 'taken');
    mkdirSync(out);
    writeFileSync(join(out, 'precious'), 'keys');
    expect(() => writeCluster(readOptions(['--out', out, '--no-validate'], dir))).toThrow(/not empty/);
    expect(readFileSync(join(out, 'precious'), 'utf8')).toBe('keys');
  });

  test('name the folder in which they will lie, hold each password once, and map subjects for two journals', () => {
    const out = join(dir, 'installed');
    const args = [
      '--out',
      out,
      '--install-dir',
      '/etc/nats',
      '--journal-streams',
      '2',
      '--client',
      'web=order,support',
    ];
    const files = writeCluster(readOptions(args, dir));
    expect(files.servers[0]!.configFile).toBe('/etc/nats/n1/nats-server.conf');
    const conf = readFileSync(join(out, 'n1', 'nats-server.conf'), 'utf8');
    expect(conf).not.toContain(out);
    const accounts = readFileSync(join(out, 'n2', 'accounts.conf'), 'utf8');
    expect(accounts).toContain(
      '"troupe.task.*.*": "troupe.share.{{partition(64,1,2)}}.task.{{wildcard(1)}}.{{wildcard(2)}}"',
    );
    expect(accounts).toContain('"troupe.ask.support.>"');
    for (const user of ['worker', 'inspector', 'operator', 'web', 'system']) {
      const file = join(out, 'users', `${user}.password`);
      const password = readFileSync(file, 'utf8');
      expect(password).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(accounts.split(password).length).toBe(2);
      expect(readFileSync(join(out, 'users', `${user}.env`), 'utf8')).not.toContain(password);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    expect(JSON.stringify(files)).not.toMatch(/password":/);
  });

  test('say which sync_interval they have, and why', () => {
    for (const [sync, line] of [
      ['always', 'sync_interval: always'],
      ['default', 'sync_interval: "2m"'],
    ] as const) {
      const out = join(dir, sync);
      writeCluster(readOptions(['--out', out, '--sync', sync, '--no-validate'], dir));
      const conf = readFileSync(join(out, 'n3', 'nats-server.conf'), 'utf8');
      expect(conf).toContain(line);
      expect(conf).toContain('power failure');
    }
  });

  test('tell clients of the other servers, unless they are behind a proxy', () => {
    for (const [name, flags] of [
      ['told', []],
      ['untold', ['--no-advertise']],
    ] as const) {
      const out = join(dir, name);
      writeCluster(readOptions(['--out', out, ...flags, '--no-validate'], dir));
      const conf = readFileSync(join(out, 'n1', 'nats-server.conf'), 'utf8');
      expect(/^ {2}no_advertise: true$/m.test(conf)).toBe(flags.length > 0);
    }
  });
});
