/** `npm run proof -- takeover`: the long form of the proof that ends workers one after the other. */
import { chooseSeed } from '../random.ts';
import { readNumbers } from './number-options.ts';
import { percentile, proveTakeover, type TakeoverKind } from './takeover-proof.ts';

const FULL = { events: 100, workers: 3, callers: 32, 'freeze-every': 10, 'freeze-ms': 30_000 };

const USAGE = `npm run proof -- takeover [options]

Several workers under load; one is killed with kill -9, stopped with SIGTERM, or frozen with SIGSTOP and woken, and another
one started in its place, again and again. No task is lost or takes effect twice, no call marked \`retry: never\` is made twice,
and how long callers waited is printed.

  --events N         ends of workers, default ${FULL.events}
  --workers N        default ${FULL.workers}
  --callers N        default ${FULL.callers}
  --freeze-every N   every so many-th end is a freeze, 0 for none; default ${FULL['freeze-every']}
  --freeze-ms N      default ${FULL['freeze-ms']}
  --seed N           of what happens; default TROUPE_SEED, else random and printed
`;

/**
 * Runs it and prints what it saw.
 *
 * @returns 0 when all holds, 1 when something doesn't, 2 for a wrong option.
 * @example process.exitCode = await runTakeoverProof(['--events', '10']);
 */
export async function runTakeoverProof(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const log = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const result = await proveTakeover({ ...options, log });
  for (const violation of result.violations) log(`violated: ${violation}`);
  for (const kind of ['quiet', 'kill', 'freeze', 'stop', 'join'] as const) log(summary(kind, result));
  const { tasks, calls, repeats, violations } = result;
  log(`${tasks} tasks, ${calls} calls, ${repeats} of them repeats, ${violations.length} violations`);
  return violations.length === 0 ? 0 : 1;
}

function summary(kind: TakeoverKind, result: Awaited<ReturnType<typeof proveTakeover>>): string {
  const text = (values: readonly number[]): string =>
    [0.5, 0.99, 1].map((p) => `${Math.round(percentile(values, p))} ms`).join(' / ');
  const { [kind]: all } = result.stalls;
  const { [kind]: worst } = result.worst;
  if (all.length === 0) return `${kind}: none`;
  return `${kind} x ${worst.length}: waits of all callers p50 / p99 / max ${text(all)}; of the slowest of each event ${text(worst)}`;
}

function readOptions(args: readonly string[]): Parameters<typeof proveTakeover>[0] | undefined {
  const numbers = readNumbers(args, { ...FULL, seed: chooseSeed() });
  if (numbers === undefined || numbers.events < 1 || numbers.workers < 2 || numbers.callers < 1) return undefined;
  const { 'freeze-every': freezeEvery, 'freeze-ms': freezeMs, ...others } = numbers;
  return { ...others, freezeEvery, freezeMs };
}
