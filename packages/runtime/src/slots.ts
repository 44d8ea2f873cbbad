/** Bounded concurrency with a bound of all and one per name; what doesn't fit waits in order. */
interface Waiting {
  readonly name: string;
  readonly nameMax: number;
  readonly go: (release: () => void) => void;
}

export class Slots {
  readonly #max: number;
  readonly #taken = new Map<string, number>();
  #total = 0;
  #waiting: Waiting[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Calls `go` now or when there is room. `release` is idempotent. */
  acquire(name: string, nameMax: number, go: (release: () => void) => void): void {
    if (this.#fits(name, nameMax)) this.#take({ name, nameMax, go });
    else this.#waiting.push({ name, nameMax, go });
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  #fits(name: string, nameMax: number): boolean {
    return this.#total < this.#max && (this.#taken.get(name) ?? 0) < nameMax;
  }

  #take(one: Waiting): void {
    this.#total++;
    this.#taken.set(one.name, (this.#taken.get(one.name) ?? 0) + 1);
    let released = false;
    one.go(() => {
      if (released) return;
      released = true;
      this.#total--;
      this.#taken.set(one.name, this.#taken.get(one.name)! - 1);
      this.#next();
    });
  }

  #next(): void {
    const at = this.#waiting.findIndex((one) => this.#fits(one.name, one.nameMax));
    if (at < 0) return;
    const [one] = this.#waiting.splice(at, 1);
    this.#take(one!);
  }
}
