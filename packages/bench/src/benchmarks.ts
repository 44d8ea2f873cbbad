/** All benchmarks, in the order in which they run. */
import { benchColdActors } from './cold-actors.ts';
import { benchDurableTurn } from './durable-turn.ts';
import { benchFirstTurn } from './first-turn.ts';
import { benchObservation } from './observation.ts';
import { benchPureStep } from './pure-step.ts';
import type { Report } from './report.ts';
import { benchScale } from './scale.ts';
import { benchSessionBytes } from './session-bytes.ts';

export interface Benchmark {
  readonly name: string;
  run(report: Report, full: boolean): Promise<void>;
}

const CALLERS = [1, 64, 512];
const FOUR_TYPES = ['counter-a', 'counter-b', 'counter-c', 'counter-d'];

export const BENCHMARKS: readonly Benchmark[] = [
  {
    name: 'durable-turn',
    run: (report, full) =>
      benchDurableTurn({ name: 'durable-turn', callers: CALLERS, ...rounds(full, 5, 2_000) }, report),
  },
  {
    name: 'durable-turn-no-ack',
    run: (report, full) => {
      const options = { name: 'durable-turn-no-ack', callers: CALLERS, withoutPubAck: true };
      return benchDurableTurn({ ...options, ...rounds(full, 3, 800) }, report);
    },
  },
  {
    name: 'durable-turn-sync-always',
    run: (report, full) => {
      const options = { name: 'durable-turn-sync-always', callers: CALLERS, server: { syncAlways: true } };
      return benchDurableTurn({ ...options, ...rounds(full, 3, 800) }, report);
    },
  },
  {
    name: 'four-journals-sync-always',
    run: (report, full) => {
      const options = { name: 'four-journals-sync-always', callers: [64, 512], server: { syncAlways: true } };
      return benchDurableTurn({ ...options, types: FOUR_TYPES, ...rounds(full, 3, 800) }, report);
    },
  },
  { name: 'session-bytes', run: (report, full) => benchSessionBytes(report, full ? 5_000 : 2_000) },
  {
    name: 'cold-actors',
    run: (report, full) =>
      benchColdActors(full ? { actors: 100_000, entriesPerActor: 10 } : { actors: 5_000, entriesPerActor: 2 }, report),
  },
  {
    name: 'pure-step',
    run: async (report, full) => benchPureStep(report, full ? 100_000 : 20_000),
  },
  {
    name: 'scale',
    run: (report, full) => {
      const size = full ? { rounds: 9, warmUpTurns: 100_000 } : { rounds: 5, warmUpTurns: 60_000 };
      // So many callers that four workers have as much to do at once as one has with 64.
      return benchScale({ sizes: [1, 2, 4], callers: 256, roundMs: 2_500, ...size }, report);
    },
  },
  {
    name: 'observation',
    run: (report, full) =>
      benchObservation({ generations: full ? 8 : 2, pairs: 10, callers: 64, roundMs: full ? 2_000 : 1_500 }, report),
  },
  { name: 'first-turn', run: (report, full) => benchFirstTurn(report, full ? 9 : 3) },
];

function rounds(
  full: boolean,
  quickRounds: number,
  quickMs: number,
): { readonly rounds: number; readonly roundMs: number } {
  return full ? { rounds: 9, roundMs: 3_000 } : { rounds: quickRounds, roundMs: quickMs };
}
