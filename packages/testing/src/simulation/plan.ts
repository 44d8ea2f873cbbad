/**
 * What one seed means: the workers, the work and the faults, as plain data. A plan can be cut down and run again.
 *
 * Invariants
 * 1. Same seed, same plan; a part taken out leaves the rest as it is.
 */
import type { WorkerOptions } from '@troupe/runtime';
import { between, pick, type Random, seededRandom } from '../durable/random.ts';
import { type ThemeName, themed } from './themes.ts';

/** One thing that a turn does, in order. Times in ms. */
export type Operation =
  /** Calls outside; a repeat may give another answer. */
  | readonly ['call', number]
  /** Calls outside, at most once ever. */
  | readonly ['once', number]
  | readonly ['ask', string, readonly Operation[]]
  /** Tells another actor so many things, which it passes on so many times. */
  | readonly ['tell', string, number, number]
  | readonly ['wait', number]
  /** A timer that outlives the turn. */
  | readonly ['remind', number]
  /** Takes the last reminder back. */
  | readonly ['forget'];

export interface PlannedTask {
  readonly id: string;
  readonly client: number;
  readonly key: string;
  readonly operations: readonly Operation[];
  /** Pause after the task before it was acknowledged, ms. */
  readonly pauseMs: number;
}

/** A fault at one moment; `atMs` from the start. `worker` is a place for a process, which one after the other takes. */
export type PlannedFault =
  | { readonly kind: 'crash'; readonly atMs: number; readonly worker: number; readonly downMs: number }
  | { readonly kind: 'freeze'; readonly atMs: number; readonly worker: number; readonly ms: number }
  | { readonly kind: 'cut'; readonly atMs: number; readonly worker: number; readonly ms: number }
  | { readonly kind: 'drain'; readonly atMs: number; readonly worker: number; readonly downMs: number }
  /** Its lease is gone though it lives: others take its partitions over. */
  | { readonly kind: 'disown'; readonly atMs: number; readonly worker: number }
  /** Its consumers hand over nothing for a while; just before the end its lease may go too. */
  | {
      readonly kind: 'stall';
      readonly atMs: number;
      readonly worker: number;
      readonly ms: number;
      readonly disownAfterMs: number | undefined;
    }
  /** The worker's wall clock jumps. */
  | { readonly kind: 'clock'; readonly atMs: number; readonly worker: number; readonly skewMs: number }
  /** Every connection is lost. */
  | { readonly kind: 'outage'; readonly atMs: number; readonly ms: number }
  /** Streams have no leader, then another one, whose clock differs. */
  | { readonly kind: 'election'; readonly atMs: number; readonly ms: number; readonly skewMs: number };

/** What happens to single requests while the storm lasts, as shares of them. */
export interface Noise {
  readonly lost: number;
  readonly answersLost: number;
  readonly duplicated: number;
  readonly slow: number;
  readonly busy: number;
  /** Snapshot reads that a replica behind would answer (R8). */
  readonly stale: number;
  /** Snapshot reads that take seconds. Default 0. */
  readonly slowLoads?: number;
  /** Reads of records that take seconds. Default 0. */
  readonly slowRecords?: number;
}

export interface Plan {
  readonly seed: number;
  readonly workers: number;
  readonly partitions: number;
  readonly actors: number;
  readonly clients: number;
  /** Checkpoints, snapshots and unloading follow close on each other. */
  readonly tight: boolean;
  readonly snapshotEntries: number;
  readonly mailboxDepth: number;
  /** How far a worker's monotonic clock runs fast or slow, as a share. */
  readonly drift: number;
  readonly noise: Noise;
  readonly faults: readonly PlannedFault[];
  readonly tasks: readonly PlannedTask[];
  /** Small tasks are added until so many entries are stored; 0: none. */
  readonly entriesMin: number;
  /** What its workers are told beyond `tight`. */
  readonly worker?: WorkerOptions;
}

/** Faults strike before this moment, ms; then all is well, and everything has to come to its end. */
export const STORM_MS = 50_000;
/** How long task ids are remembered in these worlds, ms: clients say so. */
export const REMEMBER_MS = 40_000;

const NO_NOISE: Noise = { lost: 0, answersLost: 0, duplicated: 0, slow: 0, busy: 0, stale: 0 };

/**
 * @param theme what is frequent in this world; see `themes.ts`.
 * @example planOf(7).faults.length >= 5
 */
export function planOf(seed: number, theme?: ThemeName): Plan {
  const plan = plainPlanOf(seed);
  return theme === undefined ? plan : themed(plan, theme);
}

function plainPlanOf(seed: number): Plan {
  const random = seededRandom(Math.imul(seed, 2_654_435_761) ^ 0x5eed);
  const actors = 12;
  const clients = 4;
  const workers = between(random, 3, 4);
  const harsh = random() < 0.25;
  const tight = harsh || random() < 0.5;
  const maybe = (share: number, value: number): number => (random() < share ? value : 0);
  return {
    seed,
    workers,
    partitions: 4,
    actors,
    clients,
    tight,
    snapshotEntries: tight ? between(random, 1, 3) : between(random, 2, 9),
    mailboxDepth: random() < 0.35 ? between(random, 1, 3) : 200,
    drift: random() < 0.5 ? 0 : 0.02,
    noise: {
      lost: harsh ? 0.15 : maybe(0.7, random() * 0.08),
      answersLost: harsh ? 0.15 : maybe(0.7, random() * 0.1),
      duplicated: maybe(0.7, random() * 0.15),
      slow: maybe(0.6, random() * 0.04),
      busy: maybe(0.3, random() * 0.1),
      stale: maybe(0.6, random() * 0.6),
    },
    faults: planFaults(random, workers, harsh),
    tasks: planTasks(random, actors, clients),
    entriesMin: 200,
  };
}

/** The same plan with single requests left alone. */
export function withoutNoise(plan: Plan): Plan {
  return { ...plan, noise: NO_NOISE };
}

/** In a harsh seed processes end again and again. */
function planFaults(random: Random, workers: number, harsh: boolean): PlannedFault[] {
  const count = harsh ? between(random, 12, 18) : between(random, 5, 12);
  const faults = Array.from({ length: count }, () => planFault(random, workers, harsh));
  return faults.sort((a, b) => a.atMs - b.atMs);
}

function planFault(random: Random, workers: number, harsh: boolean): PlannedFault {
  const atMs = Math.round(1_000 + random() * (STORM_MS - 5_000));
  const worker = between(random, 0, workers - 1);
  const ms = (min: number, max: number): number => Math.round(min + random() * (max - min));
  const kind = harsh ? random() * 0.5 : random();
  if (kind < 0.25) return { kind: 'crash', atMs, worker, downMs: ms(200, 6_000) };
  if (kind < 0.5) return { kind: 'freeze', atMs, worker, ms: random() < 0.5 ? ms(100, 4_000) : ms(8_000, 40_000) };
  if (kind < 0.62) return { kind: 'cut', atMs, worker, ms: random() < 0.5 ? ms(100, 3_000) : ms(3_000, 25_000) };
  if (kind < 0.7) return { kind: 'drain', atMs, worker, downMs: ms(200, 6_000) };
  if (kind < 0.78) return { kind: 'disown', atMs, worker };
  if (kind < 0.84) return stall(random, atMs, worker);
  if (kind < 0.9) return { kind: 'clock', atMs, worker, skewMs: ms(-2_000, 2_000) };
  if (kind < 0.94) return { kind: 'outage', atMs, ms: ms(500, 9_000) };
  return { kind: 'election', atMs, ms: ms(500, 9_000), skewMs: ms(-2_000, 2_000) };
}

function stall(random: Random, atMs: number, worker: number): PlannedFault {
  const ms = Math.round(random() < 0.5 ? 500 + random() * 5_000 : 20_000 + random() * 15_000);
  const disownAfterMs = random() < 0.5 ? Math.max(0, Math.round(ms - random() * 8_000)) : undefined;
  return { kind: 'stall', atMs, worker, ms, disownAfterMs };
}

function planTasks(random: Random, actors: number, clients: number): PlannedTask[] {
  const tasks: PlannedTask[] = [];
  for (let client = 0; client < clients; client++) {
    const favourite = between(random, 0, actors - 1);
    for (let n = 0; n < 6; n++) {
      const actor = random() < 0.5 ? favourite : between(random, 0, actors - 1);
      tasks.push({
        id: `c${client}${client % 2 === 0 ? '-' : '_'}${n}`,
        client,
        key: keyOf(actor),
        operations: planOperations(random, actor, actors, 0),
        pauseMs: Math.round(random() < 0.3 ? random() * 100 : random() * 6_000),
      });
    }
  }
  return tasks;
}

/** Only actors behind are asked, so that nobody waits in a circle. */
function planOperations(random: Random, actor: number, actors: number, depth: number): Operation[] {
  const operations: Operation[] = [];
  for (let left = between(random, 1, 3); left > 0; left--) {
    const kind = random();
    if (kind < 0.2) operations.push(['call', Math.round(30 + random() * (random() < 0.2 ? 6_000 : 800))]);
    else if (kind < 0.3) operations.push(['once', Math.round(30 + random() * (random() < 0.2 ? 6_000 : 800))]);
    else if (kind < 0.5 && depth < 2 && actor < actors - 1) {
      const to = between(random, actor + 1, actors - 1);
      operations.push(['ask', keyOf(to), planOperations(random, to, actors, depth + 1)]);
    } else if (kind < 0.72)
      operations.push(['tell', keyOf(between(random, 0, actors - 1)), between(random, 1, 3), between(random, 0, 2)]);
    else if (kind < 0.8) operations.push(['wait', Math.round(pick(random, [300, 900, 5_000]) * (0.2 + random()))]);
    else if (kind < 0.92) operations.push(['remind', Math.round(300 + random() * 9_000)]);
    else operations.push(['forget']);
  }
  return operations;
}

export function keyOf(actor: number): string {
  return `a${actor}`;
}
