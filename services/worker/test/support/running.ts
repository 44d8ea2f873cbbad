/** The worker's main file as a process, with its log. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const LOOK_EVERY_MS = 20;
const UNTIL_MS = 45_000;

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The folder of a project among the fixtures. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}/`, import.meta.url));
}

/** Resolves with the first answer that isn't undefined or false. @throws Error naming what was waited for. */
export async function eventually<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  const endAt = performance.now() + UNTIL_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false && found !== null) return found;
    if (performance.now() > endAt) throw new Error(`${what} did not come within ${UNTIL_MS} ms`);
    await sleep(LOOK_EVERY_MS);
  }
}

const started = new Set<Running>();

/** For the end of a test file, however it went: kills what it has started, and the processes of those by their own rule. */
export async function endAll(): Promise<void> {
  for (const one of started) one.child.kill('SIGKILL');
  await Promise.all([...started].map(({ ended }) => ended));
}

export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  log = '';

  constructor(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [MAIN, ...args], {
      cwd,
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    this.ended = new Promise((resolve) => this.child.once('exit', resolve));
    started.add(this);
    void this.ended.then(() => started.delete(this));
  }

  get lines(): LogLine[] {
    const whole = this.log.slice(0, this.log.lastIndexOf('\n') + 1).split('\n');
    // What ends a process from inside writes there as well, in its own words.
    return whole.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine);
  }

  /** The first line that fits. @throws Error with the whole log when the process ends before, or it takes too long. */
  async until(fits: string | ((line: LogLine) => boolean)): Promise<LogLine> {
    const matches = typeof fits === 'string' ? (line: LogLine) => line.msg.includes(fits) : fits;
    return eventually(`a line of the log (${String(fits)})`, () => {
      const line = this.lines.find(matches);
      if (line === undefined && this.child.exitCode !== null) throw new Error('the process ended');
      return line;
    }).catch((error: Error) => {
      throw new Error(`${error.message}:\n${this.log}`);
    });
  }
}
