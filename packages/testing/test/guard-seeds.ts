import type { GuardName } from '@troupe/testing/internal';

/** A seed that breaks an invariant without the guard, and which. */
export interface PinnedSeed {
  readonly guard: GuardName;
  readonly seed: number;
  readonly kind: string;
}

export const PINNED: readonly PinnedSeed[] = [];
