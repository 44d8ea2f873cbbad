import { nearest } from '@troupe/agent/internal';
import type { LevelInForce } from '@troupe/diagnostics';
import type { OpenPorts } from '@troupe/service-worker';
import { encodePayload, type FailureRecord, fromFailureRecord, TroupeError } from '@troupe/wire';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { durationOf } from '../durations.ts';
import { readLeases } from '../operator/workers.ts';
import { table } from '../output/format.ts';
import { usageError } from '../usage-error.ts';

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'];
const DEFAULT = 'default';
/** How long a worker may take to answer, ms. */
const ANSWER_MS = 3_000;
const DAY_MS = 86_400_000;

interface Answer {
  readonly worker: string;
  readonly levels: readonly LevelInForce[];
}

export const logLevel: Command = {
  name: 'log-level',
  summary: 'Show or change how much live workers log, for one actor type or for everything.',
  description:
    'With a level only, it is that of everything that has none of its own; with a type before it, that of this type. At debug, the beginning, the end, the duration and the failure of every turn, step and effect are logged. It falls back to the start value by itself. Without words it shows the levels in force. Workers that start later begin with their start values.',
  args: [
    { name: 'TYPE', meaning: 'An actor type. Default: everything.', optional: true },
    { name: 'LEVEL', meaning: `${LEVELS.join(', ')}; ${DEFAULT} falls back now.`, optional: true },
  ],
  options: {
    for: { meaning: 'How long it holds, a day at most.', placeholder: 'DURATION', default: '10m' },
    worker: { meaning: 'Only of this worker. Default: all.', placeholder: 'ID' },
  },
  reach: 'operator',
  examples: [
    { line: 'troupe log-level', meaning: 'What holds now.' },
    { line: 'troupe log-level support debug --for 2m', meaning: 'Everything that support does, for two minutes.' },
    { line: 'troupe log-level warn --worker box-2', meaning: 'Less of one worker.' },
    { line: 'troupe log-level support default --json', meaning: 'Back now; {"worker","levels"} for each worker.' },
  ],
  exitCodes: { 4: 'A worker does not answer.' },
  async run(context) {
    const request = requestOf(context);
    const open = await context.operator();
    const workers = await chosen(context, open);
    const settled = await Promise.allSettled(workers.map((worker) => ask(open, worker, request)));
    const answers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
    for (const answer of answers) context.out.answer(answer, textOf(answer));
    const [failure] = failures;
    // A type that only some of them host is no failure.
    const serious = failures.find((error) => !(error instanceof TroupeError && error.code === 'NotFound'));
    if (serious !== undefined) throw serious;
    if (answers.length === 0 && failure !== undefined) throw failure;
    return undefined;
  },
};

/** @throws TroupeError `Usage` */
function requestOf(context: CommandContext): object {
  const { args } = context;
  const forMs = durationOf(context, 'for');
  if (forMs !== undefined && (forMs < 1 || forMs > DAY_MS))
    throw usageError(`--for is ${context.text('for')}: it is a day at most, and longer than nothing.`);
  if (args.length === 0) {
    if (forMs !== undefined) throw usageError(`--for needs a level: ${LEVELS.join(', ')}.`);
    return { op: 'get' };
  }
  const level = args.at(-1)!;
  const type = args.length > 1 ? { type: args[0] } : {};
  if (level === DEFAULT) return { op: 'reset', ...type };
  if (!LEVELS.includes(level))
    throw usageError(`${JSON.stringify(level)} is no level: write ${LEVELS.join(', ')} or ${DEFAULT}.`);
  return { op: 'set', level, ...type, ...(forMs === undefined ? {} : { forMs }) };
}

/** @throws TroupeError `NotFound` */
async function chosen(context: CommandContext, open: OpenPorts): Promise<readonly string[]> {
  const ids = (await readLeases(open)).map(({ id }) => id);
  const wanted = context.text('worker');
  if (wanted === undefined) {
    if (ids.length > 0) return ids;
    throw new TroupeError('NotFound', 'No worker is alive: nobody logs. Start one with troupe worker or troupe dev.');
  }
  if (ids.includes(wanted)) return [wanted];
  const guess = nearest(wanted, ids);
  throw new TroupeError(
    'NotFound',
    `There is no worker ${JSON.stringify(wanted)}. ${guess === undefined ? 'troupe workers lists those that there are.' : `Did you mean ${guess}?`}`,
  );
}

/** @throws TroupeError what the worker says; `Timeout` when it doesn't answer. */
async function ask(open: OpenPorts, worker: string, request: object): Promise<Answer> {
  const subject = open.config.subjects.control('log', worker);
  const answer = await open.ports.bus
    .request(subject, encodePayload(request), { timeoutMs: ANSWER_MS })
    .catch((error: unknown) => {
      const { kind } = error as { readonly kind?: string };
      if (kind !== 'no-responders' && kind !== 'timeout') throw error;
      throw new TroupeError(
        'Timeout',
        `Worker ${worker} does not answer: it is frozen, cut off or gone, or it can't change levels. See troupe workers.`,
      );
    });
  const value = JSON.parse(new TextDecoder().decode(answer.payload)) as Omit<Answer, 'worker'> & {
    readonly error?: FailureRecord;
  };
  if (value.error !== undefined) throw fromFailureRecord(value.error);
  return { worker, levels: value.levels };
}

function textOf({ worker, levels }: Answer): string {
  const rows = levels.map(({ type = 'everything else', level, untilMs }) => [
    type,
    level,
    untilMs === undefined ? 'start value' : `until ${new Date(untilMs).toISOString()}`,
  ]);
  return `${worker}\n${table(['TYPE', 'LEVEL', 'HOLDS'], rows)}`;
}
