/** What happens in `troupe dev`, as it happens: lines for people, JSON objects for programs. */
import type { Published } from '../operator/published.ts';
import type { Output } from '../output/output.ts';
import { showPublished } from '../output/show-published.ts';
import { showLogLine } from './log-line.ts';

/** Something that `--json` reports, one object a line. */
export type DevEvent =
  | {
      readonly event: 'ready';
      readonly url: string;
      readonly prefix: string;
      readonly types: Readonly<Record<string, number>>;
      readonly page: string | null;
    }
  | { readonly event: 'reloading'; readonly files: readonly string[] }
  | { readonly event: 'reloaded'; readonly types: Readonly<Record<string, number>>; readonly tookMs: number }
  | { readonly event: 'reload failed' }
  | {
      readonly event: 'worker ended';
      readonly code: number | null;
      readonly signal: string | null;
      /** Null: it is not started again by itself. */
      readonly againInMs: number | null;
    }
  | { readonly event: 'worker started again'; readonly types: Readonly<Record<string, number>> }
  | { readonly event: 'gateway ended'; readonly why: string }
  | { readonly event: 'stopping' }
  | { readonly event: 'published'; readonly what: Published };

export class DevLog {
  readonly #out: Output;
  readonly #now: () => Date;

  constructor(out: Output, now: () => Date = () => new Date()) {
    this.#out = out;
    this.#now = now;
  }

  tell(event: DevEvent): void {
    this.#out.answer(event, this.#line(textOf(event, this.#out)));
  }

  /** Lines without a time, for people only. */
  banner(lines: readonly string[]): void {
    if (this.#out.json) return;
    const { style } = this.#out;
    this.#out.answer(undefined, `\n${lines.map((line, i) => (i === 0 ? style('bold', line) : line)).join('\n')}\n`);
  }

  /** What the worker's process writes; it is no answer, so with `--json` it goes nowhere but stderr. */
  worker(line: string, from: 'log' | 'print'): void {
    if (this.#out.json) this.#out.raw(line);
    else this.#out.answer(undefined, this.#line(from === 'print' ? line : showLogLine(line, this.#out.style)));
  }

  #line(text: string): string {
    return `${this.#out.style('dim', this.#now().toTimeString().slice(0, 8))}  ${text}`;
  }
}

function workerEnded({ code, signal, againInMs }: Extract<DevEvent, { readonly event: 'worker ended' }>): string {
  const how = signal === null ? `exit code ${code}` : signal;
  if (againInMs !== null) return `the worker ended by itself (${how}); it is started again in ${againInMs} ms`;
  const why = code === 0 ? 'it was drained' : 'it failed again and again';
  return `the worker ended by itself (${how}): ${why}; the next change of a file starts it again`;
}

function textOf(event: DevEvent, out: Output): string {
  const { style } = out;
  switch (event.event) {
    case 'ready':
      return style('green', 'ready');
    case 'reloading':
      return `reloading: ${event.files.join(', ')}`;
    case 'reloaded':
      return `${style('green', 'reloaded')} in ${event.tookMs} ms: ${Object.entries(event.types)
        .map(([type, version]) => `${type} v${version}`)
        .join(', ')}`;
    case 'reload failed':
      return style('red', 'the new code was not taken; the worker before it goes on');
    case 'worker ended':
      return style('red', workerEnded(event));
    case 'worker started again':
      return style('green', 'the worker runs again');
    case 'gateway ended':
      return style('red', `the gateway ended (${event.why}); the next change of a file starts it again`);
    case 'stopping':
      return 'stopping';
    case 'published':
      return showPublished(event.what, style);
  }
}
