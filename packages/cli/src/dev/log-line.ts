/** A worker's JSON log line, for people. */
import { printable, showShort } from '../output/format.ts';
import type { Colour, Style } from '../output/style.ts';

const LEVELS: Readonly<Record<string, Colour>> = { debug: 'dim', info: 'dim', warn: 'yellow', error: 'red' };
/** Fields that would only repeat what stands there, or don't help. */
const HIDDEN = new Set(['level', 'time', 'msg', 'component', 'worker', 'error']);

/** The line as it is shown; what is no JSON is shown as it is. */
export function showLogLine(line: string, style: Style): string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return printable(line);
  }
  if (typeof fields !== 'object' || fields === null || typeof fields.msg !== 'string') return printable(line);
  const level = String(fields.level);
  const rest = Object.entries(fields).filter(([name]) => !HIDDEN.has(name));
  const more = rest.map(([name, value]) => `${name}=${showShort(value, 60)}`).join(' ');
  const stack = level === 'error' ? stackOf(fields.error) : '';
  const message = style(LEVELS[level] ?? 'dim', `${level === 'info' ? '' : `${level}: `}${printable(fields.msg)}`);
  return `${message}${more === '' ? '' : `  ${style('dim', more)}`}${stack}`;
}

/** Where in the user's own code it happened. */
function stackOf(error: unknown): string {
  const { cause, stack } = (error ?? {}) as { cause?: { stack?: string }; stack?: string };
  const text = cause?.stack ?? stack ?? '';
  const lines = text.split('\n').filter((line) => line.includes('file:') || line.startsWith('    at '));
  return lines
    .slice(0, 3)
    .map((line) => `\n    ${printable(line.trim())}`)
    .join('');
}
