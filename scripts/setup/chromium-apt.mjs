import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand, tail } from './process.mjs';

/** The browser, and one family of fonts so that text has a shape on a machine that has none. */
const packages = ['chromium', 'fonts-dejavu-core'];

/**
 * Takes Chromium and whichever of its libraries the machine lacks out of the archives that it has configured, without root
 * and without changing the system: apt gets lists and cache of its own in `workDir`, the packages are only unpacked.
 *
 * @param {string} workDir an empty folder
 * @param {string} folder gets the unpacked files and the command `chromium`
 * @returns {Promise<{ path: string } | { problem: string }>}
 */
export async function chromiumFromApt(workDir, folder) {
  const config = writeAptConfig(workDir);
  const install = ['-c', config, '-q', '-y', '--no-install-recommends', '--download-only', 'install', ...packages];
  const steps = [
    { what: 'apt-get update', args: ['-c', config, '-q', 'update'], timeoutMs: 180_000 },
    { what: 'apt-get --download-only install', args: install, timeoutMs: 600_000 },
  ];
  for (const { what, args, timeoutMs } of steps) {
    const outcome = await runCommand('apt-get', args, { cwd: workDir, timeoutMs });
    // A third party's archive that does not answer is no reason to go without the distribution's.
    if (!outcome.ok && what !== 'apt-get update') {
      return { problem: `${what} failed (${outcome.reason})\n${tail(outcome.output, 6)}` };
    }
  }
  const archives = join(workDir, 'cache/archives');
  for (const name of readdirSync(archives).filter((file) => file.endsWith('.deb'))) {
    const unpacked = await runCommand('dpkg', ['-x', join(archives, name), folder]);
    if (!unpacked.ok) return { problem: `dpkg -x ${name} failed (${unpacked.reason})\n${tail(unpacked.output, 4)}` };
  }
  return existsSync(join(folder, 'usr/lib/chromium/chromium'))
    ? { path: writeCommand(folder) }
    : { problem: 'the package chromium holds no usr/lib/chromium/chromium' };
}

/**
 * Read by apt after the machine's own configuration, whose archives, keys and proxies stay in force. Hooks are cleared,
 * since some images use them to empty the system's package cache.
 *
 * @param {string} folder
 */
function writeAptConfig(folder) {
  for (const name of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(folder, name), { recursive: true });
  const hooks = ['APT::Update::Pre-Invoke', 'APT::Update::Post-Invoke', 'APT::Update::Post-Invoke-Success'];
  const settings = {
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '1',
    // The system's lock guards installing, which we don't.
    'Debug::NoLocking': 'true',
    ...(process.getuid?.() === 0 ? { 'APT::Sandbox::User': 'root' } : {}),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";`);
  const file = join(folder, 'apt.conf');
  writeFileSync(file, `${[...hooks.map((hook) => `#clear ${hook};`), ...lines].join('\n')}\n`);
  return file;
}

/**
 * A command that finds libraries and fonts beside itself, wherever the folder is moved.
 *
 * @param {string} folder
 */
function writeCommand(folder) {
  const path = join(folder, 'chromium');
  // Some packages keep their shared parts in a folder below (libpulsecommon in pulseaudio/).
  const triplets = readdirSync(join(folder, 'usr/lib')).filter((name) => name.includes('-linux-gnu'));
  const libraries = triplets.flatMap((triplet) => {
    const entries = readdirSync(join(folder, 'usr/lib', triplet), { withFileTypes: true });
    const below = entries.filter((entry) => entry.isDirectory()).map((entry) => `/${entry.name}`);
    return ['', ...below].map((sub) => `$here/usr/lib/${triplet}${sub}`);
  });
  const text = `#!/bin/sh
# Debian's Chromium, unpacked; written by setup.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
if [ ! -f "$here/fonts.conf" ]; then
  cat > "$here/fonts.conf.$$" <<END
<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<dir>/usr/share/fonts</dir><dir>$here/usr/share/fonts</dir><cachedir>$here/fonts-cache</cachedir>
<alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
<alias><family>system-ui</family><prefer><family>DejaVu Sans</family></prefer></alias>
<alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
END
  mv "$here/fonts.conf.$$" "$here/fonts.conf"
fi
export LD_LIBRARY_PATH="${[...libraries, '$here/usr/lib/chromium'].join(':')}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export FONTCONFIG_FILE="$here/fonts.conf"
exec "$here/usr/lib/chromium/chromium" "$@"
`;
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}
