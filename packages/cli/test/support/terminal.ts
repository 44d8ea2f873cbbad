/** A command on a terminal of its own (a pseudo-terminal by util-linux's `script`), with keys and a size that can be changed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createContext, findOnPath } from '../../../../scripts/setup/context.mjs';

/** Undefined where there is none. */
export const SCRIPT: string | undefined = findOnPath('script', createContext().env);
const PATIENCE_MS = 30_000;
/** Ends a frame of `top`: clear below. */
const FRAME_END = '\u001b[J';
const FRAME_BEGIN = '\u001b[H';

export class Terminal implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  text = '';

  /** @param line for a shell; it begins with these rows and columns. */
  constructor(line: string, rows: number, columns: number, options: { cwd: string; env: Record<string, string> }) {
    const sized = `stty rows ${rows} cols ${columns}; ${line}`;
    this.#child = spawn(SCRIPT!, ['-qefc', sized, '/dev/null'], {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: '1', TERM: 'xterm', ...options.env },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
    });
    this.#exited = new Promise((resolve) => this.#child.once('close', resolve));
  }

  press(keys: string): void {
    this.#child.stdin!.write(keys);
  }

  /** As when somebody drags the corner of the window: whoever runs on it is told by a signal. */
  resize(rows: number, columns: number): void {
    execFileSync('stty', ['-F', this.#device(), 'rows', `${rows}`, 'cols', `${columns}`]);
  }

  /** The lines of the last whole frame that `is` says yes to. @throws Error with all that was drawn. */
  async frame(is: (lines: readonly string[]) => boolean): Promise<readonly string[]> {
    for (const endAt = performance.now() + PATIENCE_MS; performance.now() < endAt; ) {
      const end = this.text.lastIndexOf(FRAME_END);
      const drawn = this.text.slice(this.text.lastIndexOf(FRAME_BEGIN, end) + FRAME_BEGIN.length, end);
      const lines = drawn.split(/\r+\n/).map((line) => line.replace('\u001b[K', ''));
      if (end !== -1 && is(lines)) return lines;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no such frame within ${PATIENCE_MS} ms:\n${JSON.stringify(this.text.slice(-4_000))}`);
  }

  /** Its exit code, once it has ended by itself. */
  async ended(): Promise<number | null> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    const code = await this.#exited;
    clearTimeout(timer);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM');
    await this.#exited;
  }

  /** The terminal that the shell below `script` has. */
  #device(): string {
    const below = readdirSync('/proc').find((pid) => /^\d+$/.test(pid) && parentOf(pid) === this.#child.pid);
    return readlinkSync(`/proc/${below}/fd/0`);
  }
}

function parentOf(pid: string): number | undefined {
  try {
    // The name stands in parentheses and may hold anything.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1]);
  } catch {
    return undefined; // It has ended meanwhile.
  }
}
