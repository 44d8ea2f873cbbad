import { formatAddress, TroupeError } from '@troupe/wire';
import type { Command } from '../command.ts';
import { type MadeFork, makeFork, openStates, planFork, RUN_EFFECTS } from '../operator/history.ts';
import { usageError } from '../usage-error.ts';

export const fork: Command = {
  name: 'fork',
  summary: 'Begin another actor from an earlier state of this one.',
  description:
    'The state after entry SEQ, folded from the journal, becomes the beginning of a new actor of the same type; the original stays as it is. What had five minutes left has five minutes left in the fork. It answers nobody who waits for the original, and asks that were under way end by their timeouts. What the context says of keys and addresses is copied as it is.',
  args: [{ name: 'ADDRESS', meaning: 'Which actor: <type>/<key>.' }],
  options: {
    seq: { meaning: 'As of this journal sequence, or of the last entry before it.', placeholder: 'SEQ' },
    to: { meaning: 'Key of the new actor; there must be none yet.', placeholder: 'KEY' },
    ...RUN_EFFECTS,
  },
  reach: 'operator',
  examples: [
    { line: 'troupe fork order/42 --seq 1017 --to 42-try', meaning: 'order/42-try goes on from there.' },
    { line: 'troupe fork order/42 --seq 1017 --to 42-try --run-effects', meaning: 'Also what was running then.' },
  ],
  async run(context) {
    const from = context.address();
    const seq = context.whole('seq');
    const key = context.text('to');
    if (seq === undefined || key === undefined)
      throw usageError('fork needs --seq and --to: the sequence to begin from, and the key of the new actor.');
    const history = await openStates(context, 'fork');
    const planned = await planFork(context, history, from, { type: from.type, key }, seq);
    if (planned === undefined) {
      const actor = formatAddress(from);
      throw new TroupeError('NotFound', `${actor} has no entries up to ${seq}.`, { actor });
    }
    const made = await makeFork(context, planned);
    context.out.answer(made, describeFork(made));
    return undefined;
  },
};

/** `order/42-try is order/42 as of entry 1017` and what there is to know. */
export function describeFork({ actor, from, fromSeq, applied, effects, asks }: MadeFork): string {
  const parts = [`${actor} is ${from} as of entry ${fromSeq}`];
  if (!applied) parts.push('takes effect once a worker runs');
  if (effects.length > 0) parts.push(`runs again: ${effects.join(', ')}`);
  if (asks.length > 0) parts.push(`waits until timeout for: ${asks.join(', ')}`);
  return parts.join('; ');
}
