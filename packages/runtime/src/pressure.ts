/**
 * How full the journal is, and what a worker does about it: from 80 % on, snapshots are written and entries purged sooner
 * than policies say, so that turns that are open can end.
 *
 * Invariants
 * 1. R4 holds under pressure too: nothing younger than `PURGE_AGE_IN_TTLS` lease lives goes, by the server's clock.
 * 2. R6 before R4: a reader counts as gapless by the shorter age as soon as its worker has seen the journal that full, or
 *    can't tell; a purge by the shorter age begins only when the journal was that full twice in a row, by which time every
 *    other worker has seen it once.
 */
import type { Log } from './log.ts';
import type { Clock, JournalPort, Timer } from './ports.ts';

/** Share of the journal's limit from which on it is under pressure. */
export const PRESSURE_SHARE = 0.8;
const PURGE_AGE_IN_TTLS = 4;

interface PressureOptions {
  readonly purgeEveryMs: number;
  readonly leaseTtlMs: number;
}

export class JournalPressure {
  readonly #journal: JournalPort;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #options: PressureOptions;
  #timer: Timer | undefined;
  #over = false;
  /** How often in a row the journal was seen that full. */
  #seen = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  /** The server's clock less the local monotonic one. */
  #offsetMs = 0;

  constructor(journal: JournalPort, clock: Clock, log: Log, options: PressureOptions) {
    this.#journal = journal;
    this.#clock = clock;
    this.#log = log;
    this.#options = options;
  }

  /** Make room: snapshot what holds the mark back, purge by `purgeAgeMs`. */
  get forced(): boolean {
    return this.#seen > 1 && this.#isRecent();
  }

  /** Some worker may purge by `purgeAgeMs` now, or soon (invariant 2). */
  get near(): boolean {
    return this.#seen > 0 || !this.#isRecent();
  }

  /** Age below which nothing is purged under pressure. */
  get purgeAgeMs(): number {
    return this.#options.leaseTtlMs * PURGE_AGE_IN_TTLS;
  }

  /** The server's time, as of the last look. */
  get serverNow(): number {
    return this.#clock.monotonic() + this.#offsetMs;
  }

  async start(): Promise<void> {
    await this.#look();
    if (!this.#over) this.#timer = this.#clock.setTimer(() => void this.start(), this.#options.purgeEveryMs);
  }

  stop(): void {
    this.#over = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const askedAtMs = this.#clock.monotonic();
    try {
      const { bytes, bytesMax, at } = await this.#journal.info();
      const share = bytesMax > 0 ? bytes / bytesMax : 0;
      const before = this.#seen;
      this.#seen = share >= PRESSURE_SHARE ? before + 1 : 0;
      // Seen as early as it can have been: the server's time is never taken for later than it is.
      this.#offsetMs = at - this.#clock.monotonic();
      this.#lookedAtMs = askedAtMs;
      if (this.#seen === 1) this.#log.warn({ bytes, bytesMax }, 'the journal is 80 % full: making room');
      else if (before > 0 && this.#seen === 0) this.#log.info({ bytes, bytesMax }, 'the journal has room again');
    } catch (error) {
      this.#log.debug({ error: String(error) }, 'the size of the journal is not known');
    }
  }

  #isRecent(): boolean {
    return this.#clock.monotonic() - this.#lookedAtMs < this.#options.purgeEveryMs * 2;
  }
}
