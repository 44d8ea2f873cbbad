import type { Check } from '../check.ts';
import { ok, problem, warning } from '../finding.ts';
import { someOf } from '../names.ts';

export const workers: Check = {
  name: 'workers',
  looksAt: 'that workers are alive, answer, and have fresh leases',
  async run(look) {
    const views = await look.workers();
    if (views.length === 0) return problem('workers', 'none is alive: tasks are accepted and wait.', 'troupe worker');
    const silent = views.filter(({ stats }) => stats === undefined).map(({ lease }) => lease.id);
    if (silent.length > 0)
      return problem(
        'workers',
        `${silent.length} of ${views.length} do not answer though their leases run (${someOf(silent)}): frozen, cut off, in a step that does not end, or killed a moment ago. Look at their logs, and kill what hangs.`,
        'troupe workers',
      );
    const answering = await look.answering();
    const stale = answering.filter(({ stats }) => !stats.fresh && !stats.draining).map(({ lease }) => lease.id);
    if (stale.length > 0)
      return warning(
        'workers',
        `${someOf(stale)} could not renew their leases in time and start no effects until they can: NATS is slow, or has no leader.`,
        'nats server report jetstream',
      );
    const hosted = views.flatMap(({ lease }) =>
      Object.entries(lease.types).map(([type, version]) => `${type} v${version}`),
    );
    return ok('workers', `${views.length} alive, hosting ${[...new Set(hosted)].sort().join(', ') || 'nothing'}`);
  },
};
