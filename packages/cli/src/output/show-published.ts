/** What an actor published, on one line. */
import type { Published } from '../operator/published.ts';
import { printable, showLine, showShort } from './format.ts';
import type { Style } from './style.ts';

export function showPublished(what: Published, style: Style): string {
  const actor = style('bold', printable(what.actor));
  if (what.kind === 'event') return `${actor}  ${style('cyan', 'emitted')}  ${showShort(what.event)}`;
  const { outcome } = what;
  const text = outcome.ok
    ? style('green', showShort(outcome.value))
    : style('red', `${outcome.error.code}: ${showLine(outcome.error.message)}`);
  return `${actor}  ${style('dim', printable(what.taskId))}  ${text}`;
}
