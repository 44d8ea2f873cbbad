import { formatAddress, TroupeError } from '@troupe/wire';
import type { Command } from '../command.ts';
import { applyEntry, describeApplied, operatorName } from '../operator/apply-entry.ts';
import { timersOf } from './timers-ls.ts';

export const timersCancel: Command = {
  name: 'timers cancel',
  summary: 'Cancel a timer of an actor: its event will never come.',
  args: [
    { name: 'ADDRESS', meaning: 'Which actor: <type>/<key>.' },
    { name: 'ID', meaning: 'As shown by timers ls.' },
  ],
  options: {},
  reach: 'operator',
  examples: [{ line: 'troupe timers cancel order/42 17.0', meaning: 'The timer that entry 17 set.' }],
  async run(context) {
    const address = context.address();
    const timerId = context.args[1]!;
    const known = (await timersOf(context)).map(({ id }) => id);
    if (!known.includes(timerId)) {
      throw new TroupeError(
        'NotFound',
        `${formatAddress(address)} has no timer ${JSON.stringify(timerId)}. It has: ${known.join(', ') || 'none'}.`,
        { actor: formatAddress(address), details: { known } },
      );
    }
    const open = await context.operator();
    const applied = await applyEntry(context, open, address, { kind: 'cancel-timer', timerId, by: operatorName() });
    context.out.answer({ ...applied, timerId }, describeApplied(`freed of timer ${timerId}`, applied));
    return undefined;
  },
};
