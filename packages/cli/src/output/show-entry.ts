/** A journal entry on one line. */
import { type EntryBody, formatAddress, type JournalEntry } from '@troupe/wire';
import { printable, showLine, showShort, showTime } from './format.ts';
import type { Style } from './style.ts';

export function showEntry({ seq, at, body }: JournalEntry, style: Style): string {
  const colour =
    body.kind === 'task' || body.kind === 'signal' || body.kind === 'ask'
      ? 'cyan'
      : body.kind === 'invalid'
        ? 'red'
        : 'dim';
  return `${String(seq).padStart(8)}  ${style('dim', showTime(at))}  ${style(colour, body.kind.padEnd(8))}  ${describeBody(body)}`;
}

/** What it says, in short. */
export function describeBody(body: EntryBody): string {
  switch (body.kind) {
    case 'task':
    case 'signal':
      return `${body.taskId === undefined ? '' : `${printable(body.taskId)}  `}${showShort(body.payload)}`;
    case 'outcome':
      return `${printable(body.effectId)}  ${body.result.ok ? showShort(body.result.value) : `${body.result.error.code}: ${showLine(body.result.error.message)}`}`;
    case 'stream':
      return `${printable(body.effectId)}  #${body.n}  ${showShort(body.item)}`;
    case 'ask':
      return `from ${printable(formatAddress(body.from))}  ${showShort(body.payload)}`;
    case 'message':
      return `from ${printable(formatAddress(body.from))}  ${showShort(body.event)}`;
    case 'self':
      return `${printable(body.effectId)}  ${showShort(body.event)}`;
    case 'invalid':
      return `${body.error.code}: ${printable(body.error.message)}`;
    case 'version':
      return `${body.version} (${body.hash})`;
    case 'redrive':
      return `of ${body.deadSeq}`;
    case 'claim':
      return `${printable(body.effectId)} by ${printable(body.worker)}`;
    case 'reset':
    case 'import':
      return `by ${printable(body.by)}`;
    case 'cancel-timer':
      return `${printable(body.timerId)} by ${printable(body.by)}`;
    case 'tick':
      return '';
  }
}
