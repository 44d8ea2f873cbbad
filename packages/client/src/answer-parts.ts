/**
 * The pages of a large answer, put together.
 *
 * Invariants
 * 1. Pages of one token only, each once, in order: late repeats are left out.
 * 2. At most `PAGES_MAX` pages are taken, and at most `STARTS_MAX` times is it begun anew.
 */
import { HEADERS } from '@troupe/wire';
import { findHeader } from './header-block.ts';

/** Which page an answer is. */
export interface PageMark {
  /** From 1. */
  readonly n: number;
  readonly pages: number;
  /** Names the answer. */
  readonly token: string;
}

/** Pages of an answer; with those of 512 KiB that owners send, 64 MiB. */
const PAGES_MAX = 128;
const STARTS_MAX = 3;

/** The page that a reply is; undefined when it is whole. */
export function pageMarkOf(headers: string): PageMark | undefined {
  const match = /^(\d{1,3})\/(\d{1,3});([A-Za-z0-9-]{1,64})$/.exec(findHeader(headers, HEADERS.page) ?? '');
  if (match === null) return undefined;
  const mark = { n: Number(match[1]), pages: Number(match[2]), token: match[3]! };
  return mark.pages <= PAGES_MAX ? mark : undefined;
}

export class AnswerParts {
  #parts: Uint8Array[] = [];
  #mark: PageMark | undefined;
  #starts = 1;

  /** What to ask for next, as the header `Troupe-Page` says it. */
  get wanted(): string {
    return this.#mark === undefined ? '1' : `${this.#parts.length + 1};${this.#mark.token}`;
  }

  get complete(): boolean {
    return this.#parts.length === this.#mark?.pages;
  }

  /** @returns false for one that is not the next. */
  add(mark: PageMark, payload: Uint8Array): boolean {
    if (mark.n !== this.#parts.length + 1) return false;
    if (this.#mark !== undefined && this.#mark.token !== mark.token) return false;
    this.#mark = mark;
    // What is received may be a view that is valid during the call only.
    this.#parts.push(payload.slice());
    return true;
  }

  whole(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  /** Forgets what there is. @returns false when it has begun anew often enough. */
  startAgain(): boolean {
    if (this.#mark === undefined || this.#starts >= STARTS_MAX) return false;
    this.#starts++;
    this.#parts = [];
    this.#mark = undefined;
    return true;
  }
}
