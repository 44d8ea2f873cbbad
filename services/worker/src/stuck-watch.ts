/**
 * Notices that this process's event loop no longer turns, says where it is, and ends the process.
 *
 * A step that never returns can't be interrupted from inside: no timer fires, no signal handler runs, the lease runs out. So a
 * thread of its own looks at a counter that the event loop moves.
 *
 * Invariants
 * 1. It counts its own looks, not the time between them: a machine that slept, or a process that was frozen and goes on, is
 *    not blamed for the time in which nobody could run.
 * 2. A process under a debugger is never killed.
 * 3. Watching costs nothing per step. Where the loop is stuck is read off its stack, once it is stuck.
 */
import { url as inspectorUrl } from 'node:inspector';
import { Worker } from 'node:worker_threads';
import { BEATS, CELLS, DEBUGGED, type WatchData } from './stuck-watch-data.ts';

/** Beats per limit: a few may come late on a busy machine. */
const BEATS_PER_LIMIT = 40;
const BEAT_MS_MAX = 250;
/** What the thread needs is little; its limits keep it so. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 };

/** How a process is watched. */
export interface StuckWatchOptions {
  /** Ends the process after so long, ms; its place is told after half of it. */
  readonly limitMs: number;
  /** Stand in what it logs, for example `{ component: 'worker', process: 2 }`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Watches this process until it is closed. */
export function watchForStuck({ limitMs, fields }: StuckWatchOptions): { close(): void } {
  const cells = new Int32Array(new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT));
  const beatMs = Math.max(5, Math.min(BEAT_MS_MAX, Math.floor(limitMs / BEATS_PER_LIMIT)));
  const data: WatchData = { cells, limitMs, lookMs: beatMs, fields };
  const thread = new Worker(new URL('./stuck-watch-thread.ts', import.meta.url), {
    workerData: data,
    resourceLimits: THREAD_LIMITS,
    // Flags of the process, a debugger's among them, are not the thread's.
    execArgv: [],
  });
  thread.unref();
  // Without the thread a process works as well, only nobody ends it when it is stuck.
  thread.on('error', () => undefined);
  const beat = (): void => {
    Atomics.store(cells, DEBUGGED, inspectorUrl() === undefined ? 0 : 1);
    Atomics.add(cells, BEATS, 1);
  };
  const timer = setInterval(beat, beatMs);
  timer.unref();
  return {
    close: () => {
      clearInterval(timer);
      void thread.terminate();
    },
  };
}
