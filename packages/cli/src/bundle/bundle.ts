/**
 * A bundle: parts that are collected one after the other, redacted together, and packed with a manifest.
 *
 * Invariants
 * 1. Every secret found in any part is taken out of all of them: nothing is written before everything was collected.
 * 2. A part that can't be had, or is too large, is named in the manifest with the reason; the others are there all the same.
 * 3. A bundle is bounded: `PART_BYTES_MAX` each, `BUNDLE_BYTES_MAX` in total before compression, `PART_TIMEOUT_MS` each.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { SecretFilter } from '@troupe/diagnostics/internal';
import { showBytes } from '../output/format.ts';
import { type ArchiveFile, tarOf } from './tar.ts';

/** Longer ones are left out. */
export const PART_BYTES_MAX = 16 * 1_048_576;
export const BUNDLE_BYTES_MAX = 64 * 1_048_576;
/** For one part; a cluster that hangs must not hang its bundle. */
export const PART_TIMEOUT_MS = 60_000;
export const BUNDLE_FORMAT = 'troupe-bundle-1';

/** Something to collect. */
export interface Part {
  /** File inside of the bundle; `.json` is written as JSON, `.ndjson` one value a line, everything else as text. */
  readonly name: string;
  /** For the manifest and the one who waits. */
  readonly what: string;
  /**
   * Undefined: there is none, and `absent` says why. Rejects: it can't be had. With `clean` secrets are out of it already.
   */
  collect(): Promise<Collected | undefined>;
  readonly absent?: string;
}

export interface Collected {
  /** A value; a list for `.ndjson`; text. */
  readonly value: unknown;
  /** What is missing of it, for example by a limit. */
  readonly cut?: string;
  /** Made by something that took the secrets out itself, with the same filter, once all were known. */
  readonly clean?: () => Promise<unknown>;
}

export interface Manifest {
  readonly format: typeof BUNDLE_FORMAT;
  /** RFC 3339. */
  readonly madeAt: string;
  readonly troupe: string;
  readonly node: string;
  readonly files: readonly {
    readonly name: string;
    readonly what: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly cut?: string;
  }[];
  /** What is not in it, and why. */
  readonly leftOut: readonly { readonly name: string; readonly what: string; readonly why: string }[];
  /** How many values were taken out as secret. */
  readonly redacted: number;
}

export interface MakeBundleOptions {
  readonly parts: readonly Part[];
  readonly secrets: SecretFilter;
  readonly troupe: string;
  /** Unix ms. */
  readonly atMs: number;
  readonly signal: AbortSignal;
  /** Told before each part. */
  onPart(what: string, done: number, of: number): void;
}

export interface Bundle {
  readonly manifest: Manifest;
  /** The `.tar.gz`. */
  readonly archive: Buffer;
}

/** @throws the signal's reason when it is aborted. */
export async function makeBundle(options: MakeBundleOptions): Promise<Bundle> {
  const { parts, secrets, atMs } = options;
  const leftOut: Manifest['leftOut'][number][] = [];
  const found: { readonly part: Part; readonly collected: Collected }[] = [];
  for (const [i, part] of parts.entries()) {
    options.signal.throwIfAborted();
    options.onPart(part.what, i, parts.length);
    const { name, what } = part;
    try {
      const collected = await inTime(part.collect());
      if (collected === undefined) leftOut.push({ name, what, why: part.absent ?? 'There is none.' });
      else {
        secrets.collect(collected.value);
        found.push({ part, collected });
      }
    } catch (error) {
      leftOut.push({ name, what, why: secrets.text(messageOf(error)) });
    }
  }
  const files: (Manifest['files'][number] & { readonly content: Uint8Array })[] = [];
  let total = 0;
  for (const { part, collected } of found) {
    const { name, what } = part;
    try {
      const clean = collected.clean === undefined ? undefined : await inTime(collected.clean());
      const content = Buffer.from(textOf(name, clean ?? secrets.apply(collected.value)));
      const max = Math.min(PART_BYTES_MAX, BUNDLE_BYTES_MAX - total);
      if (content.length > max)
        throw new RangeError(`It has ${showBytes(content.length)}, allowed are ${showBytes(max)}.`);
      total += content.length;
      const sha256 = createHash('sha256').update(content).digest('hex');
      files.push({ name, what, bytes: content.length, sha256, ...cutOf(collected, secrets), content });
    } catch (error) {
      leftOut.push({ name, what, why: secrets.text(messageOf(error)) });
    }
  }
  const manifest: Manifest = {
    format: BUNDLE_FORMAT,
    madeAt: new Date(atMs).toISOString(),
    troupe: options.troupe,
    node: process.versions.node,
    files: files.map(({ content: _content, ...file }) => file),
    leftOut: leftOut.map((one) => ({ ...one, what: secrets.text(one.what) })),
    redacted: secrets.count,
  };
  const archived: ArchiveFile[] = files.map(({ name, content }) => ({ name, bytes: content }));
  const head = { name: 'manifest.json', bytes: Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`) };
  return { manifest, archive: gzipSync(tarOf([head, ...archived], atMs)) };
}

function cutOf({ cut }: Collected, secrets: SecretFilter): { readonly cut?: string } {
  return cut === undefined ? {} : { cut: secrets.text(cut) };
}

function textOf(name: string, value: unknown): string {
  if (name.endsWith('.ndjson'))
    return (value as readonly unknown[]).map((one) => `${JSON.stringify(one, plain)}\n`).join('');
  if (name.endsWith('.json')) return `${JSON.stringify(value, plain, 1)}\n`;
  return String(value);
}

/** What JSON has no form for. A function of `this`, since a Buffer comes as what it says of itself. */
function plain(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key];
  if (ArrayBuffer.isView(raw)) return `${raw.byteLength} bytes`;
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), item]));
  if (value instanceof Set) return [...value];
  return value;
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`It took longer than ${PART_TIMEOUT_MS / 1_000} s.`)), PART_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
