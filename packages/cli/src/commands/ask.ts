import { formatAddress } from '@troupe/wire';
import type { Command } from '../command.ts';
import { durationOf } from '../durations.ts';
import { INPUT_ARG, INPUT_OPTIONS, readInput } from '../input.ts';
import { showValue } from '../output/format.ts';
import { withProgress } from '../output/progress.ts';

export const ask: Command = {
  name: 'ask',
  summary: 'Send a task to an actor and wait for its outcome.',
  description:
    'An input that is a JSON object with a string "type" is delivered as that event, everything else as a task event. The same --task-id again is the same task: one effect, the same outcome.',
  args: [{ name: 'ADDRESS', meaning: 'Which actor: <type>/<key>.' }, INPUT_ARG],
  options: {
    ...INPUT_OPTIONS,
    deadline: { meaning: 'How long the turn may take.', placeholder: 'DURATION', default: '60s' },
    'task-id': { meaning: 'Name the task, for safe repeats: letters, digits, - and _.', placeholder: 'ID' },
    raw: { meaning: 'The input is an input also when it looks like an event.' },
  },
  reach: 'client',
  examples: [
    { line: "troupe ask support/john 'My name is John'", meaning: 'Text as input; prints what the turn replied.' },
    {
      line: `troupe ask order/42 '{"type":"placed"}' --deadline 5s`,
      meaning: 'An event of the machine, with a deadline.',
    },
    {
      line: 'troupe ask support/john - --json < question.txt',
      meaning: 'Input from stdin, answer as {"actor","taskId","output"}.',
    },
  ],
  async run(context) {
    const address = context.address();
    const input = await readInput(context, 1);
    const deadlineMs = durationOf(context, 'deadline');
    const taskId = context.text('task-id') ?? `cli-${crypto.randomUUID()}`;
    const troupe = await context.client();
    const asked = troupe
      .actor(address.type, address.key)
      .ask(input, { deadlineMs, taskId, raw: context.has('raw'), signal: context.io.signal });
    const output = await withProgress(context.io, context.out, `waiting for ${formatAddress(address)}`, asked);
    context.out.answer({ actor: formatAddress(address), taskId, output }, showValue(output));
    return undefined;
  },
};
