/**
 * Answers to queries that are larger than one message, handed out page by page.
 *
 * Who can put pages together says so with `Troupe-Page: 1`. An answer over `PAGE_BYTES` then comes as its first page, under
 * `Troupe-Page: 1/<pages>;<token>`; the same query with `Troupe-Page: <n>;<token>` brings the others. Joined, the bytes are the
 * answer.
 *
 * Invariants
 * 1. The pages of one token are of one answer, whatever the actor does meanwhile.
 * 2. At most `KEPT_MAX` answers of `BYTES_MAX` bytes together are kept, each for `KEPT_MS`; the oldest go first. What is no
 *    longer there is `PageExpired`: the reader begins again.
 */
import { HEADERS, TroupeError } from '@troupe/wire';
import type { BusMessage, Clock, Timer } from './ports.ts';

/** Most bytes of an answer in one message. */
export const PAGE_BYTES = 524_288;
/** Largest answer at all. */
export const ANSWER_BYTES_MAX = 64 * 1_048_576;
const KEPT_MAX = 16;
const KEPT_MS = 15_000;

interface Kept {
  readonly payload: Uint8Array;
  readonly contentType: string;
  readonly timer: Timer;
}

const stores = new WeakMap<object, AnswerPages>();

/** The pages of a worker; made at the first use. */
export function pagesOf(host: { readonly clock: Clock }): AnswerPages {
  const known = stores.get(host);
  if (known !== undefined) return known;
  const made = new AnswerPages(host.clock);
  stores.set(host, made);
  return made;
}

export class AnswerPages {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers a request for a later page whose token is known here. @returns whether it was one. */
  respondNext(message: BusMessage): boolean {
    const wanted = wantedPage(message);
    if (wanted?.token === undefined) return false;
    const kept = this.#kept.get(wanted.token);
    if (kept === undefined || (wanted.n - 1) * PAGE_BYTES >= kept.payload.length) return false;
    this.#respond(message, kept, wanted.n, wanted.token);
    return true;
  }

  /**
   * Answers with the whole, or its first page.
   *
   * @throws TroupeError `PageExpired` to who asks for a later page, which nobody has any more; `PayloadTooLarge` to who doesn't
   * take pages, and for an answer over `ANSWER_BYTES_MAX`.
   */
  respond(message: BusMessage, payload: Uint8Array, contentType: string): void {
    const wanted = wantedPage(message);
    if (wanted?.token !== undefined)
      throw new TroupeError(
        'PageExpired',
        'The pages of this answer are no longer kept: ask again from the first one.',
        {
          retryable: true,
        },
      );
    if (payload.length <= PAGE_BYTES) message.respond(payload, { [HEADERS.contentType]: contentType });
    else if (wanted === undefined || payload.length > ANSWER_BYTES_MAX) throw tooLarge(payload.length);
    else this.#respondFirst(message, payload, contentType);
  }

  #respondFirst(message: BusMessage, payload: Uint8Array, contentType: string): void {
    const token = crypto.randomUUID();
    const kept = { payload, contentType, timer: this.#clock.setTimer(() => this.#drop(token), KEPT_MS) };
    this.#kept.set(token, kept);
    this.#bytes += payload.length;
    for (const oldest of this.#kept.keys()) {
      if (oldest === token || (this.#kept.size <= KEPT_MAX && this.#bytes <= ANSWER_BYTES_MAX)) break;
      this.#drop(oldest);
    }
    this.#respond(message, kept, 1, token);
  }

  #respond(message: BusMessage, { payload, contentType }: Kept, n: number, token: string): void {
    const pages = Math.ceil(payload.length / PAGE_BYTES);
    message.respond(payload.subarray((n - 1) * PAGE_BYTES, n * PAGE_BYTES), {
      [HEADERS.contentType]: contentType,
      [HEADERS.page]: `${n}/${pages};${token}`,
    });
  }

  #drop(token: string): void {
    const kept = this.#kept.get(token);
    if (kept === undefined) return;
    kept.timer.cancel();
    this.#kept.delete(token);
    this.#bytes -= kept.payload.length;
  }
}

/** What `Troupe-Page` of a request says; undefined for a reader that takes no pages. */
function wantedPage(message: BusMessage): { readonly n: number; readonly token: string | undefined } | undefined {
  const match = /^(\d{1,6})(?:;([A-Za-z0-9-]{1,64}))?$/.exec(message.header(HEADERS.page) ?? '');
  if (match === null || Number(match[1]) < 1) return undefined;
  return { n: Number(match[1]), token: match[2] };
}

function tooLarge(bytes: number): TroupeError {
  return new TroupeError(
    'PayloadTooLarge',
    `The answer takes ${bytes} bytes; at most ${PAGE_BYTES} go into one message. Ask with the header Troupe-Page: 1 for pages of it, or for less: a shorter range, or part of the state.`,
  );
}
