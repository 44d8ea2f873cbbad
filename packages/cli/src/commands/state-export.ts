import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatAddress, TroupeError } from '@troupe/wire';
import type { Command } from '../command.ts';
import { openStates } from '../operator/journal.ts';
import { jsonLine } from '../output/format.ts';
import { toDocument } from '../state-document.ts';

export const stateExport: Command = {
  name: 'state export',
  summary: "Write an actor's whole state to stdout or a file, for state import.",
  description:
    'The journal is read and folded here, by the definitions of troupe.config.ts; no worker need run. The document is JSON also without --json.',
  args: [{ name: 'ADDRESS', meaning: 'Which actor: <type>/<key>.' }],
  options: {
    at: { meaning: 'As of this journal sequence.', placeholder: 'SEQ' },
    out: { meaning: 'Write to this file.', placeholder: 'FILE', short: 'o', default: 'stdout' },
  },
  reach: 'operator',
  examples: [
    {
      line: 'troupe state export support/john -o john.json',
      meaning: 'Everything: machine, timers, open turn, remembered task ids.',
    },
    {
      line: 'troupe state export order/42 --at 1017 | troupe state import order/try -',
      meaning: 'A copy of an earlier state, under another key.',
    },
  ],
  async run(context) {
    const address = context.address();
    const atSeq = context.whole('at');
    const journal = await openStates(context, 'folding a journal');
    const state = await journal.state(address, atSeq === undefined ? {} : { atSeq });
    if (state === undefined)
      throw new TroupeError('NotFound', `${formatAddress(address)} has no entries.`, { actor: formatAddress(address) });
    const document = `${jsonLine(toDocument(state))}\n`;
    const file = context.text('out');
    if (file === undefined) context.io.stdout.write(document);
    else {
      await writeFile(resolve(context.io.cwd, file), document);
      context.out.answer(
        { actor: formatAddress(address), seq: state.seq, file },
        `${formatAddress(address)} as of entry ${state.seq} is in ${file}`,
      );
    }
    return undefined;
  },
};
