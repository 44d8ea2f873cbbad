/** What the worker and its parent say to each other. */

/** What a worker has done since it started. */
export interface Counts {
  readonly turns: number;
  /** Journal entries folded. */
  readonly entries: number;
  readonly snapshots: number;
}

/** From the parent. */
export interface CountsRequest {
  readonly kind: 'count';
  readonly id: number;
}

/** From the worker: it owns its share; what it has done. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'counts'; readonly id: number; readonly counts: Counts };

/** Whether an IPC message asks for counts. */
export function isCountsRequest(message: unknown): message is CountsRequest {
  return kindOf(message) === 'count';
}

/** Whether an IPC message is the worker's. */
export function isWorkerMessage(message: unknown): message is WorkerMessage {
  return kindOf(message) === 'ready' || kindOf(message) === 'counts';
}

function kindOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null ? (message as { kind?: unknown }).kind : undefined;
}
