/**
 * What a worker and the process that forked it (`troupe dev`) tell each other; nothing when nobody did.
 *
 * The gate lets a reload be safe: the new process loads the new code first, and only when that went well is the old worker
 * drained and the new one let go.
 */
import type { ActorDefinition, TroupeConfig } from '@troupe/agent';
import type { Worker } from '@troupe/runtime';

/** The config is loaded and sound; the worker waits for `go`. */
export interface LoadedMessage {
  readonly kind: 'loaded';
  readonly actors: readonly ActorHint[];
}

/** Enough of a definition to suggest something to send. */
export interface ActorHint {
  readonly type: string;
  readonly version: number;
  /** Event types that its machine takes. */
  readonly events: readonly string[];
}

/** Every partition of the worker's share is live. */
export interface ReadyMessage {
  readonly kind: 'ready';
  readonly id: string;
  /** Versions by type. */
  readonly types: Readonly<Record<string, number>>;
  readonly partitions: number;
}

export type WorkerMessage = LoadedMessage | ReadyMessage;

const GO = 'go';

/** Tells the parent that the worker is ready. */
export function reportReady(worker: Worker): void {
  const { id, types, partitions } = worker.stats();
  process.send?.({ kind: 'ready', id, types, partitions: partitions.length } satisfies ReadyMessage);
}

/** Tells the parent that the code is sound, and waits for its word. @returns false when the parent went away instead. */
export function waitAtGate(config: TroupeConfig): Promise<boolean> {
  if (process.send === undefined) return Promise.resolve(true);
  const answer = new Promise<boolean>((resolve) => {
    process.once('message', (message) => resolve(message === GO));
    process.once('disconnect', () => resolve(false));
  });
  process.send({ kind: 'loaded', actors: config.actors.map(hintOf) } satisfies LoadedMessage);
  return answer;
}

/** For the parent: lets a worker through its gate. */
export function openGate(child: { send(message: string): unknown }): void {
  child.send(GO);
}

/** Whether an IPC message is one of a worker's. */
export function isWorkerMessage(message: unknown): message is WorkerMessage {
  const kind = (message as { kind?: unknown } | null)?.kind;
  return kind === 'loaded' || kind === 'ready';
}

function hintOf({ type, version, driver }: ActorDefinition): ActorHint {
  return { type, version, events: driver.eventTypes };
}
