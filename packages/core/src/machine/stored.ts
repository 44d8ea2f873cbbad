/** How a state is stored: plain data, format 1. Only `persist.ts` and `restore.ts` know it. */
import type { Place } from './storable.ts';

/** Number of this format; another one isn't read. */
export const STORED_FORMAT = 1;

/** What `persist` returns: the root's node, with `value` and `context` on top, for migrations to change. */
export interface StoredState extends StoredNode {
  readonly format: typeof STORED_FORMAT;
  /** Time of the last step, Unix ms. */
  readonly now: number;
}

/** A reference in `data`: where it stood, and which node it named. */
export type StoredRef = readonly [at: readonly Place[], path: string, sessionId: string];

/** Any node. What doesn't apply is left out. */
export interface StoredNode {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  /** The machine's state value. */
  readonly value?: unknown;
  readonly context?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly refs?: readonly StoredRef[];
  /** Ids of the remembered state nodes, by history node. */
  readonly history?: Readonly<Record<string, readonly string[]>>;
  /** Ids of the active state nodes, when their order isn't the one that follows from `value`. */
  readonly order?: readonly string[];
  readonly children?: readonly StoredChild[];
  /** Custom transition logic's own fields. */
  readonly own?: Readonly<Record<string, unknown>>;
}

export interface StoredChild {
  readonly id: string;
  readonly src: string;
  readonly session: string;
  readonly systemId?: string;
  readonly sync?: true;
  readonly node: StoredNode;
}
