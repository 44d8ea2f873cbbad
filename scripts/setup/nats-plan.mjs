import { natsServerReleaseVersion } from './versions.mjs';

/**
 * Where a nats-server may come from, in the order in which it is looked for. A source that can't work on this machine stays
 * in the plan with the reason in `skip`, so that the final error shows everything that was considered.
 *
 * @typedef {(
 *   | { kind: 'explicit', path: string, skip?: undefined }
 *   | { kind: 'path', skip?: undefined }
 *   | { kind: 'cache', skip?: undefined }
 *   | { kind: 'apt', family: 'debian' | 'ubuntu', codename: string, suite: string, component: string, keyring: string, skip?: undefined }
 *   | { kind: 'homebrew', skip?: undefined }
 *   | { kind: 'release', url: string, asset: string, checksums: string, skip?: undefined }
 *   | { kind: 'apt' | 'homebrew' | 'release', skip: string }
 * )} Source
 *
 * @typedef {object} Machine
 * @property {string} platform as `process.platform` spells it
 * @property {string} arch as `process.arch` spells it
 * @property {Record<string, string | undefined>} env
 * @property {Record<string, string>} osRelease the fields of `/etc/os-release`; empty where there is none
 * @property {(command: string) => boolean} hasCommand
 */

/** The official builds name processors as Go does. */
const goArchitectures = { x64: 'amd64', arm64: 'arm64', arm: 'arm7', ia32: '386', s390x: 's390x', ppc64: 'ppc64le' };

const releaseUrl = `https://github.com/nats-io/nats-server/releases/download/v${natsServerReleaseVersion}`;

/**
 * Decides, without touching the machine, which sources are tried.
 *
 * @param {Machine} machine
 * @returns {Source[]}
 */
export function planSources(machine) {
  const explicit = machine.env.TROUPE_NATS_SERVER;
  if (explicit) return [{ kind: 'explicit', path: explicit }];
  return [{ kind: 'path' }, { kind: 'cache' }, planApt(machine), planHomebrew(machine), planRelease(machine)];
}

/**
 * The newer suite of the distribution's own archive: Debian's `testing`; on Ubuntu `devel`, the archive's alias for the
 * series in development, since its older series stay at the version they were released with.
 *
 * @param {Machine} machine
 * @returns {Source}
 */
function planApt({ platform, osRelease, hasCommand }) {
  if (platform !== 'linux') return { kind: 'apt', skip: 'not Linux' };
  const missing = ['apt-get', 'dpkg'].filter((command) => !hasCommand(command));
  if (missing.length > 0) return { kind: 'apt', skip: `no ${missing.join(', no ')}` };
  const names = [osRelease.ID ?? '', ...(osRelease.ID_LIKE ?? '').split(' ')];
  if (names.includes('ubuntu')) {
    const codename = osRelease.UBUNTU_CODENAME ?? osRelease.VERSION_CODENAME ?? '';
    const keyring = '/usr/share/keyrings/ubuntu-archive-keyring.gpg';
    return { kind: 'apt', family: 'ubuntu', codename, suite: 'devel', component: 'universe', keyring };
  }
  if (names.includes('debian')) {
    const codename = osRelease.DEBIAN_CODENAME ?? osRelease.VERSION_CODENAME ?? '';
    const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
    return { kind: 'apt', family: 'debian', codename, suite: 'testing', component: 'main', keyring };
  }
  return { kind: 'apt', skip: `${osRelease.PRETTY_NAME ?? 'this system'} is neither Debian nor Ubuntu` };
}

/**
 * @param {Machine} machine
 * @returns {Source}
 */
function planHomebrew({ hasCommand }) {
  return hasCommand('brew') ? { kind: 'homebrew' } : { kind: 'homebrew', skip: 'no brew' };
}

/**
 * @param {Machine} machine
 * @returns {Source}
 */
function planRelease({ platform, arch, hasCommand }) {
  const processor = goArchitectures[/** @type {keyof typeof goArchitectures} */ (arch)];
  const known =
    processor !== undefined && (platform === 'linux' || (platform === 'darwin' && /^(x64|arm64)$/.test(arch)));
  if (!known) return { kind: 'release', skip: `no official build for ${platform}-${arch}` };
  if (!hasCommand('tar')) return { kind: 'release', skip: 'no tar' };
  const asset = `nats-server-v${natsServerReleaseVersion}-${platform}-${processor}.tar.gz`;
  return { kind: 'release', url: `${releaseUrl}/${asset}`, asset, checksums: `${releaseUrl}/SHA256SUMS` };
}

/**
 * Reads `/etc/os-release`.
 *
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function parseOsRelease(text) {
  /** @type {Record<string, string>} */
  const fields = {};
  for (const line of text.split('\n')) {
    const match = /^([A-Z_]+)=(.*)$/.exec(line.trim());
    if (match) fields[match[1] ?? ''] = (match[2] ?? '').replace(/^(["'])(.*)\1$/, '$2');
  }
  return fields;
}
