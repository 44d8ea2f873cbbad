import type { Command } from '../command.ts';
import { findLetter, letterView, seqOf } from '../operator/dead-letters.ts';

export const deadShow: Command = {
  name: 'dead show',
  summary: 'Show a dead letter: reason, headers, payload.',
  args: [{ name: 'SEQ', meaning: 'Its sequence, as shown by dead ls.' }],
  options: {},
  reach: 'operator',
  examples: [{ line: 'troupe dead show 17', meaning: 'All that is known of it.' }],
  async run(context) {
    const seq = seqOf(context.args[0]!);
    const letter = await findLetter(await context.operator(), seq);
    context.out.answer(letterView(letter));
    return undefined;
  },
};
