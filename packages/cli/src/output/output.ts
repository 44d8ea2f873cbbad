/**
 * What a command says.
 *
 * Invariants
 * 1. With `--json` stdout holds JSON only: one value, or one a line. An error is `{"error":{...}}`.
 * 2. Without, stdout holds the answer and stderr everything about it, so that answers can be piped.
 * 3. Progress and notes appear on a terminal only.
 */
import { isTroupeError, toFailureRecord } from '@troupe/wire';
import type { Io } from '../io.ts';
import { jsonLine, printable, showValue } from './format.ts';
import { type Style, styleFor } from './style.ts';

export class Output {
  readonly json: boolean;
  /** For stdout. */
  readonly style: Style;
  /** For stderr. */
  readonly noteStyle: Style;
  readonly #io: Io;

  constructor(io: Io, json: boolean) {
    this.#io = io;
    this.json = json;
    this.style = styleFor(io.stdout, io.env);
    this.noteStyle = styleFor(io.stderr, io.env);
  }

  /** The answer: `value` as JSON, `text` for people. Default text: the value. */
  answer(value: unknown, text?: string): void {
    this.#io.stdout.write(`${this.json ? jsonLine(value) : (text ?? showValue(value))}\n`);
  }

  /** Something beside the answer, for people: what was done, what to do next. Silent with `--json` and in pipes. */
  note(text: string): void {
    if (!this.json && this.#io.stderr.isTTY === true) this.#io.stderr.write(`${this.noteStyle('dim', text)}\n`);
  }

  /** Something that must be seen, also in a pipe. */
  warn(text: string): void {
    this.#io.stderr.write(`${this.noteStyle('yellow', 'warning:')} ${printable(text)}\n`);
  }

  /** A line of somebody else's, to stderr as it is. */
  raw(line: string): void {
    this.#io.stderr.write(`${line}\n`);
  }

  error(error: unknown): void {
    if (this.json) {
      const { stack: _none, ...record } = toFailureRecord(error);
      this.#io.stdout.write(`${jsonLine({ error: record })}\n`);
      return;
    }
    const code = isTroupeError(error) && error.code !== 'Usage' ? `${error.code}: ` : '';
    const message = error instanceof Error ? error.message : String(error);
    this.#io.stderr.write(`${this.noteStyle('red', 'error:')} ${code}${printable(message)}\n`);
  }
}
