/** `npm run proof`: the long form of the proof under load, with its figures. */
import { chooseSeed } from '../random.ts';
import { runClusterProof } from './cluster-main.ts';
import { runFloodProof } from './flood-main.ts';
import { proveLoad } from './load-proof.ts';
import { readNumbers } from './number-options.ts';
import { runSoakProof } from './soak-main.ts';
import { runStormProof } from './storm/main.ts';
import { runTakeoverProof } from './takeover-main.ts';

const FULL = { sessions: 1_000, tasks: 50, callers: 64, kills: 10, refolds: 100 };

const USAGE = `npm run proof [-- options]

Many callers, many sessions, and a worker that is killed with kill -9 again and again at random moments: every task takes
effect once, in order, and every caller gets its outcome. \`npm run proof -- cluster\` kills servers instead, and
\`npm run proof -- takeover\` ends workers of several, whose partitions the others take over;
\`npm run proof -- storm\` is everything at once on a cluster, \`npm run proof -- flood\` overwhelms one key,
\`npm run proof -- soak\` goes on for an hour, or on a million actors: see their --help.

  --sessions N   default ${FULL.sessions}
  --tasks N      of each session, default ${FULL.tasks}
  --callers N    default ${FULL.callers}
  --kills N      default ${FULL.kills}
  --refolds N    journals folded again from their start, default ${FULL.refolds}
  --seed N       of the moments; default TROUPE_SEED, else random and printed
`;

/**
 * Runs it and prints what it saw.
 *
 * @returns 0 when all holds, 1 when something doesn't, 2 for a wrong option.
 * @example process.exitCode = await runProof(['--kills', '3']);
 */
export async function runProof(args: readonly string[]): Promise<number> {
  if (args[0] === 'cluster') return runClusterProof(args.slice(1));
  if (args[0] === 'takeover') return runTakeoverProof(args.slice(1));
  if (args[0] === 'flood') return runFloodProof(args.slice(1));
  if (args[0] === 'soak') return runSoakProof(args.slice(1));
  if (args[0] === 'storm') return runStormProof(args.slice(1));
  const options = readOptions(args);
  if (options === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const log = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const { violations, tasks, kills, seconds } = await proveLoad({ ...options, log });
  for (const violation of violations) log(`violated: ${violation}`);
  const rate = Math.round(tasks / seconds);
  log(`${tasks} tasks, ${kills} kills, ${seconds.toFixed(1)} s, ${rate} tasks/s, ${violations.length} violations`);
  return violations.length === 0 ? 0 : 1;
}

function readOptions(args: readonly string[]): Parameters<typeof proveLoad>[0] | undefined {
  const numbers = readNumbers(args, { ...FULL, seed: chooseSeed() });
  if (numbers === undefined) return undefined;
  const { tasks: tasksPerSession, ...others } = numbers;
  return { ...others, tasksPerSession };
}
