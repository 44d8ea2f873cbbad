/** The journal of an actor, page by page, as its owner reads it. */
import { isTroupeError, type JournalEntry } from '@troupe/wire';
import type { ReadOptions } from './call-options.ts';
import { clientError } from './errors.ts';
import type { Requests } from './requests.ts';
import type { Target } from './target.ts';

/** Which part of the history. Without `last` and `fromSeq`: all that is kept, oldest first. */
export interface HistoryOptions {
  /** At most the last so many entries. */
  readonly last?: number | undefined;
  /** From this sequence on. */
  readonly fromSeq?: number | undefined;
  /** Up to this sequence, included. */
  readonly toSeq?: number | undefined;
  /** How long to wait for one page, ms. Default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** Ends the iteration with `Cancelled`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * One entry of a journal: `seq`, `at` (Unix ms), and `body` with its `kind`: `task`, `signal`, `outcome`, `tick` and so on.
 */
export type HistoryEntry = JournalEntry;

interface Page {
  readonly entries?: readonly HistoryEntry[];
  readonly next?: number;
}

/** Most entries on a page. An owner sends at most 512 KiB, so fewer where they are large. */
const PAGE_MAX = 200;

/** Reads page after page, none ahead: a consumer that stops asks for no more. */
export async function* readHistory(
  requests: Requests,
  target: Target,
  options: HistoryOptions,
): AsyncGenerator<HistoryEntry, void> {
  const { last, toSeq, ...read } = options;
  let { fromSeq } = options;
  let left = last ?? Number.POSITIVE_INFINITY;
  let wanted: Record<string, unknown> = { last };
  for (;;) {
    const page = await readPage(requests, target, { ...wanted, fromSeq, toSeq }, read);
    for (const entry of page.entries ?? []) {
      yield entry;
      if (--left <= 0) return;
    }
    if (page.next === undefined || page.next === null) return;
    fromSeq = assertForward(page.next, fromSeq, target);
    wanted = {};
  }
}

/** A page that is too large is asked for again with fewer entries. */
async function readPage(
  requests: Requests,
  target: Target,
  range: Readonly<Record<string, unknown>>,
  options: ReadOptions,
): Promise<Page> {
  for (let limit = PAGE_MAX; ; limit = Math.ceil(limit / 4)) {
    try {
      return ((await requests.query(target, 'history', { ...range, limit }, options)) ?? {}) as Page;
    } catch (error) {
      if (limit === 1 || !isTroupeError(error, 'PayloadTooLarge')) throw error;
    }
  }
}

/** A page that leads nowhere would be read for ever. */
function assertForward(next: number, fromSeq: number | undefined, target: Target): number {
  if (next > (fromSeq ?? 0)) return next;
  const text = `The history goes on at sequence ${next}, which is not behind ${fromSeq}.`;
  throw clientError('Internal', text, { address: target.address });
}
