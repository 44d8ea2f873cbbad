import type { Check } from '../check.ts';
import { ok, problem, warning } from '../finding.ts';
import { someOf } from '../names.ts';

export const owners: Check = {
  name: 'owners',
  looksAt: 'that every partition has an owner that serves it',
  async run(look) {
    const views = await look.partitions();
    const without = views.filter(({ state }) => state === 'unowned' || state === 'orphaned' || state === 'silent');
    if (without.length > 0) {
      const told = without.map(({ partition, state }) => `${partition} ${state}`);
      return problem(
        'owners',
        `${without.length} of ${views.length} partitions have no owner that answers (${someOf(told)}): their actors stand still. If this lasts longer than a lease (15 s), look at the workers' logs.`,
        'troupe partitions',
      );
    }
    const moving = views.filter(({ state }) => state !== 'live');
    if (moving.length === 0) return ok('owners', `all ${views.length} partitions are owned and live`);
    const told = moving.map(({ partition, state }) => `${partition} ${state}`);
    return warning(
      'owners',
      `${moving.length} of ${views.length} partitions are on their way to an owner (${someOf(told)}): look again in a few seconds.`,
      'troupe partitions',
    );
  },
};
