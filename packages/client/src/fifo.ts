/** What can stand in a queue: leaving early is a flag, not a search. */
export interface Queued {
  /** True once nobody waits for it any more. */
  readonly done: boolean;
}

/** First in, first out; what is done is skipped, and its place reused before the list grows past twice its use. */
export class Fifo<T extends Queued> {
  #items: (T | undefined)[] = [];
  #head = 0;
  #live = 0;

  /** Items that still wait. */
  get size(): number {
    return this.#live;
  }

  push(item: T): void {
    if (this.#items.length >= 2 * this.#live + 1_024) this.#compact();
    this.#items.push(item);
    this.#live++;
  }

  /** The first item that isn't done. */
  shift(): T | undefined {
    while (this.#head < this.#items.length) {
      const item = this.#items[this.#head];
      this.#items[this.#head++] = undefined;
      if (item === undefined || item.done) continue;
      this.#live--;
      return item;
    }
    this.#items = [];
    this.#head = 0;
    return undefined;
  }

  /** To be called once for an item that became done while it waited. */
  left(): void {
    this.#live--;
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head).filter((item) => item !== undefined && !item.done);
    this.#head = 0;
  }
}
