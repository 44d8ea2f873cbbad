/** When a process that ended by itself is started again: pure, so that it can be tried out without processes. */

/** How fast, and when it is enough. */
export interface RestartLimits {
  /** Wait before the first new start, ms; doubled with every failure in a row. */
  readonly delayMs: number;
  readonly delayMsMax: number;
  /** A process that was ready for so long has not failed at once, ms. */
  readonly steadyMs: number;
  /** After so many starts in a row that failed, there is no hope that one more would help. */
  readonly failuresMax: number;
}

/**
 * Half a second, so that a single crash costs little; half a minute, so that a lasting fault costs little too; five in a row, which
 * take about ten seconds.
 */
export const RESTART_LIMITS: RestartLimits = {
  delayMs: 500,
  delayMsMax: 30_000,
  steadyMs: 10_000,
  failuresMax: 5,
};

/** How far a process came before it ended by itself. */
export interface Failure {
  /** It had become a worker: its config was sound and NATS took it, so what ended it was its work. */
  readonly worked: boolean;
  /** How long it had been ready, ms; undefined when it never was. */
  readonly readyForMs: number | undefined;
}

/** Counts the failures of one place in a pool. */
export class RestartPolicy {
  readonly #limits: RestartLimits;
  readonly #random: () => number;
  #failuresInRow = 0;
  #startsFailed = 0;

  /** @param random from 0 to below 1. */
  constructor(limits: RestartLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
  }

  get failuresInRow(): number {
    return this.#failuresInRow;
  }

  /**
   * Whether it has failed at its start so often that starting again is not expected to help. One that worked and crashed is
   * always started again: each death brings an entry that kills workers nearer to its quarantine, and there may be many.
   */
  get hopeless(): boolean {
    return this.#startsFailed >= this.#limits.failuresMax;
  }

  /**
   * A process ended by itself.
   *
   * @returns how long to wait before the next start, ms: between half and the whole of the doubled delay, so that processes that
   * failed together don't come back together.
   */
  failed({ worked, readyForMs }: Failure): number {
    const { delayMs, delayMsMax, steadyMs } = this.#limits;
    const steady = readyForMs !== undefined && readyForMs >= steadyMs;
    if (steady) this.#failuresInRow = 0;
    const wholeMs = Math.min(delayMsMax, delayMs * 2 ** Math.min(this.#failuresInRow, 30));
    if (!steady) this.#failuresInRow++;
    this.#startsFailed = worked ? 0 : this.#startsFailed + 1;
    return Math.round(wholeMs * (0.5 + this.#random() / 2));
  }
}
