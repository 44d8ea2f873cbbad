import { deadLetterInput } from '@troupe/wire';
import type { Command } from '../command.ts';
import { applyEntry, describeApplied } from '../operator/apply-entry.ts';
import { findLetter, seqOf } from '../operator/dead-letters.ts';

export const deadRedrive: Command = {
  name: 'dead redrive',
  summary: 'Apply dead letters again, once what stopped them is repaired.',
  description:
    'Each becomes a journal entry that its actor accepts once per letter, however often this is run. A letter that fails again becomes a new one.',
  args: [{ name: 'SEQ', meaning: 'Sequences, as shown by dead ls.', rest: true }],
  options: {},
  reach: 'operator',
  examples: [
    { line: 'troupe dead redrive 17', meaning: 'One letter.' },
    { line: 'troupe dead redrive $(troupe dead ls order --json | jq .seq)', meaning: 'All letters of a type.' },
  ],
  async run(context) {
    const seqs = context.args.map(seqOf);
    const open = await context.operator();
    for (const seq of seqs) {
      const letter = await findLetter(open, seq);
      const redrive = { kind: 'redrive', deadSeq: seq, entry: deadLetterInput(letter) } as const;
      // Stored is enough: the actor accepts it once, and what fails again becomes a letter of its own.
      const applied = await applyEntry(context, open, letter.address, redrive, () =>
        open.ports.deadLetters.remove(seq),
      );
      context.out.answer({ ...applied, deadSeq: seq }, `${seq}: ${describeApplied('given it again', applied)}`);
    }
    return undefined;
  },
};
