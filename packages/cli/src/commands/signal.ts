import { formatAddress } from '@troupe/wire';
import type { Command } from '../command.ts';
import { INPUT_OPTIONS, readEvent } from '../input.ts';

export const signal: Command = {
  name: 'signal',
  summary: 'Send an event that is applied at once, also while a turn is open.',
  args: [
    { name: 'ADDRESS', meaning: 'Which actor: <type>/<key>.' },
    {
      name: 'EVENT',
      meaning: 'A JSON object with a string "type", or just the type; - reads it from stdin.',
      optional: true,
    },
    { name: 'FIELDS', meaning: 'Its other fields as a JSON object.', optional: true },
  ],
  options: {
    ...INPUT_OPTIONS,
    'task-id': { meaning: 'Name the signal, for safe repeats: letters, digits, - and _.', placeholder: 'ID' },
  },
  reach: 'client',
  examples: [
    { line: 'troupe signal order/42 approve', meaning: 'The event {"type":"approve"}.' },
    { line: `troupe signal order/42 approve '{"by":"ann"}'`, meaning: 'The event {"type":"approve","by":"ann"}.' },
  ],
  async run(context) {
    const address = context.address();
    const event = await readEvent(context, 1);
    const troupe = await context.client();
    const options = { taskId: context.text('task-id'), signal: context.io.signal };
    const { seq, taskId } = await troupe.actor(address.type, address.key).signal(event, options);
    context.out.answer({ actor: formatAddress(address), seq, taskId }, `accepted as entry ${seq}`);
    return undefined;
  },
};
