import { parseDuration } from '@troupe/wire';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { durationOf } from '../durations.ts';
import { AGE_MS_MIN, findGarbage, removeGarbage, unknownTypes } from '../gc/journal-gc.ts';
import { readStream } from '../operator/streams.ts';
import { showBytes, showLength, table } from '../output/format.ts';
import { withProgress } from '../output/progress.ts';
import { usageError } from '../usage-error.ts';

const LEASE_TTL_MS = parseDuration('15s')!;

export const gc: Command = {
  name: 'gc',
  summary: 'Show what takes room and what of it can go; with --yes, let it go.',
  description:
    'What can go: journal entries that stored snapshots cover and that are older than the longest history.keepForMs of the config file (owners do the same every ten seconds; gc does it where nobody owns, or sooner with --older-than). Never: snapshots, entries that are not covered, anything younger than 10 min, checkpoints, dead letters, what is parked. Without --yes nothing is changed.',
  args: [],
  options: {
    yes: { meaning: 'Do it.' },
    'older-than': {
      meaning:
        'Keep entries of this age, whatever the config file says; at least 10m. What goes is gone for time travel and repro.',
      placeholder: 'DURATION',
    },
  },
  reach: 'operator',
  examples: [
    { line: 'troupe gc', meaning: 'Sizes, and what could go.' },
    { line: 'troupe gc --older-than 1h --yes', meaning: 'Room at once, for an hour of history.' },
  ],
  async run(context) {
    const { io, out } = context;
    const keepMs = await keepMsOf(context);
    const open = await context.operator();
    const { journal, records } = open.ports;
    const before = await sizesOf(context);
    const garbage = await findGarbage(open.ports, keepMs);
    const yes = context.has('yes');
    const entries = yes
      ? await withProgress(io, out, 'removing entries', removeGarbage({ journal, records }, garbage, io.signal))
      : 0;
    const after = yes ? await sizesOf(context) : before;
    const bytes = yes ? Math.max(0, total(before, journalNames(open)) - total(after, journalNames(open))) : 0;
    out.answer(
      {
        dryRun: !yes,
        keepMs,
        streams: after,
        journal: garbage,
        removed: { entries, bytes },
      },
      [
        table(
          ['STREAM', 'MESSAGES', 'SIZE', 'LIMIT'],
          after.map((one) => [
            one.name,
            `${one.messages}`,
            showBytes(one.bytes),
            one.bytesMax > 0 ? showBytes(one.bytesMax) : '-',
          ]),
        ),
        '',
        ...describe(garbage, keepMs),
        ...(yes ? [`removed ${entries} entries, ${showBytes(bytes)}`] : []),
      ].join('\n'),
    );
    if (!yes && garbage.length > 0) out.note('Nothing was changed. Add --yes to let it go.');
    return undefined;
  },
};

interface StreamSize {
  readonly name: string;
  readonly messages: number;
  readonly bytes: number;
  /** -1 without a limit. */
  readonly bytesMax: number;
}

/** @throws TroupeError `Usage`, `ConfigInvalid` when it isn't known how long entries are wanted. */
async function keepMsOf(context: CommandContext): Promise<number> {
  const given = durationOf(context, 'older-than');
  const { loaded } = await context.project();
  const leaseTtlMs = loaded?.config.worker?.leaseTtlMs ?? LEASE_TTL_MS;
  if (given !== undefined) {
    if (given >= Math.max(AGE_MS_MIN, leaseTtlMs)) return given;
    throw usageError(
      `--older-than is ${showLength(given)}: younger entries than ${showLength(AGE_MS_MIN)} may still be needed by a worker that lags behind, so that is the least.`,
    );
  }
  const { config } = await context.requireConfig('gc (or give --older-than)');
  const known = new Set([...config.actors.map(({ type }) => type), ...(config.retired ?? [])]);
  const unknown = await unknownTypes((await context.operator()).ports, known);
  if (unknown.length > 0)
    throw usageError(
      `How long entries of ${unknown.join(', ')} are wanted is not said in this config file. Use the one that defines them, or decide with --older-than.`,
    );
  return Math.max(AGE_MS_MIN, leaseTtlMs, ...config.actors.map(({ history }) => history.keepForMs));
}

type Open = Awaited<ReturnType<CommandContext['operator']>>;

function journalNames({ config }: Open): ReadonlySet<string> {
  return new Set(config.journals.map(({ name }) => name));
}

async function sizesOf(context: CommandContext): Promise<StreamSize[]> {
  const open = await context.operator();
  const names = [...journalNames(open), ...Object.values(open.config.streams)];
  const found = await Promise.all(names.map(async (name) => [name, await readStream(open, name)] as const));
  return found.flatMap(([name, info]) =>
    info === undefined
      ? []
      : [{ name, messages: info.state.messages, bytes: info.state.bytes, bytesMax: info.config.max_bytes ?? -1 }],
  );
}

function total(streams: readonly StreamSize[], names: ReadonlySet<string>): number {
  return streams.filter(({ name }) => names.has(name)).reduce((sum, { bytes }) => sum + bytes, 0);
}

function describe(garbage: Awaited<ReturnType<typeof findGarbage>>, keepMs: number): string[] {
  const lines = garbage.map(
    ({ partition, firstSeq, beforeSeq }) =>
      `partition ${partition}: entries ${firstSeq} to ${beforeSeq - 1} of the stream are covered and older than ${showLength(keepMs)}`,
  );
  if (garbage.length === 0) lines.push(`no entry is both covered and older than ${showLength(keepMs)}`);
  return lines;
}
