import { createHash } from 'node:crypto';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { findOnPath } from './context.mjs';
import { runCommand, tail } from './process.mjs';

/**
 * Downloads the official build and unpacks it once its checksum is the one that the release itself states.
 *
 * @param {{ url: string, asset: string, checksums: string }} source
 * @param {string} workDir an empty folder
 * @returns {Promise<{ path: string } | { problem: string }>}
 */
export async function natsServerFromRelease({ url, asset, checksums }, workDir) {
  const archive = join(workDir, asset);
  const sums = join(workDir, 'SHA256SUMS');
  for (const [from, to] of /** @type {const} */ ([
    [checksums, sums],
    [url, archive],
  ])) {
    const problem = await download(from, to);
    if (problem !== '') return { problem: `${from}: ${problem}` };
  }
  const expected = findChecksum(readFileSync(sums, 'utf8'), asset);
  if (expected === undefined) return { problem: `${checksums} has no line for ${asset}` };
  const seen = createHash('sha256').update(readFileSync(archive)).digest('hex');
  if (seen !== expected) return { problem: `${asset} has SHA-256 ${seen}, but the release states ${expected}` };
  const unpacked = await runCommand('tar', ['-xzf', archive, '--strip-components=1'], { cwd: workDir });
  if (!unpacked.ok) return { problem: `tar failed on ${asset} (${unpacked.reason})\n${tail(unpacked.output, 4)}` };
  return { path: join(workDir, 'nats-server') };
}

/**
 * @param {string} text lines of `<sha256>  <file>`
 * @param {string} asset
 * @returns {string | undefined}
 */
export function findChecksum(text, asset) {
  for (const line of text.split('\n')) {
    const [sum, name] = line.trim().split(/\s+\*?/);
    if (name === asset && sum !== undefined && /^[0-9a-f]{64}$/i.test(sum)) return sum.toLowerCase();
  }
  return undefined;
}

/**
 * Prefers curl, which honours the usual proxy variables.
 *
 * @param {string} url
 * @param {string} file
 * @returns {Promise<string>} what went wrong, or nothing
 */
async function download(url, file) {
  if (findOnPath('curl', process.env) !== undefined) {
    const flags = ['--fail', '--silent', '--show-error', '--location', '--connect-timeout', '15', '--max-time', '300'];
    const outcome = await runCommand('curl', [...flags, '--output', file, url]);
    return outcome.ok ? '' : outcome.output.trim() || outcome.reason;
  }
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(300_000) });
    if (!response.ok || response.body === null) return `HTTP ${response.status}`;
    await pipeline(Readable.fromWeb(/** @type {any} */ (response.body)), createWriteStream(file));
    return '';
  } catch (error) {
    const { message, cause } = /** @type {Error} */ (error);
    return cause instanceof Error ? `${message} (${cause.message})` : message;
  }
}
