import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { type Finding, verdictOf } from '../doctor/finding.ts';
import { LIMIT_OPTIONS } from '../doctor/limits.ts';
import { printable } from '../output/format.ts';

/** Its own codes: what a monitor goes by. */
const DOCTOR_EXIT = { healthy: 0, degraded: 1, failing: 2 } as const;
const MARKS = {
  ok: ['green', 'ok'],
  warning: ['yellow', 'warning'],
  problem: ['red', 'problem'],
  unknown: ['yellow', 'unknown'],
} as const;

export const doctor: Command = {
  name: 'doctor',
  summary: 'Check everything: server, streams, workers, actors, states, response time.',
  description:
    'Looks only, and changes nothing (but for --ask). Every check says what it saw and, where something is wrong, what to type next. A check that can not be made is unknown, which counts as degraded: leave it out with --skip where that is meant.',
  args: [],
  options: {
    ...LIMIT_OPTIONS,
    skip: { meaning: 'Checks to leave out, with commas between them.', placeholder: 'CHECKS' },
    ask: {
      meaning: 'Ask this actor the probe questions, as tasks; by default they are queries, which change nothing.',
      placeholder: 'ADDRESS',
    },
    'ask-input': { meaning: 'What it is asked.', placeholder: 'INPUT', default: 'ping' },
  },
  reach: 'operator',
  examples: [
    { line: 'troupe doctor', meaning: 'One line a check, and what to do under those that complain.' },
    { line: 'troupe doctor --json', meaning: '{"status","checks":[{"check","status","message","fix"}]}' },
    { line: 'troupe doctor --ask support/probe --max-response 500ms', meaning: 'Response time through the journal.' },
  ],
  exitCodes: {
    0: 'Healthy.',
    1: 'Degraded: something deserves a look, or could not be checked.',
    2: 'Failing: something is broken, NATS away included; also: arguments can not be used.',
  },
  async run(context) {
    const { examine } = await import('../doctor/examine.ts');
    const checks = await examine(context);
    const status = verdictOf(checks);
    const lines = [...checks.map((finding) => linesOf(context, finding)), status];
    context.out.answer({ status, checks }, lines.join('\n'));
    return DOCTOR_EXIT[status];
  },
};

function linesOf({ out }: CommandContext, { check, status, message, fix }: Finding): string {
  const [colour, mark] = MARKS[status];
  const line = `${out.style(colour, mark.padEnd(7))}  ${check}: ${printable(message)}`;
  return fix === undefined ? line : `${line}\n         → ${printable(fix)}`;
}
