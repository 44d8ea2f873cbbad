import { showLength } from '../../output/format.ts';
import type { Check } from '../check.ts';
import { ok, unknown, warning } from '../finding.ts';
import { someOf } from '../names.ts';

export const turns: Check = {
  name: 'turns',
  looksAt: 'turns that are open for too long',
  async run(look) {
    if ((await look.answering()).length === 0)
      return unknown('turns', 'no worker answers, so open turns can not be seen.', 'troupe workers');
    const now = Date.now();
    const open = (await look.residents())
      .flatMap(({ actor, turnSince }) => (turnSince === undefined ? [] : [{ actor, ms: now - turnSince }]))
      .sort((a, b) => b.ms - a.ms);
    const stuck = open.filter(({ ms }) => ms > look.limits.turnMaxMs);
    const [oldest] = stuck;
    if (oldest === undefined)
      return ok('turns', `${open.length} open, none for longer than ${showLength(look.limits.turnMaxMs)}`);
    const told = stuck.map(({ actor, ms }) => `${actor} for ${showLength(ms)}`);
    return warning(
      'turns',
      `${stuck.length} of ${open.length} open turns do not end: ${someOf(told)}. What they wait for stands under effects; their deadlines end them.`,
      `troupe state show ${oldest.actor}`,
    );
  },
};
