import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archiveCandidates, readAptSources } from './apt-sources.mjs';
import { runCommand, tail } from './process.mjs';

/** Asking more mirrors than this costs more patience than it saves. */
const candidatesMax = 3;

/**
 * Takes nats-server out of the distribution's archive without root and without changing the system: apt gets lists, cache
 * and sources of its own inside `workDir`. Proxies and credentials of the machine's configuration stay in force, and apt
 * itself checks the signatures.
 *
 * @param {Extract<import('./nats-plan.mjs').Source, { kind: 'apt', skip?: undefined }>} source
 * @param {string} workDir an empty folder
 * @param {{ aptDir?: string }} [options]
 * @returns {Promise<{ path: string } | { problem: string }>}
 */
export async function natsServerFromApt(source, workDir, options = {}) {
  const candidates = archiveCandidates(readAptSources(options.aptDir), source).slice(0, candidatesMax);
  if (candidates.length === 0) {
    return { problem: `no archive with ${source.codename} ${source.component} in ${options.aptDir ?? '/etc/apt'}` };
  }
  const problems = [];
  for (const [index, candidate] of candidates.entries()) {
    const result = await fetchFrom(candidate, source, join(workDir, `${index}`));
    if ('path' in result) return result;
    problems.push(`${candidate.uri} ${source.suite}: ${result.problem}`);
  }
  return { problem: problems.join('; ') };
}

/**
 * @param {{ uri: string, signedBy: string }} candidate
 * @param {{ suite: string, component: string }} source
 * @param {string} folder
 * @returns {Promise<{ path: string } | { problem: string }>}
 */
async function fetchFrom({ uri, signedBy }, { suite, component }, folder) {
  const configFile = writeAptConfig(folder, { uri, signedBy, suite, component });
  const steps = [
    { what: 'apt-get update', command: 'apt-get', args: ['-c', configFile, '-q', 'update'], timeoutMs: 180_000 },
    {
      what: 'apt-get download',
      command: 'apt-get',
      args: ['-c', configFile, '-q', 'download', 'nats-server'],
      timeoutMs: 300_000,
    },
  ];
  for (const { what, command, args, timeoutMs } of steps) {
    const outcome = await runCommand(command, args, { cwd: folder, timeoutMs });
    if (!outcome.ok) return { problem: `${what} failed (${outcome.reason})\n${tail(outcome.output, 4)}` };
  }
  const packageFile = readdirSync(folder).find((name) => name.endsWith('.deb'));
  if (packageFile === undefined) return { problem: 'apt-get download left no package' };
  const unpacked = await runCommand('dpkg', ['-x', packageFile, 'unpacked'], { cwd: folder });
  if (!unpacked.ok) return { problem: `dpkg -x failed (${unpacked.reason})\n${tail(unpacked.output, 4)}` };
  const path = ['usr/bin', 'usr/sbin'].map((bin) => join(folder, 'unpacked', bin, 'nats-server')).find(existsSync);
  return path === undefined ? { problem: `${packageFile} holds no nats-server` } : { path };
}

/**
 * @param {string} folder
 * @param {{ uri: string, signedBy: string, suite: string, component: string }} archive
 */
function writeAptConfig(folder, archive) {
  for (const name of ['lists/partial', 'cache/archives/partial', 'sources', 'none']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, 'status'), '');
  writeFileSync(join(folder, 'sources/archive.sources'), formatSource(archive));
  const configFile = join(folder, 'apt.conf');
  writeFileSync(configFile, aptConfig(folder, process.getuid?.() === 0));
  return configFile;
}

/** @param {{ uri: string, signedBy: string, suite: string, component: string }} archive */
export function formatSource({ uri, signedBy, suite, component }) {
  return `Types: deb\nURIs: ${uri}\nSuites: ${suite}\nComponents: ${component}\nSigned-By: ${signedBy}\n`;
}

/**
 * Read by apt after the machine's own configuration. Hooks are cleared, since some images use them to empty the system's
 * package cache; pins are, since a pin against newer suites is meant for installing, which we don't.
 *
 * @param {string} folder
 * @param {boolean} asRoot root would hand the downloads to a user who may not enter the folder
 */
export function aptConfig(folder, asRoot) {
  const hooks = ['APT::Update::Pre-Invoke', 'APT::Update::Post-Invoke', 'APT::Update::Post-Invoke-Success'];
  const settings = {
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::SourceList': join(folder, 'none/sources.list'),
    'Dir::Etc::SourceParts': join(folder, 'sources'),
    'Dir::Etc::Preferences': join(folder, 'none/preferences'),
    'Dir::Etc::PreferencesParts': join(folder, 'none'),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '1',
    'APT::Update::Error-Mode': 'any',
    ...(asRoot ? { 'APT::Sandbox::User': 'root' } : {}),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";`);
  return `${[...hooks.map((hook) => `#clear ${hook};`), ...lines].join('\n')}\n`;
}
