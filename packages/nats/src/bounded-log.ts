/** The end of what a process printed, for error messages; never more than its bound, whatever the process does. */

const CHARS_MAX_DEFAULT = 64 * 1024;

export class BoundedLog {
  readonly #charsMax: number;
  #text = '';

  /** `charsMax` defaults to 65,536; the beginning is forgotten first. */
  constructor(charsMax = CHARS_MAX_DEFAULT) {
    this.#charsMax = charsMax;
  }

  append(chunk: string): void {
    this.#text = (this.#text + chunk).slice(-this.#charsMax);
  }

  get text(): string {
    return this.#text;
  }

  /** The last lines, indented; says so when there are none. */
  tail(linesMax = 15): string {
    const lines = this.#text.trimEnd().split('\n').slice(-linesMax);
    return this.#text === '' ? '  (it printed nothing)' : lines.map((line) => `  ${line}`).join('\n');
  }
}
