/** What a worker tells the process that forked it; nothing when nobody did. */
import type { Worker } from '@troupe/runtime';

/** A message to the parent. */
export interface ReadyMessage {
  readonly kind: 'ready';
  readonly id: string;
  /** Versions by type. */
  readonly types: Readonly<Record<string, number>>;
  readonly partitions: number;
}

/** Tells the parent that the worker is ready. */
export function reportReady(worker: Worker): void {
  const { id, types, partitions } = worker.stats();
  process.send?.({ kind: 'ready', id, types, partitions: partitions.length } satisfies ReadyMessage);
}

/** Whether an IPC message is one of a worker. */
export function isReadyMessage(message: unknown): message is ReadyMessage {
  return typeof message === 'object' && message !== null && (message as { kind?: unknown }).kind === 'ready';
}
