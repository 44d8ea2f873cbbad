import { formatAddress } from '@troupe/wire';
import type { Command } from '../command.ts';
import { durationOf } from '../durations.ts';
import { INPUT_ARG, INPUT_OPTIONS, readInput } from '../input.ts';

export const send: Command = {
  name: 'send',
  summary: 'Send a task to an actor and wait only until it is accepted.',
  description:
    'Accepted means stored: the task gets exactly one outcome, whatever dies meanwhile. troupe tail shows it, and so does the query "outcome".',
  args: [{ name: 'ADDRESS', meaning: 'Which actor: <type>/<key>.' }, INPUT_ARG],
  options: {
    ...INPUT_OPTIONS,
    deadline: { meaning: 'How long the turn may take.', placeholder: 'DURATION', default: '60s' },
    'task-id': { meaning: 'Name the task, for safe repeats: letters, digits, - and _.', placeholder: 'ID' },
    raw: { meaning: 'The input is an input also when it looks like an event.' },
  },
  reach: 'client',
  examples: [
    {
      line: `troupe send support/john '{"text":"later will do"}'`,
      meaning: 'Prints the sequence and the id of the accepted task.',
    },
    {
      line: 'troupe send report/2026-01 --file big.json --task-id january',
      meaning: 'Safe to repeat: the same id is the same task.',
    },
  ],
  async run(context) {
    const address = context.address();
    const input = await readInput(context, 1);
    const options = {
      deadlineMs: durationOf(context, 'deadline'),
      taskId: context.text('task-id'),
      raw: context.has('raw'),
      signal: context.io.signal,
    };
    const troupe = await context.client();
    const { seq, taskId } = await troupe.actor(address.type, address.key).send(input, options);
    context.out.answer({ actor: formatAddress(address), seq, taskId }, `accepted as entry ${seq}, task ${taskId}`);
    return undefined;
  },
};
