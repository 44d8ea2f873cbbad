import type { Command } from '../command.ts';
import { showState } from '../output/show-state.ts';
import { usageError } from '../usage-error.ts';
import { readOffline } from './state-show.ts';

export const stateAt: Command = {
  name: 'state at',
  summary: "Show an actor's state as it was after one entry.",
  description:
    'Time travel: the journal is read and folded here, by the definitions of troupe.config.ts; no worker need run. Exact as long as entries are kept (history.keepForMs, 24 h) and for the last ten snapshots; beyond, it says so.',
  args: [{ name: 'ADDRESS', meaning: 'Which actor: <type>/<key>.' }],
  options: { seq: { meaning: 'As of this journal sequence, or of the last entry before it.', placeholder: 'SEQ' } },
  reach: 'operator',
  examples: [
    { line: 'troupe state at order/42 --seq 1017', meaning: 'As it was after entry 1017.' },
    { line: 'troupe state at order/42 --seq 1017 --json | jq .context', meaning: 'For programs.' },
  ],
  async run(context) {
    const seq = context.whole('seq');
    if (seq === undefined) throw usageError('state at needs --seq: take a sequence from troupe history.');
    const state = await readOffline(context, seq);
    context.out.answer(state, showState(state, context.out.style, Date.now()));
    return undefined;
  },
};
