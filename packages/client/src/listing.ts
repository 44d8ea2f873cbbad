/** Listing actors, for operators. */
import type { Requests } from './requests.ts';
import type { StateValue } from './state-view.ts';

/** Which actors, and how many at once. */
export interface ListOptions {
  /** Only of this type. */
  readonly type?: string | undefined;
  /** Behind this address, as `next` of the page before. */
  readonly after?: string | undefined;
  /** Actors on a page. Default and most: 200. */
  readonly limit?: number | undefined;
  /** How long to wait for a page, ms. Default 5,000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One actor of a listing. */
export interface ActorSummary {
  readonly type: string;
  readonly key: string;
  /** True when the worker that answered has it in memory; only then it knows more about it. */
  readonly loaded?: boolean | undefined;
  readonly value?: StateValue | undefined;
  /** Sequence of the last entry in its state. */
  readonly seq?: number | undefined;
  /** As XState says, or `suspended`. */
  readonly status?: string | undefined;
}

/** A page of a listing, and the way to all that follows it. */
export interface ActorPage extends AsyncIterable<ActorSummary> {
  readonly actors: readonly ActorSummary[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: string | undefined;
}

interface Answer {
  readonly actors?: readonly ActorSummary[];
  readonly next?: string | null;
}

/** Asks for one page; iterating over it asks for the others. */
export async function listActors(requests: Requests, options: ListOptions): Promise<ActorPage> {
  const { type, after, limit, timeoutMs, signal } = options;
  const body = { type, after, limit };
  const subject = requests.subjects.control('list');
  const answer = (await requests.request(subject, body, {}, { timeoutMs, signal })) as Answer | null;
  const actors = answer?.actors ?? [];
  const next = answer?.next ?? undefined;
  return {
    actors,
    next,
    async *[Symbol.asyncIterator]() {
      yield* actors;
      if (next !== undefined && next !== after) yield* await listActors(requests, { ...options, after: next });
    },
  };
}
