import type { EntryRange } from '@troupe/agent';
import { formatAddress, TroupeError } from '@troupe/wire';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { openEntries, openStates } from '../operator/journal.ts';
import { showShort } from '../output/format.ts';
import { showEntry } from '../output/show-entry.ts';
import { ofJournal } from './state-show.ts';

export const history: Command = {
  name: 'history',
  summary: "Show the entries of an actor's journal.",
  description:
    'Reads the stream itself: no worker need run. With --states each entry is followed by the state after it, folded here by the definitions of troupe.config.ts. Entries are kept as long as the definition says (history.keepForMs, 24 h).',
  args: [{ name: 'ADDRESS', meaning: 'Which actor: <type>/<key>.' }],
  options: {
    last: { meaning: 'Only the last so many.', placeholder: 'COUNT', short: 'n' },
    from: { meaning: 'From this sequence on.', placeholder: 'SEQ' },
    to: { meaning: 'Up to this sequence.', placeholder: 'SEQ' },
    states: { meaning: 'With the state after each entry.' },
  },
  reach: 'operator',
  examples: [
    { line: 'troupe history support/john -n 20', meaning: 'The last twenty entries.' },
    { line: 'troupe history order/42 --states', meaning: 'What each entry did.' },
  ],
  async run(context) {
    const [fromSeq, toSeq, last] = [context.whole('from'), context.whole('to'), context.whole('last')];
    const range: EntryRange = {
      ...(fromSeq === undefined ? {} : { fromSeq }),
      ...(toSeq === undefined ? {} : { toSeq }),
      ...(last === undefined ? {} : { last }),
    };
    const shown = context.has('states') ? await showStates(context, range) : await showEntries(context, range);
    if (shown > 0) return undefined;
    const actor = formatAddress(context.address());
    throw new TroupeError(
      'NotFound',
      `${actor} has no entries${Object.keys(range).length > 0 ? ' there' : ''}. Those older than its definition keeps are purged; state show tells what it is now.`,
      { actor },
    );
  },
};

async function showEntries(context: CommandContext, range: EntryRange): Promise<number> {
  const { out } = context;
  const journal = await openEntries(context);
  let shown = 0;
  for await (const entry of journal.entries(context.address(), range)) {
    out.answer({ seq: entry.seq, at: entry.at, ...entry.body }, showEntry(entry, out.style));
    shown++;
  }
  return shown;
}

async function showStates(context: CommandContext, range: EntryRange): Promise<number> {
  const { out } = context;
  const journal = await openStates(context, 'history --states');
  const steps = await journal.steps(context.address(), range);
  for (const { entry, state, effects } of steps) {
    const did = [...new Set(effects.map(({ kind }) => kind))].join(', ');
    const after = `${' '.repeat(10)}${out.style('bold', showShort(state.value, 40))}  ${showShort(state.context, 100)}${did === '' ? '' : `  ${out.style('dim', did)}`}`;
    out.answer(
      {
        entry: { seq: entry.seq, at: entry.at, ...entry.body },
        state: ofJournal(state),
        effects: effects.map(({ kind, id }) => ({ kind, id })),
      },
      `${showEntry(entry, out.style)}\n${after}`,
    );
  }
  return steps.length;
}
