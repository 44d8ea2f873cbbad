/**
 * Sequences that something is still owed for, and the lowest of them (R2): a done mark must be
 * contiguous, never a maximum. A sequence is added once per debt and leaves with its last one.
 */
export class SeqTracker {
  readonly #debts = new Map<number, number>();
  #lowest = Number.POSITIVE_INFINITY;

  add(seq: number): void {
    this.#debts.set(seq, (this.#debts.get(seq) ?? 0) + 1);
    if (seq < this.#lowest) this.#lowest = seq;
  }

  remove(seq: number): void {
    const debts = this.#debts.get(seq);
    if (debts === undefined) return;
    if (debts > 1) {
      this.#debts.set(seq, debts - 1);
      return;
    }
    this.#debts.delete(seq);
    if (seq === this.#lowest) this.#lowest = this.#debts.size === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  }

  /** Infinity when nothing is owed. */
  lowest(): number {
    if (!Number.isNaN(this.#lowest)) return this.#lowest;
    let lowest = Number.POSITIVE_INFINITY;
    for (const seq of this.#debts.keys()) if (seq < lowest) lowest = seq;
    this.#lowest = lowest;
    return lowest;
  }

  /** Whether anything at or below `seq` is owed. */
  owesUpTo(seq: number): boolean {
    return this.lowest() <= seq;
  }

  get size(): number {
    return this.#debts.size;
  }
}
