/** What the event loop and the thread that watches it share. */

/** Cells of the shared memory: how often the loop has turned, and whether a debugger may be attached. */
export const BEATS = 0;
export const DEBUGGED = 1;
export const CELLS = 2;

export interface WatchData {
  readonly cells: Int32Array;
  readonly limitMs: number;
  /** Between two looks, ms. */
  readonly lookMs: number;
  readonly fields: Readonly<Record<string, unknown>>;
}
