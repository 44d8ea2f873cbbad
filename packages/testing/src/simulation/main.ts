/** `npm run simulate`: seeds of simulated worlds, or one of them in detail. */
import { parseArgs } from 'node:util';
import type { Operation, Plan } from './plan.ts';
import { planOf } from './plan.ts';
import { shrinkPlan } from './shrink-plan.ts';
import { type SimulateSummary, simulate } from './simulate.ts';
import { GUARDS, type GuardName, isGuard } from './switches.ts';
import { isTheme, THEMES, type ThemeName } from './themes.ts';
import type { WorldReport } from './world.ts';

const SEEDS = 500;
/** A line is printed after so many seeds. */
const PROGRESS_SEEDS = 500;
const LOG_LINES = 12;

const USAGE = `npm run simulate [-- options]

The real runtime under seeded faults, in virtual time. Every seed has 3 or 4 workers, at least 200 entries and 5 faults; after
every write, and at the end, the invariants of docs/design/simulation.md are checked.

  --seeds N       how many seeds, default ${SEEDS}
  --from S        the first of them, default 1
  --seed S        only this one
  --without R,..  with guards switched off: ${Object.keys(GUARDS).join(' ')}
  --theme T       worlds in which one kind of trouble is frequent: ${Object.keys(THEMES).join(' ')}
  --stop          end at the first seed that fails
  --no-shrink     print the plan of a failing seed as it is
  --json          one JSON object on stdout
`;

interface Options {
  readonly from: number;
  readonly seeds: number;
  readonly without: readonly GuardName[];
  readonly theme: ThemeName | undefined;
  readonly stop: boolean;
  readonly shrink: boolean;
  readonly json: boolean;
}

/**
 * Runs it and prints what it saw.
 *
 * @returns 0 when every invariant held, 1 when one broke, 2 for a wrong option.
 * @example process.exitCode = await runSimulate(['--seeds', '100']);
 */
export async function runSimulate(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const log = (line: string): void => {
    if (!options.json) process.stdout.write(`${line}\n`);
  };
  let done = 0;
  const summary = await simulate({
    from: options.from,
    seeds: options.seeds,
    without: options.without,
    theme: options.theme,
    stopAtFirst: options.stop,
    onSeed: ({ seed }) => {
      if (++done % PROGRESS_SEEDS === 0) log(`${done} seeds, up to ${seed}`);
    },
  });
  const first = summary.failing[0];
  const shortest = first === undefined ? undefined : await shortestOf(first, options);
  if (options.json) process.stdout.write(`${JSON.stringify(jsonOf(summary, shortest))}\n`);
  else report(summary, shortest, options, log);
  return first === undefined ? 0 : 1;
}

function readOptions(args: readonly string[]): Options | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seeds: text,
        from: text,
        seed: text,
        without: text,
        theme: text,
        stop: flag,
        json: flag,
        'no-shrink': flag,
      },
    });
    const only = values.seed === undefined ? undefined : Number(values.seed);
    const names = values.without?.split(',').map((name) => name.trim()) ?? [];
    const { theme } = values;
    if (theme !== undefined && !isTheme(theme)) return undefined;
    const options = {
      theme,
      from: only ?? Number(values.from ?? 1),
      seeds: only === undefined ? Number(values.seeds ?? SEEDS) : 1,
      without: names.filter(isGuard),
      stop: values.stop,
      shrink: !values['no-shrink'],
      json: values.json,
    };
    const isWhole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
    if (!isWhole(options.from) || !isWhole(options.seeds) || options.without.length < names.length) return undefined;
    return options;
  } catch {
    return undefined;
  }
}

async function shortestOf({ seed, violations }: WorldReport, { shrink, theme, without }: Options): Promise<Plan> {
  const plan = planOf(seed, theme);
  return shrink ? shrinkPlan(plan, { without, kind: violations[0]!.kind }) : plan;
}

function jsonOf(summary: SimulateSummary, shortest: Plan | undefined): object {
  const { failing, ...rest } = summary;
  return {
    ...rest,
    failing: failing.map(({ seed, violations }) => ({ seed, violations })),
    ...(shortest === undefined ? {} : { shortest }),
  };
}

function report(
  summary: SimulateSummary,
  shortest: Plan | undefined,
  { theme, without }: Options,
  log: (line: string) => void,
): void {
  const { failing, seeds, seconds, cpuSeconds, totals } = summary;
  const first = failing[0];
  if (first !== undefined && shortest !== undefined) {
    log(`seed ${first.seed} fails:`);
    for (const { kind, atMs, detail } of first.violations) log(`  after ${atMs} ms: ${kind}: ${detail}`);
    log('the last that workers logged:');
    for (const line of first.log.slice(-LOG_LINES)) log(`  ${line}`);
    log('the shortest schedule found that fails in the same way:');
    for (const line of planLines(shortest)) log(`  ${line}`);
    const off = without.length === 0 ? '' : ` --without ${without.join(',')}`;
    const on = theme === undefined ? '' : ` --theme ${theme}`;
    log(`to repeat it: npm run simulate -- --seed ${first.seed}${on}${off}`);
  }
  for (const { seed, violations } of failing) log(`failing: seed ${seed}: ${violations[0]!.kind}`);
  const counted = ['entries', 'starts', 'crash', 'freeze', 'cut', 'stall', 'disown', 'drain', 'outage', 'election'];
  const more = ['lost', 'answersLost', 'duplicated', 'slow', 'dropped', 'calls', 'repeatedCalls'];
  log([...counted, ...more].map((name) => `${name} ${totals[name] ?? 0}`).join(', '));
  const rate = Math.round((seeds / cpuSeconds) * 60);
  log(
    `${seeds} seeds, ${failing.length} failing, ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of processor time, ${rate} seeds a minute and core`,
  );
}

function planLines(plan: Plan): string[] {
  const { workers, partitions, tight, snapshotEntries, mailboxDepth, noise, faults, tasks, entriesMin } = plan;
  const noises = Object.entries(noise).filter(([, share]) => share > 0);
  return [
    `${workers} workers, ${partitions} partitions, ${tight ? 'tight' : 'usual'} periods, a snapshot every ${snapshotEntries} entries, mailboxes of ${mailboxDepth}`,
    `of all requests: ${noises.map(([name, share]) => `${name} ${(share * 100).toFixed(1)} %`).join(', ') || 'none disturbed'}`,
    ...faults.map(({ kind, atMs, ...rest }) => `after ${atMs} ms: ${kind} ${JSON.stringify(rest)}`),
    ...tasks.map(
      ({ id, client, key, operations, pauseMs }) =>
        `client ${client}, after a pause of ${pauseMs} ms: task ${id} to ${key}: ${operations.map(operationText).join(', ') || 'nothing'}`,
    ),
    ...(entriesMin > 0 ? [`and small tasks until there are ${entriesMin} entries`] : []),
  ];
}

function operationText(operation: Operation): string {
  return operation[0] === 'ask'
    ? `ask ${operation[1]} (${operation[2].map(operationText).join(', ')})`
    : operation.join(' ');
}
