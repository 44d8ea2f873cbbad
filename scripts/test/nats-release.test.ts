import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findChecksum, natsServerFromRelease } from '../setup/nats-release.mjs';
import { TemporaryFolder } from './temporary-folder.ts';

const asset = 'nats-server-v2.15.1-linux-amd64.tar.gz';

/** A release page of our own: the files by name. */
async function serveRelease(files: Record<string, Buffer | string>) {
  const server = createServer((request, response) => {
    const file = files[request.url?.slice(1) ?? ''];
    response.writeHead(file === undefined ? 404 : 200).end(file);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const source = { url: `${base}/${asset}`, asset, checksums: `${base}/SHA256SUMS` };
  return { source, [Symbol.asyncDispose]: async () => void server.close() };
}

function makeArchive(folder: TemporaryFolder): { archive: Buffer; sum: string } {
  folder.command('nats-server-v2.15.1-linux-amd64/nats-server', 'echo v2.15.1');
  execFileSync('tar', ['-czf', 'archive.tar.gz', 'nats-server-v2.15.1-linux-amd64'], { cwd: folder.path });
  const archive = readFileSync(join(folder.path, 'archive.tar.gz'));
  return { archive, sum: createHash('sha256').update(archive).digest('hex') };
}

function workDir(folder: TemporaryFolder): string {
  const path = join(folder.path, 'work');
  mkdirSync(path);
  return path;
}

test('the archive is unpacked when its checksum is the stated one', async () => {
  using folder = new TemporaryFolder();
  const { archive, sum } = makeArchive(folder);
  await using release = await serveRelease({ [asset]: archive, SHA256SUMS: `${sum}  ${asset}\n` });
  const found = await natsServerFromRelease(release.source, workDir(folder));
  expect(found).toEqual({ path: join(folder.path, 'work/nats-server') });
});

test('an archive with another checksum is refused, naming both', async () => {
  using folder = new TemporaryFolder();
  const { archive, sum } = makeArchive(folder);
  const stated = 'a'.repeat(64);
  await using release = await serveRelease({ [asset]: archive, SHA256SUMS: `${stated}  ${asset}\n` });
  const found = await natsServerFromRelease(release.source, workDir(folder));
  expect(found).toEqual({ problem: `${asset} has SHA-256 ${sum}, but the release states ${stated}` });
});

test('a release without the file says which address failed', async () => {
  using folder = new TemporaryFolder();
  await using release = await serveRelease({ SHA256SUMS: '' });
  const found = await natsServerFromRelease(release.source, workDir(folder));
  expect(found).toEqual({ problem: expect.stringMatching(/linux-amd64\.tar\.gz: .*404/) });
});

test('a checksum belongs to the whole file name', () => {
  const sums = `${'1'.repeat(64)}  x-${asset}\n${'2'.repeat(64)} *${asset}\nnot-a-sum  ${asset}.sig\n`;
  expect(findChecksum(sums, asset)).toBe('2'.repeat(64));
  expect(findChecksum(sums, `${asset}.sig`)).toBeUndefined();
});
