import type { Command } from '../command.ts';
import { INPUT_OPTIONS, readText } from '../input.ts';
import { applyEntry, describeApplied, operatorName } from '../operator/apply-entry.ts';
import { fromDocument } from '../state-document.ts';

export const stateImport: Command = {
  name: 'state import',
  summary: "Replace an actor's whole state by an exported one.",
  description:
    'A journal entry like any other: what was there before stays in the history, an open turn ends with Cancelled, running effects are cancelled, task ids stay remembered.',
  args: [
    {
      name: 'ADDRESS',
      meaning: 'Which actor: <type>/<key>; the key may differ from the document, the type if it was renamed.',
    },
    { name: 'DOCUMENT', meaning: '- reads what state export wrote from stdin.', optional: true },
  ],
  options: INPUT_OPTIONS,
  reach: 'operator',
  examples: [{ line: 'troupe state import support/john --file john.json', meaning: 'Back to what was exported.' }],
  async run(context) {
    const address = context.address();
    const { loaded } = await context.project();
    const state = fromDocument(await readText(context, 1, 'DOCUMENT'), address, loaded?.config.renamed);
    const open = await context.operator();
    const applied = await applyEntry(context, open, address, { kind: 'import', by: operatorName(), state });
    context.out.answer(applied, describeApplied('replaced', applied));
    return undefined;
  },
};
