import type { ActorSummary } from '@troupe/client';
import type { Command } from '../command.ts';
import { showShort, table } from '../output/format.ts';
import { usageError } from '../usage-error.ts';

/** Rows before one has to ask for more. */
const LIMIT = 1_000;

export const ls: Command = {
  name: 'ls',
  summary: 'List the actors that there are.',
  args: [{ name: 'TYPE', meaning: 'Only actors of this type.', optional: true }],
  options: {
    limit: { meaning: 'At most so many.', placeholder: 'COUNT', default: `${LIMIT}` },
    after: { meaning: 'Only those behind this address.', placeholder: 'ADDRESS' },
  },
  reach: 'client',
  examples: [
    { line: 'troupe ls', meaning: 'All of them; value and status of those that are in memory.' },
    { line: "troupe ls support --json | jq -r '.key'", meaning: 'One JSON object a line.' },
  ],
  async run(context) {
    const [type] = context.args;
    if (type?.includes('/'))
      throw usageError(
        `TYPE is ${JSON.stringify(type)}: write the type alone. One actor's state is shown by troupe state show ${type}.`,
      );
    const limit = context.whole('limit') ?? LIMIT;
    const troupe = await context.client();
    const found: ActorSummary[] = [];
    const page = await troupe.actors({ type, after: context.text('after'), signal: context.io.signal });
    for await (const actor of page) {
      if (found.length >= limit) break;
      found.push(actor);
      if (context.out.json) context.out.answer(actor);
    }
    if (context.out.json) return undefined;
    if (found.length === 0) context.out.note('No actors yet: one begins with the first thing that is sent to it.');
    else context.out.answer(found, table(['ACTOR', 'STATUS', 'VALUE', 'ENTRY'], found.map(rowOf)));
    return undefined;
  },
};

function rowOf({ type, key, status, value, seq }: ActorSummary): string[] {
  return [
    `${type}/${key}`,
    status ?? '-',
    value === undefined ? '-' : showShort(value, 60),
    seq === undefined ? '-' : `${seq}`,
  ];
}
