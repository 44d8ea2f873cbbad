/** `npm run proof -- soak`: mixed load for an hour, or on a million actors, with what it costs over time. */
import { chooseSeed } from '../random.ts';
import { readNumbers } from './number-options.ts';
import { proveSoak, type SoakGrowth } from './soak-proof.ts';

const FULL = { actors: 20_000, active: 2_000, callers: 32, minutes: 60, every: 10 };
/** What may differ between the first and the last third: noise. */
const MEMORY_GROWTH_MAX = 1.1;
const P99_GROWTH_MAX = 1.5;
const FILES_GROWTH_MAX = 8;

const USAGE = `npm run proof -- soak [options]

Asks, sends, reads and calls outside, all the time. Is memory flat, are waits, are open files?

  --actors N    each has a task before the load begins, default ${FULL.actors}
  --active N    of these, the ones that the load goes to, default ${FULL.active}
  --callers N   default ${FULL.callers}
  --minutes N   default ${FULL.minutes}
  --every N     seconds of one line, default ${FULL.every}
  --seed N      default TROUPE_SEED, else random and printed

A million actors of which ten thousand are active: --actors 1000000 --active 10000 --minutes 10.
`;

/** @returns 0 when all holds and is flat, 1 when something doesn't or isn't, 2 for a wrong option. */
export async function runSoakProof(args: readonly string[]): Promise<number> {
  const options = readNumbers(args, { ...FULL, seed: chooseSeed() });
  if (options === undefined || !isUsable(options)) {
    process.stderr.write(USAGE);
    return 2;
  }
  const log = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  log(`seed ${options.seed}`);
  const { minutes, ...others } = options;
  const { tasks, growth, violations } = await proveSoak({ ...others, seconds: minutes * 60, log });
  for (const violation of violations) log(`violated: ${violation}`);
  log(
    `${tasks} tasks, ${violations.length} violations; last third over first third: worker's memory ` +
      `${growth.workerMemory.toFixed(2)}, server's ${growth.serverMemory.toFixed(2)}, p99 ${growth.p99.toFixed(2)}, ` +
      `${growth.files} more files: ${isFlat(growth) ? 'flat' : 'NOT flat'}`,
  );
  return violations.length === 0 && isFlat(growth) ? 0 : 1;
}

/** At least three samples behind the warm-up, or there is nothing to compare. */
function isUsable({ actors, active, callers, minutes, every }: Readonly<Record<keyof typeof FULL, number>>): boolean {
  return active >= 1 && active <= actors && callers >= 1 && every >= 1 && minutes * 60 >= every * 4;
}

/** What was not seen is not flat. */
function isFlat({ workerMemory, p99, files }: SoakGrowth): boolean {
  return workerMemory <= MEMORY_GROWTH_MAX && p99 <= P99_GROWTH_MAX && files <= FILES_GROWTH_MAX;
}
