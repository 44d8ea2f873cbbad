/** The journal of an actor, page by page, as its owner reads it. */
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

/** One entry of a journal, as the owner tells it. */
export interface HistoryEntry {
  readonly seq: number;
  /** When the journal got it, Unix ms. */
  readonly at: number;
  /** What it was: `task`, `signal`, `outcome`, `tick` … */
  readonly kind?: string;
  /** Everything else that the owner tells about it. */
  readonly [field: string]: unknown;
}

interface Page {
  readonly entries?: readonly HistoryEntry[];
  readonly next?: number;
}

/** Reads page after page, one ahead of nothing: a consumer that stops asks for no more. */
export async function* readHistory(
  requests: Requests,
  target: Target,
  options: HistoryOptions,
): AsyncGenerator<HistoryEntry, void> {
  const { last, toSeq, timeoutMs, signal } = options;
  let { fromSeq } = options;
  let left = last ?? Number.POSITIVE_INFINITY;
  let first = true;
  while (left > 0) {
    const range = { ...(fromSeq === undefined ? {} : { fromSeq }), ...(toSeq === undefined ? {} : { toSeq }) };
    const args = first && last !== undefined ? { ...range, last } : range;
    const page = (await requests.query(target, 'history', args, { timeoutMs, signal })) as Page | null;
    for (const entry of page?.entries ?? []) {
      yield entry;
      if (--left <= 0) return;
    }
    const next = page?.next;
    if (next === undefined || next === null) return;
    if (!(next > (fromSeq ?? 0))) {
      throw clientError('Internal', `The history goes on at sequence ${next}, which is not behind ${fromSeq}.`, {
        address: target.address,
      });
    }
    fromSeq = next;
    first = false;
  }
}
