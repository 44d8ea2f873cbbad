/** A line that says what is waited for, on a terminal, once it has taken a while. */
import type { Io } from '../io.ts';
import type { Output } from './output.ts';

/** Shorter waits aren't worth a word. */
const QUIET_MS = 1_000;
const REFRESH_MS = 500;
const CLEAR_LINE = '\r\u001b[K';

/** Awaits `work`, and shows on stderr for how long already. Silent with `--json` and where stderr is no terminal. */
export async function withProgress<T>(io: Io, out: Output, what: string, work: Promise<T>): Promise<T> {
  if (out.json || io.stderr.isTTY !== true) return work;
  const startedAt = performance.now();
  let shown = false;
  const timer = setInterval(() => {
    const ms = performance.now() - startedAt;
    if (ms < QUIET_MS) return;
    shown = true;
    io.stderr.write(`${CLEAR_LINE}${out.noteStyle('dim', `${what}, ${Math.floor(ms / 1_000)} s`)}`);
  }, REFRESH_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    if (shown) io.stderr.write(CLEAR_LINE);
  }
}
