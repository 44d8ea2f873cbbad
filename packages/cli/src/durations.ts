/** Durations in flags. */
import { parseDuration } from '@troupe/wire';
import type { CommandContext } from './context.ts';
import { usageError } from './usage-error.ts';

/** The duration of a flag such as `5s` or `250ms`, in ms. @throws TroupeError `Usage` */
export function durationOf(context: CommandContext, flag: string): number | undefined {
  const text = context.text(flag);
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw usageError(`--${flag} is ${JSON.stringify(text)}: write a duration such as 250ms, 5s, 10m, 1h or 7d.`);
}
