import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readTextFile } from './files.mjs';

/**
 * One archive that the machine's administrator configured for binary packages.
 *
 * @typedef {object} AptEntry
 * @property {string[]} uris
 * @property {string[]} suites
 * @property {string[]} components
 * @property {string | undefined} signedBy a keyring's path, a fingerprint, or an embedded key as deb822 writes it
 */

/**
 * Reads the one-line style (`sources.list`, `*.list`).
 *
 * @param {string} text
 * @returns {AptEntry[]}
 */
export function parseOneLineSources(text) {
  /** @type {AptEntry[]} */
  const entries = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (!match) continue;
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    entries.push({ uris: [uri], suites: [suite], components: words(components), signedBy });
  }
  return entries;
}

/**
 * Reads the deb822 style (`*.sources`).
 *
 * @param {string} text
 * @returns {AptEntry[]}
 */
export function parseDeb822Sources(text) {
  const withoutComments = text.replaceAll(/^#.*\n?/gm, '');
  return withoutComments
    .split(/\n[ \t]*\n/)
    .map(parseStanza)
    .filter((fields) => words(fields.types).includes('deb') && fields.enabled?.trim().toLowerCase() !== 'no')
    .map((fields) => ({
      uris: words(fields.uris),
      suites: words(fields.suites),
      components: words(fields.components),
      signedBy: fields['signed-by']?.trimEnd(),
    }));
}

/**
 * @param {string} stanza
 * @returns {Record<string, string>} field names in lower case; continuation lines keep their indentation
 */
function parseStanza(stanza) {
  /** @type {Record<string, string>} */
  const fields = {};
  let current = '';
  for (const line of stanza.split('\n')) {
    const match = /^([\w-]+):[ \t]*(.*)$/.exec(line);
    if (match) {
      current = (match[1] ?? '').toLowerCase();
      fields[current] = match[2] ?? '';
    } else if (/^[ \t]/.test(line) && current !== '') {
      fields[current] += `\n${line}`;
    }
  }
  return fields;
}

/** @param {string | undefined} text */
function words(text) {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}

/**
 * Every entry in apt's configuration folder.
 *
 * @param {string} [aptDir] defaults to `/etc/apt`
 * @returns {AptEntry[]}
 */
export function readAptSources(aptDir = '/etc/apt') {
  const partsDir = join(aptDir, 'sources.list.d');
  const entries = parseOneLineSources(readTextFile(join(aptDir, 'sources.list')) ?? '');
  for (const name of listFolder(partsDir)) {
    const text = readTextFile(join(partsDir, name)) ?? '';
    if (name.endsWith('.list')) entries.push(...parseOneLineSources(text));
    if (name.endsWith('.sources')) entries.push(...parseDeb822Sources(text));
  }
  return entries;
}

/** @param {string} folder */
function listFolder(folder) {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/**
 * Of the configured archives, those that can be the distribution's own, likeliest first: they carry the installed series
 * under its codename (or an alias of it) with the component we need. Third-party archives may look the same, so the ones
 * that name the distribution in their address come first, and whoever is asked must sign with the distribution's key.
 *
 * @param {AptEntry[]} entries
 * @param {{ family: string, codename: string, component: string, keyring: string }} wanted
 * @returns {{ uri: string, signedBy: string }[]}
 */
export function archiveCandidates(entries, { family, codename, component, keyring }) {
  const series = new Set([codename, 'stable', 'oldstable', 'testing', 'unstable', 'sid', 'devel'].filter(Boolean));
  /** @type {Map<string, { uri: string, signedBy: string, rank: number }>} */
  const found = new Map();
  for (const entry of entries) {
    if (!entry.components.includes(component) || !entry.suites.some((suite) => series.has(suite))) continue;
    for (const uri of entry.uris) {
      const named = uri.replace(/\/+$/, '').split('/').at(-1)?.includes(family) ?? false;
      if (!found.has(uri)) found.set(uri, { uri, signedBy: entry.signedBy ?? keyring, rank: named ? 0 : 1 });
    }
  }
  return [...found.values()].sort((a, b) => a.rank - b.rank).map(({ uri, signedBy }) => ({ uri, signedBy }));
}
