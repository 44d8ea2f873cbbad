import type { DeadLetter } from '@troupe/runtime';
import { formatAddress } from '@troupe/wire';
import type { Command } from '../command.ts';
import { letterFilter, letterView } from '../operator/dead-letters.ts';
import { showLine, showTime, table } from '../output/format.ts';

export const deadLs: Command = {
  name: 'dead ls',
  summary: 'List dead letters: inputs that could not be applied, with the reason.',
  args: [{ name: 'WHICH', meaning: 'An address, or a type. Default: all.', optional: true }],
  options: {},
  reach: 'operator',
  examples: [
    { line: 'troupe dead ls', meaning: 'All of them, oldest first.' },
    { line: 'troupe dead ls order/42 --json', meaning: 'Of one actor, one JSON object a line.' },
  ],
  async run(context) {
    const { out } = context;
    const filter = letterFilter(context.args[0]);
    const { ports } = await context.operator();
    const letters: DeadLetter[] = [];
    for await (const letter of ports.deadLetters.list(filter)) {
      if (out.json) out.answer(letterView(letter));
      else letters.push(letter);
    }
    if (out.json) return undefined;
    if (letters.length === 0) out.note('No dead letters.');
    else out.answer(letters, table(['SEQ', 'ACTOR', 'AT', 'VERB', 'REASON'], letters.map(rowOf)));
    return undefined;
  },
};

function rowOf({ seq, address, at, verb, code, message }: DeadLetter): string[] {
  return [`${seq}`, formatAddress(address), showTime(at), verb, `${code}: ${showLine(message, 100)}`];
}
