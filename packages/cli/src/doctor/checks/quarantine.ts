import type { Check } from '../check.ts';
import { ok, unknown, warning } from '../finding.ts';
import { someOf } from '../names.ts';

export const quarantine: Check = {
  name: 'quarantine',
  looksAt: 'entries that were set aside because they ended workers',
  async run(look) {
    const workers = await look.answering();
    if (workers.length === 0) return unknown('quarantine', 'no worker answers.', 'troupe workers');
    const holding = workers.filter(({ stats }) => (stats.quarantined ?? 0) > 0);
    if (holding.length === 0) return ok('quarantine', 'nothing is set aside');
    const count = holding.reduce((sum, { stats }) => sum + (stats.quarantined ?? 0), 0);
    return warning(
      'quarantine',
      `${count} entries were set aside, for they ended workers again and again (partitions of ${someOf(holding.map(({ lease }) => lease.id))}): each has a dead letter; mend the step, then redrive it.`,
      'troupe dead ls',
    );
  },
};
