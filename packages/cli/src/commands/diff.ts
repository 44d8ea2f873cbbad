import type { Change } from '@troupe/inspect';
import { formatAddress, TroupeError } from '@troupe/wire';
import type { Command } from '../command.ts';
import { openStates } from '../operator/history.ts';
import { printable, showShort } from '../output/format.ts';
import type { Style } from '../output/style.ts';
import { usageError } from '../usage-error.ts';

export const diff: Command = {
  name: 'diff',
  summary: 'Show what changed in an actor between two entries.',
  description:
    'Both states are folded here from the journal, by the definitions of troupe.config.ts; no worker need run. Value, context, turn, timers, effects and children are compared, without sequence and time. At most 1,000 changes are listed.',
  args: [{ name: 'ADDRESS', meaning: 'Which actor: <type>/<key>.' }],
  options: {
    from: { meaning: 'The earlier sequence.', placeholder: 'SEQ' },
    to: { meaning: 'The later sequence.', placeholder: 'SEQ', default: 'the newest' },
  },
  reach: 'operator',
  examples: [
    { line: 'troupe diff order/42 --from 1016 --to 1017', meaning: 'What entry 1017 changed.' },
    { line: 'troupe diff order/42 --from 1016', meaning: 'What has changed since.' },
  ],
  async run(context) {
    const address = context.address();
    const fromSeq = context.whole('from');
    if (fromSeq === undefined) throw usageError('diff needs --from: take a sequence from troupe history.');
    const line = (await openStates(context, 'diff')).of(address);
    const actor = formatAddress(address);
    const toSeq = context.whole('to') ?? (await line.actorState())?.seq;
    if (toSeq === undefined) throw new TroupeError('NotFound', `${actor} has no entries.`, { actor });
    const changes = await line.diff(fromSeq, toSeq);
    const text = changes.map((change) => showChange(change, context.out.style)).join('\n');
    context.out.answer({ actor, from: fromSeq, to: toSeq, changes }, text === '' ? 'no difference' : text);
    return undefined;
  },
};

/** `~ context.items[2].price  3 -> 4` */
export function showChange({ path, kind, before, after }: Change, style: Style): string {
  const where = printable(showPath(path));
  if (kind === 'added') return style('green', `+ ${where}  ${showShort(after)}`);
  if (kind === 'removed') return style('red', `- ${where}  ${showShort(before)}`);
  return `${style('yellow', '~')} ${where}  ${showShort(before)} -> ${showShort(after)}`;
}

function showPath(path: Change['path']): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  return text.startsWith('.') ? text.slice(1) : text;
}
