/** What went wrong, the first time each. */
export interface Violation {
  /** Which invariant, in words. */
  readonly kind: string;
  /** Virtual time, ms from the start. */
  readonly atMs: number;
  readonly detail: string;
}

export class Violations {
  readonly #found = new Map<string, Violation>();
  readonly #elapsedMs: () => number;

  readonly #blind: ReadonlySet<string>;

  /** @param blind kinds that do not count. */
  constructor(elapsedMs: () => number, blind: ReadonlySet<string>) {
    this.#elapsedMs = elapsedMs;
    this.#blind = blind;
  }

  add(kind: string, detail: string): void {
    if (!this.#found.has(kind) && !this.#blind.has(kind))
      this.#found.set(kind, { kind, atMs: Math.round(this.#elapsedMs()), detail });
  }

  get any(): boolean {
    return this.#found.size > 0;
  }

  all(): Violation[] {
    return [...this.#found.values()];
  }
}
