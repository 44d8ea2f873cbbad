/** Names one write of one connection, so that a read-back can tell whose write is stored. */
export class WriteIds {
  readonly #prefix: string;
  #count = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  next(): string {
    return `${this.#prefix}.${++this.#count}`;
  }
}
