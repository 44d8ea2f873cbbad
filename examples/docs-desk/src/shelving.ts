/** Brings documents to their librarians: what they don't have yet, and what is gone. */
import { readFileSync } from 'node:fs';
import type { Troupe } from '@troupe/client';
import { DIRECTORY_KEY, directory, librarian } from './contracts.ts';
import type { DirectoryContext } from './directory.ts';
import type { Document } from './documents.ts';
import { splitParts } from './sections.ts';

/** Files by librarian, with their hashes. */
type Catalogue = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** What has to be said to librarians. */
export interface Work {
  readonly publish: readonly Document[];
  readonly forget: readonly Pick<Document, 'librarian' | 'file'>[];
}

/** How shelving goes on. */
export interface ShelvingOptions {
  readonly onProgress: (done: number) => void;
  readonly signal: AbortSignal;
}

/** What came of it. */
export interface Shelved {
  readonly sections: number;
  /** Sections that librarians had no room for. */
  readonly leftOut: number;
}

/** A file travels in parts of this size, well below the 1 MiB of a message. */
export const PART_BYTES_MAX = 200 * 1024;
/** Librarians that read at the same time. */
const READERS = 16;
const DEADLINE_MS = 60_000;

/** What the directory says is there. */
export async function readCatalogue(troupe: Troupe): Promise<Catalogue> {
  const answer = await troupe.actor(directory, DIRECTORY_KEY).ask({ type: 'catalogue' }, { deadlineMs: DEADLINE_MS });
  if (answer.kind !== 'catalogue') return new Map();
  return new Map(answer.librarians.map(({ librarian: name, files }) => [name, files]));
}

/**
 * Compares documents with the catalogue.
 *
 * @param all whether a librarian without documents is one that is gone, and not somebody else's
 */
export function planWork(documents: readonly Document[], catalogue: Catalogue, all: boolean): Work {
  const wanted = new Map<string, Set<string>>();
  for (const { librarian: name, file } of documents) wanted.set(name, (wanted.get(name) ?? new Set()).add(file));
  return {
    publish: documents.filter(({ librarian: name, file, hash }) => catalogue.get(name)?.[file] !== hash),
    forget: [...catalogue].flatMap(([name, files]) => {
      if (!all && !wanted.has(name)) return [];
      const gone = Object.keys(files).filter((file) => wanted.get(name)?.has(file) !== true);
      return gone.map((file) => ({ librarian: name, file }));
    }),
  };
}

/** Publishes and forgets; each librarian gets its files in order, many librarians at once. */
export async function shelve(troupe: Troupe, work: Work, { onProgress, signal }: ShelvingOptions): Promise<Shelved> {
  const queues = new Map<string, (() => Promise<Shelved>)[]>();
  const add = (name: string, task: () => Promise<Shelved>): void =>
    void queues.set(name, [...(queues.get(name) ?? []), task]);
  for (const { librarian: name, file } of work.forget) add(name, () => forget(troupe, name, file, signal));
  for (const document of work.publish) add(document.librarian, () => publish(troupe, document, signal));
  const waiting = [...queues.values()].sort((a, b) => b.length - a.length);
  const sum = { sections: 0, leftOut: 0 };
  let done = 0;
  const read = async (): Promise<void> => {
    for (let queue = waiting.shift(); queue !== undefined; queue = waiting.shift()) {
      for (const task of queue) {
        const { sections, leftOut } = await task();
        sum.sections += sections;
        sum.leftOut += leftOut;
        onProgress(++done);
      }
    }
  };
  await Promise.all(Array.from({ length: READERS }, read));
  return sum;
}

async function publish(
  troupe: Troupe,
  { librarian: name, file, path, hash }: Document,
  signal: AbortSignal,
): Promise<Shelved> {
  const parts = splitParts(readFileSync(path, 'utf8'), PART_BYTES_MAX);
  const actor = troupe.actor(librarian, name);
  let shelved: Shelved = { sections: 0, leftOut: 0 };
  for (const [index, { line, text }] of parts.entries()) {
    const document = { type: 'document' as const, file, text, hash, line, part: index + 1, parts: parts.length };
    const answer = await actor.ask(document, { deadlineMs: DEADLINE_MS, signal });
    if (answer.kind === 'shelved') shelved = { sections: answer.sections, leftOut: answer.leftOut };
  }
  return shelved;
}

async function forget(troupe: Troupe, name: string, file: string, signal: AbortSignal): Promise<Shelved> {
  await troupe.actor(librarian, name).ask({ type: 'forget', file }, { deadlineMs: DEADLINE_MS, signal });
  return { sections: 0, leftOut: 0 };
}

/** Waits until the directory has heard of everything: librarians tell it after they have answered. */
export async function waitUntilListed(
  troupe: Troupe,
  documents: readonly Document[],
  signal: AbortSignal,
): Promise<void> {
  await troupe
    .actor(directory, DIRECTORY_KEY)
    .waitFor(({ context }) => isListed(context as DirectoryContext, documents), {
      timeoutMs: DEADLINE_MS,
      signal,
    });
}

function isListed({ listings, leftOut }: DirectoryContext, documents: readonly Document[]): boolean {
  const catalogue: Catalogue = new Map(listings.map(({ librarian: name, files }) => [name, files]));
  return documents.every(
    ({ librarian: name, file, hash }) => catalogue.get(name)?.[file] === hash || leftOut.includes(name),
  );
}
