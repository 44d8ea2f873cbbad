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
  /** Where those begin that still wait: to take the first of many thousands moves none of the others. */
  #first = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Calls `go` now or when there is room. `release` is idempotent. */
  acquire(name: string, nameMax: number, go: (release: () => void) => void): void {
    if (this.#fits(name, nameMax)) this.#take({ name, nameMax, go });
    else this.#waiting.push({ name, nameMax, go });
  }

  get waiting(): number {
    return this.#waiting.length - this.#first;
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
    let at = this.#first;
    while (at < this.#waiting.length && !this.#fits(this.#waiting[at]!.name, this.#waiting[at]!.nameMax)) at++;
    const one = this.#waiting[at];
    if (one === undefined) return;
    if (at > this.#first) this.#waiting.splice(at, 1);
    else if (++this.#first * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    this.#take(one);
  }
}
