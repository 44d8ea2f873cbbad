/** `npm run proof -- storm`: the storm, with its report. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chooseSeed } from '../../random.ts';
import { stormChart, stormTable } from './report.ts';
import { proveStorm } from './storm-proof.ts';

const FULL = { minutes: 10, workers: 4, callers: 16 };

const USAGE = `npm run proof -- storm [options]

Three servers, four workers, callers that send without a pause, and a storm by a script: workers killed, workers frozen for
longer than their lease, servers killed and restarted, lines between workers and servers cut, silenced and slowed down. No
acknowledged task is lost or takes effect twice, each actor's are in order, an id has one outcome, and what may never be
called twice isn't: judged by the clients' own record. Prints a table of the times to recover.

  --minutes N   and at least one fault of each kind; default ${FULL.minutes}
  --workers N   at least 2; default ${FULL.workers}
  --callers N   default ${FULL.callers}
  --seed N      of the script; default TROUPE_SEED, else random and printed
  --chart FILE  writes the chart there, as SVG
`;

/** @returns 0 when all holds, 1 when something doesn't, 2 for a wrong option. */
export async function runStormProof(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const log = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const { chart, ...storm } = options;
  const report = await proveStorm({ ...storm, log });
  if (chart !== undefined) writeFileSync(chart, stormChart(report));
  for (const violation of report.violations) log(`violated: ${violation}`);
  const { acknowledged, unknown, deliveries, repeats, unknownCalls, faults, seconds, violations } = report;
  log(`\n${stormTable(report)}\n`);
  log(`${faults.length} faults in ${seconds.toFixed(0)} s; ${acknowledged} tasks acknowledged, ${unknown} unknown`);
  log(
    `${deliveries} calls outside, ${repeats} of them again after a fault; ${unknownCalls} calls that may not be repeated ended unknown`,
  );
  log(`${violations.length} violations`);
  return violations.length === 0 ? 0 : 1;
}

function readOptions(args: readonly string[]) {
  const names = ['minutes', 'workers', 'callers', 'seed'] as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        chart: { type: 'string' },
        ...Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
      },
    });
    const given = values as Record<string, string | undefined>;
    const numberOf = (name: (typeof names)[number], fallback: number): number => Number(given[name] ?? fallback);
    const numbers = {
      minutes: numberOf('minutes', FULL.minutes),
      workers: numberOf('workers', FULL.workers),
      callers: numberOf('callers', FULL.callers),
      seed: numberOf('seed', chooseSeed()),
    };
    const isFine =
      Object.values(numbers).every((value) => Number.isSafeInteger(value) && value > 0) && numbers.workers > 1;
    return isFine ? { ...numbers, chart: given.chart } : undefined;
  } catch {
    return undefined;
  }
}
