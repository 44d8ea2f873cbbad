/** Brings documents to their librarians, and says how that goes. */
import type { Troupe } from '@troupe/client';
import type { Found } from './documents.ts';
import { Progress, type ProgressSink } from './progress.ts';
import { planWork, readCatalogue, shelve, waitUntilListed } from './shelving.ts';
import { showBytes, showSeconds } from './show.ts';

/** How it is done. */
export interface BringOptions {
  /** Nobody else publishes documents on this server, so what isn't here is gone. */
  readonly alone: boolean;
  readonly stderr: ProgressSink;
  readonly signal: AbortSignal;
}

/** Resolves once every librarian has read what it didn't know, and the directory has heard of it. */
export async function bringDocuments(
  troupe: Troupe,
  { documents, passedOver }: Found,
  { alone, stderr, signal }: BringOptions,
): Promise<void> {
  const note = (text: string): void => void stderr.write(`${text}\n`);
  const work = planWork(documents, await readCatalogue(troupe), alone);
  const total = work.publish.length + work.forget.length;
  const bytes = documents.reduce((sum, document) => sum + document.bytes, 0);
  const librarians = new Set(documents.map(({ librarian }) => librarian)).size;
  const what = `${documents.length} documents (${showBytes(bytes)}) for ${librarians} librarians`;
  for (const path of passedOver) note(`passed over, too large or too many: ${path}`);
  if (total === 0) {
    note(`${what}: all known already`);
    return;
  }
  const startedAt = performance.now();
  const progress = new Progress(stderr, 'publishing documents', total);
  const shelved = await shelve(troupe, work, { onProgress: (done) => progress.update(done), signal }).finally(() =>
    progress.end(),
  );
  await waitUntilListed(troupe, documents, signal);
  const ms = performance.now() - startedAt;
  const rate = (total / (ms / 1_000)).toFixed(0);
  note(`${what}: ${total} published in ${showSeconds(ms)} (${rate} documents/s), ${shelved.sections} sections indexed`);
  if (shelved.leftOut > 0) note(`${shelved.leftOut} sections left out: a librarian keeps 400 KiB`);
}
