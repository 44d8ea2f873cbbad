import { showBytes } from '../../output/format.ts';
import type { Check } from '../check.ts';
import { ok, unknown, warning } from '../finding.ts';
import { someOf } from '../names.ts';

const MIB = 1_048_576;

export const memory: Check = {
  name: 'memory',
  looksAt: "memory of the workers' processes",
  async run(look) {
    const told = (await look.answering()).flatMap(({ lease, stats }) => {
      const bytes = stats.about?.rssBytes;
      return bytes === undefined ? [] : [{ id: lease.id, bytes }];
    });
    if (told.length === 0) return unknown('memory', 'no worker tells of its memory.', 'troupe workers');
    const max = look.limits.memoryMaxMib * MIB;
    const large = told.filter(({ bytes }) => bytes > max);
    const [first] = large;
    if (first === undefined) {
      const most = Math.max(...told.map(({ bytes }) => bytes));
      return ok('memory', `at most ${showBytes(most)} of ${told.length} processes`);
    }
    return warning(
      'memory',
      `above ${showBytes(max)}: ${someOf(large.map(({ id, bytes }) => `${id} takes ${showBytes(bytes)}`))}. See what grows.`,
      `troupe profile heap ${first.id}`,
    );
  },
};
