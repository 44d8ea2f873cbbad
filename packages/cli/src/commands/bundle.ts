import { writeFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import type { Command } from '../command.ts';
import { showBytes, showLine } from '../output/format.ts';
import { ownVersion } from './version.ts';

const CLEAR_LINE = '\r\u001b[K';

export const bundle: Command = {
  name: 'bundle',
  summary: 'Collect everything that support needs into one archive, without secrets.',
  description:
    'Versions, settings, streams, workers, partitions, what doctor finds, metrics, the newest dead letters, and on demand histories of actors and the end of log files. What can not be had is left out, and manifest.json in the archive says why: a bundle of a cluster that is down is a bundle too. Secrets are taken out by name and by form, of all files together; look before you share it. At most 16 MiB a file and 64 MiB in all, before compression.',
  args: [],
  options: {
    out: { meaning: 'File to write.', placeholder: 'FILE', default: 'troupe-bundle-<time>.tar.gz' },
    actor: {
      meaning: 'Actors whose entries and capsules go in, with commas between them; at most 20.',
      placeholder: 'ADDRESSES',
    },
    dead: { meaning: 'So many dead letters, the newest; at most 10000.', placeholder: 'COUNT', default: '200' },
    log: { meaning: 'Log files whose last 4 MiB go in, with commas between them; at most 10.', placeholder: 'FILES' },
    redact: { meaning: 'More fields whose values are secret, with commas between them.', placeholder: 'NAMES' },
  },
  reach: 'operator',
  examples: [
    { line: 'troupe bundle', meaning: 'Everything but actors and logs.' },
    {
      line: 'troupe bundle --actor order/42,customer/7 --log worker.log',
      meaning: 'With two actors, and the end of a log.',
    },
    { line: 'troupe bundle --json | jq .leftOut', meaning: 'What could not be had, and why.' },
  ],
  exitCodes: { 0: 'The bundle is written, even if parts could not be had.' },
  async run(context) {
    const { io, out } = context;
    const { makeBundle } = await import('../bundle/bundle.ts');
    const { partsOf } = await import('../bundle/parts.ts');
    const { SecretFilter } = await import('@troupe/diagnostics/internal');
    const secrets = new SecretFilter({
      fields: (context.text('redact') ?? '').split(',').filter((name) => name !== ''),
    });
    const atMs = Date.now();
    const shows = !out.json && io.stderr.isTTY === true;
    const { manifest, archive } = await makeBundle({
      parts: partsOf(context, secrets),
      secrets,
      troupe: ownVersion(),
      atMs,
      signal: io.signal,
      onPart: (what, done, of) => {
        if (shows) io.stderr.write(`${CLEAR_LINE}${out.noteStyle('dim', showLine(`${done + 1}/${of} ${what}`, 78))}`);
      },
    });
    if (shows) io.stderr.write(CLEAR_LINE);
    const stamp = new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, '');
    const file = resolve(io.cwd, context.text('out') ?? `troupe-bundle-${stamp}.tar.gz`);
    // What agents were told may be confidential: for the one who made it only.
    await writeFile(file, archive, { mode: 0o600 });
    const shown = relative(io.cwd, file);
    for (const { what, why } of manifest.leftOut) out.note(`left out: ${showLine(`${what}: ${why}`, 300)}`);
    out.answer(
      { file: shown, bytes: archive.length, ...manifest },
      `${shown}  ${showBytes(archive.length)}, ${manifest.files.length} files, ${manifest.redacted} secrets taken out, ${manifest.leftOut.length} parts left out`,
    );
    return undefined;
  },
};
