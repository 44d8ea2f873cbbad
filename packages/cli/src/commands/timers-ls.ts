import { formatAddress } from '@troupe/wire';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { showDistance, showTime, table } from '../output/format.ts';

interface Timer {
  readonly id: string;
  readonly dueAt: number;
  readonly event: string;
}

export const timersLs: Command = {
  name: 'timers ls',
  summary: 'List what will fire: all durable wake-ups, or the timers of one actor.',
  description:
    'Without ADDRESS the wake-ups that the server keeps are listed, the next of each actor; waits under a second are kept by the owner alone. With ADDRESS its owner lists every timer with its id.',
  args: [{ name: 'ADDRESS', meaning: 'Which actor: <type>/<key>.', optional: true }],
  options: {},
  reach: 'operator',
  examples: [
    { line: 'troupe timers ls', meaning: 'Which actor wakes up when.' },
    { line: 'troupe timers ls order/42', meaning: 'Every timer of one actor, with the id that timers cancel takes.' },
  ],
  async run(context) {
    await (context.args.length === 0 ? listWakeUps(context) : listTimers(context));
    return undefined;
  },
};

async function listWakeUps(context: CommandContext): Promise<void> {
  const { out } = context;
  const { ports } = await context.operator();
  const found: { actor: string; dueAt: number }[] = [];
  for await (const { address, dueAt } of ports.ticks.list({})) found.push({ actor: formatAddress(address), dueAt });
  found.sort((a, b) => a.dueAt - b.dueAt);
  if (out.json) for (const one of found) out.answer(one);
  else if (found.length === 0) out.note('Nothing waits.');
  else
    out.answer(
      found,
      table(
        ['ACTOR', 'WAKES', 'AT'],
        found.map(({ actor, dueAt }) => [actor, showDistance(dueAt - Date.now()), showTime(dueAt)]),
      ),
    );
}

async function listTimers(context: CommandContext): Promise<void> {
  const { out } = context;
  const timers = await timersOf(context);
  if (out.json) for (const one of timers) out.answer(one);
  else if (timers.length === 0) out.note('Nothing waits.');
  else
    out.answer(
      timers,
      table(
        ['ID', 'EVENT', 'FIRES', 'AT'],
        timers.map(({ id, event, dueAt }) => [id, event, showDistance(dueAt - Date.now()), showTime(dueAt)]),
      ),
    );
}

/** The timers of the actor in the first argument, as its owner tells. */
export async function timersOf(context: CommandContext): Promise<readonly Timer[]> {
  const { type, key } = context.address();
  const troupe = await context.client();
  const { timers } = await troupe.actor(type, key).snapshot({ signal: context.io.signal });
  return timers.map(({ id, dueAt, event }) => ({ id, dueAt, event: String(event) }));
}
