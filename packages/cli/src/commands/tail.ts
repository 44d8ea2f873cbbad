import { setTimeout as sleep } from 'node:timers/promises';
import { assertType, parseAddress } from '@troupe/wire';
import type { Command } from '../command.ts';
import { durationOf } from '../durations.ts';
import { listenToPublished, type PublishedFilter } from '../operator/published.ts';
import { showPublished } from '../output/show-published.ts';

export const tail: Command = {
  name: 'tail',
  summary: 'Show outcomes and emitted events as they happen.',
  description: 'From now on, at least once each; nothing is kept for a reader who comes later. Ends with Ctrl-C.',
  args: [{ name: 'WHICH', meaning: 'An address, or a type. Default: all actors.', optional: true }],
  options: {
    count: { meaning: 'End after so many.', placeholder: 'COUNT' },
    for: { meaning: 'End after this time.', placeholder: 'DURATION' },
  },
  reach: 'operator',
  examples: [
    { line: 'troupe tail', meaning: 'Everything that anybody publishes.' },
    { line: 'troupe tail support/john --json', meaning: 'One actor, one JSON object a line.' },
  ],
  async run(context) {
    const { out, io } = context;
    const [which] = context.args;
    const filter = filterOf(which);
    const count = context.whole('count') ?? Number.POSITIVE_INFINITY;
    const forMs = durationOf(context, 'for');
    const open = await context.operator();
    const enough = new AbortController();
    let seen = 0;
    listenToPublished(open, filter, (what) => {
      if (seen >= count) return;
      out.answer(what, showPublished(what, out.style));
      if (++seen >= count) enough.abort();
    });
    out.note(`Listening to ${which ?? 'all actors'}; Ctrl-C ends.`);
    // Without a limit the longest that a timer takes, again and again.
    const signal = AbortSignal.any([io.signal, enough.signal]);
    do await sleep(forMs ?? 2 ** 31 - 1, undefined, { signal }).catch(() => undefined);
    while (forMs === undefined && !signal.aborted);
    return undefined;
  },
};

function filterOf(which: string | undefined): PublishedFilter {
  if (which === undefined) return {};
  if (which.includes('/')) return parseAddress(which);
  assertType(which);
  return { type: which };
}
