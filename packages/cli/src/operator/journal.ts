/** The journal, opened with the project's definitions where there are any. */
import type { OpenedJournal } from '@troupe/agent';
import type { CommandContext } from '../context.ts';

/** For entries alone; states need `openStates`. */
export async function openEntries(context: CommandContext): Promise<OpenedJournal> {
  const { ports } = await context.operator();
  const { loaded } = await context.project();
  const { openJournal } = await import('@troupe/agent');
  return openJournal({ ports, actors: loaded?.config.actors ?? [] });
}

/** For states too. @throws TroupeError `ConfigInvalid` without a config file. */
export async function openStates(context: CommandContext, what: string): Promise<OpenedJournal> {
  await context.requireConfig(what);
  return openEntries(context);
}
