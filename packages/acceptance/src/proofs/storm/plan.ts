/** The script of a storm: the same for the same seed. */
import type { Random } from '../../random.ts';

export const FAULTS = [
  'worker killed',
  'worker frozen',
  'server killed',
  'server restarted',
  'link cut',
  'link silent',
  'link slow',
] as const;
export type FaultKind = (typeof FAULTS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** Which worker or server, by index. */
  readonly victim: number;
  /** How long it lasts: dead before its restart, frozen, cut. */
  readonly forMs: number;
  /** Quiet after it, once all have recovered. */
  readonly pauseMs: number;
  /** Another worker, killed in the middle of it. */
  readonly alsoKilled?: number;
}

/** Frozen for longer than the lease of 15 s, so that its partitions have other owners when it wakes up. */
const FROZEN_MS = [16_500, 25_000] as const;
const RANGES_MS: Readonly<Record<FaultKind, readonly [number, number]>> = {
  'worker killed': [0, 3_000],
  'worker frozen': FROZEN_MS,
  'server killed': [0, 3_000],
  'server restarted': [0, 0],
  'link cut': [500, 20_000],
  'link silent': [1_000, 20_000],
  'link slow': [3_000, 8_000],
};
const PAUSE_MS_MAX = 2_000;

/**
 * Faults without end: each kind once in a random order, then again in another one. Every third of those of links and frozen
 * workers has a second worker killed in the middle of it.
 *
 * @param stretch how far into its range of lengths a fault may go: 1 all of it, 0 the shortest.
 */
export function* stormPlan(random: Random, workers: number, servers: number, stretch = 1): Generator<Fault, never> {
  const below = (max: number): number => Math.floor(random() * max);
  for (;;) {
    const kinds = [...FAULTS];
    while (kinds.length > 0) {
      const kind = kinds.splice(below(kinds.length), 1)[0]!;
      const [min, max] = RANGES_MS[kind];
      const ofServer = kind.startsWith('server');
      const victim = below(ofServer ? servers : workers);
      const isDouble = !ofServer && kind !== 'worker killed' && random() < 1 / 3;
      yield {
        kind,
        victim,
        forMs: Math.round(min + random() * (max - min) * stretch),
        pauseMs: below(PAUSE_MS_MAX),
        ...(isDouble ? { alsoKilled: (victim + 1 + below(workers - 1)) % workers } : {}),
      };
    }
  }
}
