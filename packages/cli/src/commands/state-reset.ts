import type { Command } from '../command.ts';
import { applyEntry, describeApplied, operatorName } from '../operator/apply-entry.ts';

export const stateReset: Command = {
  name: 'state reset',
  summary: 'Take an actor back to its beginning.',
  description:
    'A journal entry like any other: what was there before stays in the history, an open turn ends with Cancelled, running effects are cancelled, task ids stay remembered.',
  args: [{ name: 'ADDRESS', meaning: 'Which actor: <type>/<key>.' }],
  options: {},
  reach: 'operator',
  examples: [{ line: 'troupe state reset support/john', meaning: 'The next task finds a new machine.' }],
  async run(context) {
    const address = context.address();
    const open = await context.operator();
    const applied = await applyEntry(context, open, address, { kind: 'reset', by: operatorName() });
    context.out.answer(applied, describeApplied('reset', applied));
    return undefined;
  },
};
