import { describe, expect, test } from 'vitest';
import { type Machine, parseOsRelease, planSources } from '../setup/nats-plan.mjs';

const debian = { ID: 'debian', VERSION_CODENAME: 'bookworm', PRETTY_NAME: 'Debian GNU/Linux 12 (bookworm)' };

function machine(overrides: Partial<Machine> & { commands?: string[] } = {}): Machine {
  const commands = overrides.commands ?? ['apt-get', 'dpkg', 'tar'];
  return {
    platform: 'linux',
    arch: 'x64',
    env: {},
    osRelease: debian,
    hasCommand: (name) => commands.includes(name),
    ...overrides,
  };
}

function planned(overrides: Parameters<typeof machine>[0]) {
  return planSources(machine(overrides));
}

function find(kind: string, overrides: Parameters<typeof machine>[0]) {
  return planned(overrides).find((source) => source.kind === kind);
}

describe('where a nats-server may come from', () => {
  test('the order is: path, cache, apt, Homebrew, official release', () => {
    expect(planned({}).map(({ kind }) => kind)).toEqual(['path', 'cache', 'apt', 'homebrew', 'release']);
  });

  test('a server that was named is the only one', () => {
    expect(planned({ env: { TROUPE_NATS_SERVER: '/opt/nats-server' } })).toEqual([
      { kind: 'explicit', path: '/opt/nats-server' },
    ]);
  });

  test('an empty TROUPE_NATS_SERVER names none', () => {
    expect(planned({ env: { TROUPE_NATS_SERVER: '' } })[0]).toEqual({ kind: 'path' });
  });

  test('Debian takes testing of its own archive', () => {
    expect(find('apt', {})).toMatchObject({
      family: 'debian',
      codename: 'bookworm',
      suite: 'testing',
      component: 'main',
    });
  });

  test('Ubuntu and its descendants take the series in development, from universe', () => {
    const ubuntu = { ID: 'ubuntu', ID_LIKE: 'debian', VERSION_CODENAME: 'noble', UBUNTU_CODENAME: 'noble' };
    const mint = { ID: 'linuxmint', ID_LIKE: 'ubuntu debian', VERSION_CODENAME: 'wilma', UBUNTU_CODENAME: 'noble' };
    for (const osRelease of [ubuntu, mint]) {
      expect(find('apt', { osRelease })).toMatchObject({
        family: 'ubuntu',
        codename: 'noble',
        suite: 'devel',
        component: 'universe',
      });
    }
  });

  test('a descendant of Debian asks for the series that it says it is made of', () => {
    const osRelease = { ID: 'other', ID_LIKE: 'debian', VERSION_CODENAME: 'own', DEBIAN_CODENAME: 'trixie' };
    expect(find('apt', { osRelease })).toMatchObject({ family: 'debian', codename: 'trixie' });
  });

  test.for([
    { why: 'not Linux', overrides: { platform: 'darwin', osRelease: {} } },
    { why: 'no apt-get, no dpkg', overrides: { commands: ['tar'] } },
    {
      why: 'Fedora Linux 42 is neither Debian nor Ubuntu',
      overrides: { osRelease: { ID: 'fedora', PRETTY_NAME: 'Fedora Linux 42' } },
    },
  ])('apt is left out, with the reason "$why"', ({ why, overrides }) => {
    expect(find('apt', overrides)).toEqual({ kind: 'apt', skip: why });
  });

  test('Homebrew is used where it is', () => {
    expect(find('homebrew', { platform: 'darwin', commands: ['brew'] })).toEqual({ kind: 'homebrew' });
    expect(find('homebrew', {})).toEqual({ kind: 'homebrew', skip: 'no brew' });
  });

  test.for([
    ['linux', 'x64', 'linux-amd64'],
    ['linux', 'arm64', 'linux-arm64'],
    ['linux', 'arm', 'linux-arm7'],
    ['darwin', 'x64', 'darwin-amd64'],
    ['darwin', 'arm64', 'darwin-arm64'],
  ] as const)('%s on %s downloads the %s build and its checksums from the same release', ([platform, arch, build]) => {
    const release = find('release', { platform, arch });
    expect(release).toMatchObject({
      asset: expect.stringMatching(new RegExp(`^nats-server-v\\d+\\.\\d+\\.\\d+-${build}\\.tar\\.gz$`)),
    });
    const { url, checksums } = release as { url: string; checksums: string };
    expect(checksums).toBe(url.replace(/[^/]+$/, 'SHA256SUMS'));
  });

  test.for([
    ['linux', 'mips'],
    ['darwin', 's390x'],
    ['win32', 'x64'],
  ] as const)('there is no official build for %s on %s', ([platform, arch]) => {
    expect(find('release', { platform, arch })).toEqual({
      kind: 'release',
      skip: `no official build for ${platform}-${arch}`,
    });
  });
});

test('os-release is read with and without quotes', () => {
  expect(
    parseOsRelease('ID=debian\n# a comment\nPRETTY_NAME="Debian GNU/Linux 12"\nVERSION_CODENAME=\'bookworm\'\n'),
  ).toEqual({
    ID: 'debian',
    PRETTY_NAME: 'Debian GNU/Linux 12',
    VERSION_CODENAME: 'bookworm',
  });
});
