import { isTroupeError } from '@troupe/wire';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { type Finding, problem } from '../doctor/finding.ts';
import { checkJetStream, checkStreams, checkVersion } from '../doctor/server-checks.ts';
import { checkLag, checkOwners, checkTypes, checkWorkers } from '../doctor/worker-checks.ts';
import { readLeases } from '../operator/workers.ts';
import { printable } from '../output/format.ts';

/** Its own codes: what a monitor goes by. */
const DOCTOR_EXIT = { ok: 0, warning: 1, problem: 2 } as const;
const MARKS = { ok: ['green', 'ok'], warning: ['yellow', 'warning'], problem: ['red', 'problem'] } as const;

export const doctor: Command = {
  name: 'doctor',
  summary: 'Check server, streams, workers and lag.',
  description:
    'Looks only, and changes nothing. Every check says what it saw, and what to do where something is wrong.',
  args: [],
  options: {},
  reach: 'operator',
  examples: [
    { line: 'troupe doctor', meaning: 'One line a check.' },
    { line: 'troupe doctor --json', meaning: '{"status","checks":[{"check","status","message"}]}' },
  ],
  exitCodes: {
    0: 'Everything is well.',
    1: 'Something deserves a look.',
    2: 'Something is broken, NATS away included; also: arguments can not be used.',
  },
  async run(context) {
    const findings = await examine(context);
    const status = findings.some((one) => one.status === 'problem')
      ? 'problem'
      : findings.some((one) => one.status === 'warning')
        ? 'warning'
        : 'ok';
    context.out.answer({ status, checks: findings }, findings.map((finding) => lineOf(context, finding)).join('\n'));
    return DOCTOR_EXIT[status];
  },
};

async function examine(context: CommandContext): Promise<Finding[]> {
  const { settings, loaded } = await context.project();
  const findings: Finding[] = [];
  /** A check that can't be made is a finding too, and stops those that build on it. */
  const check = async (name: string, make: () => Promise<Finding | readonly Finding[]>): Promise<boolean> => {
    try {
      findings.push(...[await make()].flat());
      return true;
    } catch (error) {
      findings.push(problem(name, error instanceof Error ? error.message : String(error)));
      return !isTroupeError(error, 'NotConnected');
    }
  };
  if (!(await check('server', async () => checkVersion(await context.operator())))) return findings;
  if (findings.some((one) => one.status === 'problem')) return findings;
  const open = await context.operator();
  if (!(await check('jetstream', () => checkJetStream(open)))) return findings;
  await check('streams', () => checkStreams(open, settings.partitions));
  if (findings.some((one) => one.status === 'problem')) return findings;
  await check('workers', async () => {
    const leases = await readLeases(open);
    return [checkWorkers(leases), ...checkTypes(leases, loaded?.config.actors ?? []), await checkOwners(open, leases)];
  });
  await check('lag', () => checkLag(open));
  return findings;
}

function lineOf({ out }: CommandContext, { check, status, message }: Finding): string {
  const [colour, mark] = MARKS[status];
  return `${out.style(colour, mark.padEnd(7))}  ${check}: ${printable(message)}`;
}
