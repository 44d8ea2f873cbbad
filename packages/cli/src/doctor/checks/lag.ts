/** How far owners are behind what is stored, and what a takeover would have to read. */
import type { Check } from '../check.ts';
import { ok, warning } from '../finding.ts';

/** Measured reading speed of a takeover, entries per second. */
const READ_PER_SECOND = 80_000;

export const lag: Check = {
  name: 'lag',
  looksAt: 'how far owners are behind, and how much a takeover would have to read',
  async run(look) {
    const views = await look.partitions();
    const { lagMax } = look.limits;
    const most = (of: readonly number[]): number => Math.max(0, ...of);
    // Sequences are the stream's, shared by all partitions, so both are upper bounds.
    const behind = most(views.map((view) => view.lag));
    const unread = most(views.map(({ head, mark }) => (head === 0 ? 0 : head + 1 - mark)));
    const text = `owners are at most ${behind} entries behind; a takeover would read at most ${unread}`;
    if (behind > lagMax)
      return warning('lag', `${text}: workers don't keep up, or stand still. Add workers.`, 'troupe partitions');
    if (unread <= lagMax) return ok('lag', text);
    return warning(
      'lag',
      `${text}, which takes up to ${Math.ceil(unread / READ_PER_SECOND)} s: an actor with an old open turn may hold the mark back.`,
      'troupe partitions',
    );
  },
};
