import type { Check } from '../check.ts';
import { ok, unknown, warning } from '../finding.ts';
import { someOf } from '../names.ts';

export const eventLoop: Check = {
  name: 'event-loop',
  looksAt: 'whether steps or effects keep the threads of workers busy',
  async run(look) {
    const told = (await look.answering()).flatMap(({ lease, stats }) => {
      const delay = stats.about?.loopDelay;
      return delay === undefined ? [] : [{ id: lease.id, ...delay }];
    });
    if (told.length === 0) return unknown('event-loop', 'no worker tells of its event loop.', 'troupe workers');
    const late = told.filter(({ p99Ms }) => p99Ms > look.limits.delayMaxMs);
    const [first] = late;
    if (first === undefined)
      return ok('event-loop', `timers at most ${Math.max(...told.map(({ p99Ms }) => p99Ms))} ms late (p99 of 10 s)`);
    return warning(
      'event-loop',
      `timers are late: ${someOf(late.map(({ id, p99Ms }) => `${id} by ${p99Ms} ms`))} (p99 of 10 s). Something computes for long; see what.`,
      `troupe profile run ${first.id} --seconds 10`,
    );
  },
};
