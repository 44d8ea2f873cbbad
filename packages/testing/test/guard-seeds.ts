import type { GuardName, ThemeName } from '@troupe/testing/internal';

/** A seed that breaks an invariant without the guard, and which. */
export interface PinnedSeed {
  readonly guard: GuardName;
  readonly seed: number;
  /** Of which worlds; default: the usual ones. */
  readonly theme?: ThemeName;
  readonly kind: string;
}

/**
 * Found by `npm run simulate -- --without <guard> --stop`; pinned anew when the schedule of the runtime changes. Another order of events needs others; the test then looks for one.
 * Three matter only when rare things come together, and have theirs among worlds in which those are frequent.
 */
export const PINNED: readonly PinnedSeed[] = [
  { guard: 'R1', seed: 1, kind: 'the done mark passed what is not delivered' },
  { guard: 'R2', seed: 1, kind: 'the done mark passed what is not delivered' },
  { guard: 'R3', seed: 1, kind: 'a record went back to an older epoch' },
  { guard: 'R3-epoch', seed: 1, kind: 'never settled' },
  { guard: 'R3-waking', seed: 14, theme: 'slow-loads', kind: 'never settled' },
  { guard: 'R4', seed: 5, kind: 'purged what no snapshot covers' },
  { guard: 'R4-acknowledged', seed: 45, kind: 'another outcome than the true one' },
  { guard: 'R4-age', seed: 1, kind: 'purged what is younger than a lease' },
  { guard: 'R5', seed: 1, kind: 'an effect started before the records were read' },
  { guard: 'R5-records', seed: 25, kind: 'an effect started before the records were read' },
  { guard: 'R6', seed: 107, theme: 'stalls', kind: 'an outcome told before its entry' },
  { guard: 'R6-epoch', seed: 42, theme: 'slow-records', kind: 'an outcome told before its entry' },
  { guard: 'R7', seed: 113, kind: 'a snapshot went back' },
  { guard: 'R7-compare', seed: 1, kind: 'a snapshot went back' },
  { guard: 'R8', seed: 3, kind: 'a message that no stored entry caused' },
  { guard: 'R9', seed: 1, kind: 'a message to an actor lost' },
  { guard: 'R9-watermark', seed: 1, kind: 'a message applied twice' },
  { guard: 'R10', seed: 1, kind: 'a client saw two outcomes' },
  { guard: 'R10-senders', seed: 1, kind: 'a message applied twice' },
  { guard: 'R10-time', seed: 84, kind: 'time went back' },
  { guard: 'R10-refusals', seed: 11, kind: 'a client saw two outcomes' },
  { guard: 'R11', seed: 1, kind: 'a call that may happen once happened twice' },
  { guard: 'R12', seed: 1, kind: 'a wake-up was removed before its entry was stored' },
  { guard: 'R13', seed: 1, kind: 'an outcome told before its entry' },
  { guard: 'R13-tasks', seed: 1, kind: 'a client saw two outcomes' },
  { guard: 'R13-effects', seed: 4, kind: 'an outcome ended another effect' },
];
