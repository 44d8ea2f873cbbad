import type { Command } from '../command.ts';
import { findLetter, seqOf } from '../operator/dead-letters.ts';

export const deadDrop: Command = {
  name: 'dead drop',
  summary: 'Remove dead letters for good.',
  args: [{ name: 'SEQ', meaning: 'Sequences, as shown by dead ls.', rest: true }],
  options: {},
  reach: 'operator',
  examples: [{ line: 'troupe dead drop 17 18', meaning: 'Two letters.' }],
  async run(context) {
    const seqs = context.args.map(seqOf);
    const open = await context.operator();
    for (const seq of seqs) {
      await findLetter(open, seq);
      await open.ports.deadLetters.remove(seq);
      context.out.answer({ deadSeq: seq, dropped: true }, `${seq}: dropped`);
    }
    return undefined;
  },
};
