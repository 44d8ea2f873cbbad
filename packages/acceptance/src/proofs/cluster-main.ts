/** `npm run proof -- cluster`: the long form of the proof that kills the servers of a cluster. */
import { chooseSeed } from '../random.ts';
import { proveCluster } from './cluster-proof.ts';
import { readNumbers } from './number-options.ts';

const FULL = { kills: 20, workers: 2, callers: 8, 'journal-streams': 1 };

const USAGE = `npm run proof -- cluster [options]

Three servers as infra/generate.ts configures them (TLS, accounts, three copies of each stream, sync_interval always), and
one of them killed with kill -9 again and again under load, every other time the leader of the journal: no acknowledged task
is lost or takes effect twice, by the clients' own record.

  --kills N             default ${FULL.kills}
  --workers N           default ${FULL.workers}
  --callers N           default ${FULL.callers}
  --journal-streams N   default ${FULL['journal-streams']}
  --seed N              of the moments; default TROUPE_SEED, else random and printed
`;

/**
 * Runs it and prints what it saw.
 *
 * @returns 0 when all holds, 1 when something doesn't, 2 for a wrong option.
 * @example process.exitCode = await runClusterProof(['--kills', '3']);
 */
export async function runClusterProof(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const log = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const result = await proveCluster({ ...options, log });
  for (const violation of result.violations) log(`violated: ${violation}`);
  const { acknowledged, unknown, kills, leaderKills, seconds, takeovers, violations } = result;
  const stalls = [...result.stallsMs].sort((a, b) => a - b);
  log(`${kills} kills, ${leaderKills} of them of the leader, in ${seconds.toFixed(0)} s`);
  log(`stalls: median ${stalls[stalls.length >> 1] ?? 0} ms, longest ${stalls.at(-1) ?? 0} ms; ${takeovers} takeovers`);
  log(`${acknowledged} tasks acknowledged, ${unknown} unknown, ${violations.length} violations`);
  return violations.length === 0 ? 0 : 1;
}

function readOptions(args: readonly string[]): Parameters<typeof proveCluster>[0] | undefined {
  const numbers = readNumbers(args, { ...FULL, seed: chooseSeed() });
  if (numbers === undefined || Object.values(numbers).some((value) => value === 0)) return undefined;
  const { 'journal-streams': journalStreams, ...others } = numbers;
  return { ...others, journalStreams };
}
