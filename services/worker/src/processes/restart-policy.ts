/** When a process that ended by itself is started again: pure, so that it can be tried out without processes. */

/** How fast, and when it is enough. */
export interface RestartLimits {
  /** Wait before the first new start, ms; doubled with every failure in a row. */
  readonly delayMs: number;
  readonly delayMsMax: number;
  /** A process that was ready for so long has not failed at once, ms. */
  readonly steadyMs: number;
  /** After so many failures in a row, there is no hope that one more start would help. */
  readonly failuresMax: number;
}

/**
 * Half a second, so that a single crash costs little; half a minute, so that a lasting fault costs little too; five in a row,
 * which take about ten seconds, and outlast the three deaths after which an entry that kills workers is put into quarantine.
 */
export const RESTART_LIMITS: RestartLimits = {
  delayMs: 500,
  delayMsMax: 30_000,
  steadyMs: 10_000,
  failuresMax: 5,
};

/** Counts the failures of one place in a pool. */
export class RestartPolicy {
  readonly #limits: RestartLimits;
  readonly #random: () => number;
  #failuresInRow = 0;

  /** @param random from 0 to below 1. */
  constructor(limits: RestartLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
  }

  get failuresInRow(): number {
    return this.#failuresInRow;
  }

  /** Whether it has failed at once so often that starting again is not expected to help. */
  get hopeless(): boolean {
    return this.#failuresInRow >= this.#limits.failuresMax;
  }

  /**
   * A process ended by itself.
   *
   * @param readyForMs how long it had been ready; undefined when it never was.
   * @returns how long to wait before the next start, ms: between half and the whole of the doubled delay, so that processes that
   * failed together don't come back together.
   */
  failed(readyForMs: number | undefined): number {
    const { delayMs, delayMsMax, steadyMs } = this.#limits;
    const steady = readyForMs !== undefined && readyForMs >= steadyMs;
    if (steady) this.#failuresInRow = 0;
    const wholeMs = Math.min(delayMsMax, delayMs * 2 ** Math.min(this.#failuresInRow, 30));
    if (!steady) this.#failuresInRow++;
    return Math.round(wholeMs * (0.5 + this.#random() / 2));
  }
}
