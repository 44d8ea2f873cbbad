import { setTimeout as sleep } from 'node:timers/promises';
import { nearest } from '@troupe/agent/internal';
import type { OpenPorts } from '@troupe/service-worker';
import { TroupeError } from '@troupe/wire';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { durationOf } from '../durations.ts';
import { readLeases, readOwned, requestDrain } from '../operator/workers.ts';
import { usageError } from '../usage-error.ts';

/** How long to wait for the end, ms: the drain's own default deadline, with room. */
const WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 200;

export const drain: Command = {
  name: 'drain',
  summary: 'Let workers give everything back and end.',
  description:
    'A worker stops taking entries, lets effects end, stores snapshots, hands its partitions to the others and ends with 0; a parent of --processes does not start it again. Waits until that is done. What starts workers on its own (a container, a service) may start a new one.',
  args: [{ name: 'WORKER', meaning: 'Ids, as troupe workers lists them.', optional: true, rest: true }],
  options: {
    all: { meaning: 'Every worker there is, at once: then nobody answers any more.' },
    within: { meaning: 'How long to wait.', placeholder: 'DURATION', default: '30s' },
  },
  reach: 'operator',
  examples: [
    { line: 'troupe drain w-6232d7e6-1', meaning: 'Before its machine goes away.' },
    { line: 'troupe drain --all --json', meaning: 'One object a worker: {"worker","drained","tookMs"}.' },
  ],
  exitCodes: {
    0: 'All of them are drained.',
    4: 'A worker does not answer, or did not end in time; what it holds is taken over once it is gone.',
  },
  async run(context) {
    const open = await context.operator();
    const ids = await chosen(context, open);
    if (ids.length === 0) context.out.note('No worker is alive.');
    const withinMs = durationOf(context, 'within') ?? WITHIN_MS;
    const results = await Promise.all(ids.map((id) => drainOne(context, open, id, withinMs)));
    const late = results.filter((result) => result !== undefined);
    if (late.length > 0) throw new TroupeError('Timeout', late.join(' '));
    return undefined;
  },
};

/** @throws TroupeError `Usage`, `NotFound` with the nearest id. */
async function chosen(context: CommandContext, open: OpenPorts): Promise<string[]> {
  const { args } = context;
  const all = context.has('all');
  if (all === args.length > 0)
    throw usageError('Name the workers to drain, or write --all. troupe workers lists them.');
  const ids = (await readLeases(open)).map(({ id }) => id);
  if (all) return ids;
  const unknown = args.find((id) => !ids.includes(id));
  if (unknown === undefined) return [...new Set(args)];
  const guess = nearest(unknown, ids);
  throw new TroupeError(
    'NotFound',
    `There is no worker ${JSON.stringify(unknown)}. ${guess === undefined ? 'troupe workers lists those that there are.' : `Did you mean ${guess}?`}`,
  );
}

/** @returns what went wrong; undefined when it is drained. */
async function drainOne(
  context: CommandContext,
  open: OpenPorts,
  worker: string,
  withinMs: number,
): Promise<string | undefined> {
  const startedAt = performance.now();
  if (!(await requestDrain(open, worker)))
    return `Worker ${worker} does not answer: it is frozen, cut off or gone, and the others take over what it held.`;
  let shown: number | undefined;
  while (performance.now() - startedAt < withinMs) {
    if (context.io.signal.aborted) throw new Error('interrupted');
    if ((await open.ports.records.get(`worker.${worker}`)) === undefined) {
      const tookMs = Math.round(performance.now() - startedAt);
      context.out.answer({ worker, drained: true, tookMs }, `${worker} is drained (${tookMs} ms)`);
      return undefined;
    }
    const left = (await readOwned(open, worker))?.length;
    if (left !== undefined && left !== shown) context.out.note(`${worker}: ${left} partitions to give back`);
    shown = left ?? shown;
    await sleep(LOOK_EVERY_MS);
  }
  return `Worker ${worker} was not drained within ${withinMs} ms; it goes on draining. See troupe workers.`;
}
