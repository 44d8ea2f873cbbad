/**
 * From where on a check complains: one table, from which flags, help and reference are made. A flag goes before `doctor` of the
 * config file, and that before the default.
 */
import type { DoctorConfig } from '@troupe/agent';
import { parseDuration } from '@troupe/wire';
import type { OptionSpec } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { durationOf } from '../durations.ts';
import { usageError } from '../usage-error.ts';

interface LimitSpec {
  readonly flag: string;
  readonly placeholder: 'COUNT' | 'PERCENT' | 'DURATION' | 'MIB';
  readonly default: string;
  readonly meaning: string;
}

const SPECS = {
  usageMaxPercent: {
    flag: 'max-usage',
    placeholder: 'PERCENT',
    default: '90',
    meaning: 'How full disk, account and streams may be.',
  },
  clockMaxMs: {
    flag: 'max-clock',
    placeholder: 'DURATION',
    default: '1s',
    meaning: 'How far clocks may be apart, beyond what the answer took.',
  },
  lagMax: {
    flag: 'max-lag',
    placeholder: 'COUNT',
    default: '20000',
    meaning: 'Entries that an owner may be behind, or that a takeover may have to read.',
  },
  turnMaxMs: { flag: 'max-turn', placeholder: 'DURATION', default: '5m', meaning: 'How long a turn may be open.' },
  responseMaxMs: {
    flag: 'max-response',
    placeholder: 'DURATION',
    default: '1s',
    meaning: 'How long the slowest probe question may take.',
  },
  errorsMaxPercent: {
    flag: 'max-errors',
    placeholder: 'PERCENT',
    default: '10',
    meaning: 'Share of turns that may fail, of a type and since its workers started; below 100 turns it says nothing.',
  },
  deadMax: { flag: 'max-dead', placeholder: 'COUNT', default: '0', meaning: 'Dead letters that may lie there.' },
  parkedMax: { flag: 'max-parked', placeholder: 'COUNT', default: '0', meaning: 'Entries that may be parked.' },
  memoryMaxMib: {
    flag: 'max-memory',
    placeholder: 'MIB',
    default: '1024',
    meaning: 'Resident memory that a worker process may take.',
  },
  delayMaxMs: {
    flag: 'max-delay',
    placeholder: 'DURATION',
    default: '200ms',
    meaning: 'How late timers of a worker may be, 99th percentile of ten seconds.',
  },
  sample: {
    flag: 'sample',
    placeholder: 'COUNT',
    default: '20',
    meaning: 'Actors whose states are restored and folded again.',
  },
} as const satisfies Readonly<Record<keyof DoctorConfig, LimitSpec>>;

export type Limits = Readonly<Record<keyof typeof SPECS, number>>;

/** Where neither flag nor config file says something; ms, percent or a count, by the end of the name. */
export const DEFAULT_LIMITS: Limits = Object.fromEntries(
  Object.entries(SPECS).map(([name, spec]) => [name, defaultOf(spec)]),
) as Limits;

/** As flags of the command. */
export const LIMIT_OPTIONS: Readonly<Record<string, OptionSpec>> = Object.fromEntries(
  Object.values(SPECS).map(({ flag, ...spec }) => [flag, spec]),
);

/**
 * @param configured `doctor` of the config file, checked
 * @throws TroupeError `Usage` for what is no number of its kind.
 */
export function readLimits(context: CommandContext, configured: DoctorConfig = {}): Limits {
  return Object.fromEntries(
    Object.entries(SPECS).map(([name, spec]) => [
      name,
      flagOf(context, spec) ?? configured[name as keyof DoctorConfig] ?? defaultOf(spec),
    ]),
  ) as Limits;
}

function flagOf(context: CommandContext, { flag, placeholder }: LimitSpec): number | undefined {
  if (placeholder === 'DURATION') return durationOf(context, flag);
  const number = context.whole(flag);
  if (placeholder === 'PERCENT' && number !== undefined && number > 100)
    throw usageError(`--${flag} is ${number}: it is 0 to 100 percent.`);
  return number;
}

function defaultOf({ placeholder, default: text }: LimitSpec): number {
  return placeholder === 'DURATION' ? parseDuration(text)! : Number(text);
}
