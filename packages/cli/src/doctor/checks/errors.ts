import type { Check } from '../check.ts';
import { ok, unknown, warning } from '../finding.ts';
import { someOf } from '../names.ts';

/** Fewer turns of a type say nothing. */
const TURNS_MIN = 100;

export const errors: Check = {
  name: 'errors',
  looksAt: 'the share of turns that fail, by type',
  async run(look) {
    const workers = await look.answering();
    if (workers.length === 0) return unknown('errors', 'no worker answers.', 'troupe workers');
    const byType = new Map<string, { turns: number; failed: number }>();
    for (const { stats } of workers)
      for (const [type, { turns, failed }] of Object.entries(stats.turnsByType ?? {})) {
        const sum = byType.get(type) ?? { turns: 0, failed: 0 };
        byType.set(type, { turns: sum.turns + turns, failed: sum.failed + failed });
      }
    const high = [...byType].filter(
      ([, { turns, failed }]) => turns >= TURNS_MIN && (failed / turns) * 100 > look.limits.errorsMaxPercent,
    );
    const [first] = high;
    if (first !== undefined)
      return warning(
        'errors',
        `too many turns fail: ${someOf(high.map(([type, { turns, failed }]) => `${failed} of ${turns} of ${type}`))}. The outcomes say why.`,
        `troupe tail ${first[0]}`,
      );
    const all = [...byType.values()];
    const sum = (of: (one: { turns: number; failed: number }) => number): number =>
      all.reduce((total, one) => total + of(one), 0);
    return ok(
      'errors',
      `${sum(({ failed }) => failed)} of ${sum(({ turns }) => turns)} turns failed since workers started`,
    );
  },
};
