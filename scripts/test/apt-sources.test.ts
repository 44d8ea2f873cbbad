import { describe, expect, test } from 'vitest';
import {
  type AptEntry,
  archiveCandidates,
  parseDeb822Sources,
  parseOneLineSources,
  readAptSources,
} from '../setup/apt-sources.mjs';
import { aptConfig, formatSource } from '../setup/nats-apt.mjs';
import { TemporaryFolder } from './temporary-folder.ts';

describe('the one-line style', () => {
  test('options, several components and comments', () => {
    const text = `
# deb http://old.example/debian bookworm main
deb [arch=amd64 signed-by=/keys/a.gpg] http://archive.example/debian bookworm main contrib # ours
deb-src http://archive.example/debian bookworm main
deb http://archive.example/debian bookworm-updates main`;
    expect(parseOneLineSources(text)).toEqual([
      {
        uris: ['http://archive.example/debian'],
        suites: ['bookworm'],
        components: ['main', 'contrib'],
        signedBy: '/keys/a.gpg',
      },
      {
        uris: ['http://archive.example/debian'],
        suites: ['bookworm-updates'],
        components: ['main'],
        signedBy: undefined,
      },
    ]);
  });
});

describe('the deb822 style', () => {
  test('several values, comments inside a stanza, and stanzas for sources or switched off', () => {
    const text = `Types: deb deb-src
# a remark
URIs: http://one.example/debian http://two.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys/a.gpg

Types: deb-src
URIs: http://three.example/debian
Suites: bookworm

Enabled: no
Types: deb
URIs: http://four.example/debian
Suites: bookworm
Components: main
`;
    expect(parseDeb822Sources(text)).toEqual([
      {
        uris: ['http://one.example/debian', 'http://two.example/debian'],
        suites: ['bookworm', 'bookworm-updates'],
        components: ['main'],
        signedBy: '/keys/a.gpg',
      },
    ]);
  });

  test('an embedded key survives being written again', () => {
    const key = '\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----';
    const [entry] = parseDeb822Sources(
      `Types: deb\nURIs: http://a.example/debian\nSuites: bookworm\nComponents: main\nSigned-By:${key}\n`,
    );
    const written = formatSource({
      uri: 'http://a.example/debian',
      signedBy: entry?.signedBy ?? '',
      suite: 'testing',
      component: 'main',
    });
    expect(parseDeb822Sources(written)[0]).toMatchObject({ suites: ['testing'], signedBy: key });
  });
});

test('both styles are read from the folder, and only from files that apt would read', () => {
  using etc = new TemporaryFolder();
  etc.write('sources.list', 'deb http://a.example/debian bookworm main\n');
  etc.write('sources.list.d/b.list', 'deb http://b.example/debian bookworm main\n');
  etc.write(
    'sources.list.d/c.sources',
    'Types: deb\nURIs: http://c.example/debian\nSuites: bookworm\nComponents: main\n',
  );
  etc.write('sources.list.d/d.list.disabled', 'deb http://d.example/debian bookworm main\n');
  const uris = readAptSources(etc.path).flatMap((entry) => entry.uris);
  expect(uris).toEqual(['http://a.example/debian', 'http://b.example/debian', 'http://c.example/debian']);
  expect(readAptSources(`${etc.path}/missing`)).toEqual([]);
});

describe('which of them is the distribution’s own archive', () => {
  const wanted = { family: 'debian', codename: 'bookworm', component: 'main', keyring: '/keys/debian.gpg' };
  const entry = (uri: string, suites: string[], components = ['main'], signedBy?: string): AptEntry => ({
    uris: [uri],
    suites,
    components,
    signedBy,
  });

  test('the one that is named after it comes before others that carry the same series', () => {
    const entries = [
      entry('https://vendor.example/apt', ['bookworm'], ['main'], '/keys/vendor.gpg'),
      entry('http://archive.example/debian/', ['bookworm', 'bookworm-updates'], ['main'], '/keys/own.gpg'),
    ];
    expect(archiveCandidates(entries, wanted)).toEqual([
      { uri: 'http://archive.example/debian/', signedBy: '/keys/own.gpg' },
      { uri: 'https://vendor.example/apt', signedBy: '/keys/vendor.gpg' },
    ]);
  });

  test('security and updates alone, other series and other components are not it', () => {
    const entries = [
      entry('http://archive.example/debian-security', ['bookworm-security']),
      entry('http://archive.example/debian', ['bookworm-updates']),
      entry('http://vendor.example/debian', ['cloud-sdk-bookworm']),
      entry('http://vendor.example/debian', ['bookworm'], ['stable']),
    ];
    expect(archiveCandidates(entries, wanted)).toEqual([]);
  });

  test('without a key of its own the distribution’s key is demanded', () => {
    expect(archiveCandidates([entry('http://archive.example/debian', ['stable'])], wanted)).toEqual([
      { uri: 'http://archive.example/debian', signedBy: '/keys/debian.gpg' },
    ]);
  });
});

test('apt is confined to its folder and runs no hooks of the system', () => {
  const config = aptConfig('/cache/apt', true);
  const folders = [...config.matchAll(/^Dir::[^ ]+ "([^"]+)";$/gm)].map(([, folder]) => folder);
  expect(folders.length).toBeGreaterThanOrEqual(7);
  expect(folders.every((folder) => folder?.startsWith('/cache/apt/'))).toBe(true);
  expect(config).toContain('#clear APT::Update::Post-Invoke;');
  expect(config).toContain('APT::Sandbox::User "root";');
  expect(aptConfig('/cache/apt', false)).not.toContain('Sandbox');
});
