/** All benchmarks, in the order in which they run. */
import { benchDurableTurn } from './durable-turn.ts';
import type { Report } from './report.ts';

export interface Benchmark {
  readonly name: string;
  run(report: Report, full: boolean): Promise<void>;
}

const QUICK = { rounds: 3, roundMs: 1_200 };
const FULL = { rounds: 7, roundMs: 4_000 };
const CALLERS = [1, 64, 512];

export const BENCHMARKS: readonly Benchmark[] = [
  {
    name: 'durable-turn',
    run: (report, full) =>
      benchDurableTurn({ name: 'durable-turn', callers: CALLERS, ...(full ? FULL : QUICK) }, report),
  },
  {
    name: 'durable-turn-no-ack',
    run: (report, full) =>
      benchDurableTurn(
        { name: 'durable-turn-no-ack', callers: CALLERS, withoutPubAck: true, ...(full ? FULL : QUICK) },
        report,
      ),
  },
];
