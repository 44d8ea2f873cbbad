/** A terminal's other screen, drawn over and over; the one before comes back at the end. */
import type { Io } from '../io.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_REST_OF_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const SIZE_DEFAULT = { columns: 80, rows: 24 };

export class Screen implements Disposable {
  readonly #io: Io;

  constructor(io: Io) {
    this.#io = io;
    io.stdout.write(ENTER);
  }

  get size(): { readonly columns: number; readonly rows: number } {
    const { columns = SIZE_DEFAULT.columns, rows = SIZE_DEFAULT.rows } = this.#io.stdout;
    return { columns, rows };
  }

  /** In one write, and without clearing first, so that it doesn't flicker. */
  draw(lines: readonly string[]): void {
    this.#io.stdout.write(`${HOME}${lines.map((line) => `${line}${CLEAR_REST_OF_LINE}`).join('\r\n')}${CLEAR_BELOW}`);
  }

  [Symbol.dispose](): void {
    this.#io.stdout.write(LEAVE);
  }
}
