/** A bar on a terminal; elsewhere a plain line now and then. */

/** Where it is drawn. */
export interface ProgressSink {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

const WIDTH = 30;
const REFRESH_MS = 50;
const LINE_EVERY_MS = 5_000;
const CLEAR_LINE = '\r\u001b[K';

/** Progress of something with a known number of steps. */
export class Progress {
  readonly #sink: ProgressSink;
  readonly #what: string;
  readonly #total: number;
  readonly #now: () => number;
  #shownAt: number;

  constructor(sink: ProgressSink, what: string, total: number, now: () => number = () => performance.now()) {
    this.#sink = sink;
    this.#what = what;
    this.#total = total;
    this.#now = now;
    this.#shownAt = now();
    if (sink.isTTY === true) this.#draw(0);
  }

  /** So many steps are done. */
  update(done: number): void {
    const now = this.#now();
    const terminal = this.#sink.isTTY === true;
    if (now - this.#shownAt < (terminal ? REFRESH_MS : LINE_EVERY_MS) && !(terminal && done === this.#total)) return;
    this.#shownAt = now;
    if (terminal) this.#draw(done);
    else this.#sink.write(`${this.#what}: ${done} of ${this.#total}\n`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#sink.isTTY === true) this.#sink.write(CLEAR_LINE);
  }

  #draw(done: number): void {
    const filled = this.#total === 0 ? WIDTH : Math.round((WIDTH * done) / this.#total);
    this.#sink.write(
      `${CLEAR_LINE}${this.#what} [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${done}/${this.#total}`,
    );
  }
}
