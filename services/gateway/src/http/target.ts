/**
 * The target of a request, read by hand: the URL class would turn `%2e%2e` into a step upwards, and a key may be `..`.
 *
 * Invariants
 * 1. Only origin form (`/path?query`): no proxy requests, no `*`.
 * 2. Segments are split first and decoded then, so that `%2F` is part of a key, never a separator.
 */
import { TroupeError } from '@troupe/wire';

export interface Target {
  /** As sent, without the query. */
  readonly path: string;
  /** Decoded. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** @throws TroupeError `InvalidPayload` */
export function parseTarget(url: string): Target {
  if (!url.startsWith('/') || url.startsWith('//')) throw invalid(url, 'has to begin with one slash');
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1));
  return {
    path,
    segments: path
      .slice(1)
      .split('/')
      .map((segment) => decoded(segment, url)),
    query,
  };
}

function decoded(segment: string, url: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalid(url, 'holds a percent sign that is no escape of UTF-8');
  }
}

function invalid(url: string, why: string): TroupeError {
  return new TroupeError('InvalidPayload', `The request target ${JSON.stringify(url.slice(0, 200))} ${why}.`);
}
