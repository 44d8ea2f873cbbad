/** Values, times and tables, as people read them. */
import { toJsonValue } from '@troupe/wire';

/** Control characters other than tab and line feed: a value must not steer the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Text that is safe to show: control characters are spelt out. */
export function printable(text: string): string {
  return text.replace(CONTROL, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** One line of JSON. Dates, maps and the like become what `toJsonValue` says; what can't be shown becomes its name. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(jsonable(value)) ?? 'null';
}

/** A value for people: text as it is, everything else as indented JSON. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return printable(value);
  return printable(JSON.stringify(jsonable(value), null, 2) ?? 'null');
}

/** A value on one line, cut off at `widthMax` characters. */
export function showShort(value: unknown, widthMax = 100): string {
  return showLine(jsonLine(value), widthMax);
}

/** Text on one line, cut off at `widthMax` characters. */
export function showLine(text: string, widthMax = 200): string {
  const line = printable(text).replace(/\s+/g, ' ').trim();
  return line.length > widthMax ? `${line.slice(0, widthMax - 1)}…` : line;
}

/** `2026-01-31 12:00:00.123Z` */
export function showTime(at: number): string {
  return Number.isFinite(at) ? new Date(at).toISOString().replace('T', ' ') : '-';
}

/** `in 3 h`, `2 min ago`; the nearest unit is enough for people. */
export function showDistance(ms: number): string {
  const text = showLength(Math.abs(ms));
  return ms >= 0 ? `in ${text}` : `${text} ago`;
}

/** `3 h` */
export function showLength(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const;
  const [unit, unitMs] = units.find(([, one]) => ms >= one) ?? (['ms', 1] as const);
  return `${Math.round(ms / unitMs)} ${unit}`;
}

/** `1.5 MiB` */
export function showBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(units.length - 1, bytes <= 0 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const number = bytes / 1024 ** step;
  return `${step === 0 || number >= 100 ? Math.round(number) : number.toFixed(1)} ${units[step]}`;
}

/** Rows under heads, columns as wide as needed. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heads, ...rows].map((row) => row.map(printable));
  const widths = heads.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A word as a shell takes it. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function jsonable(value: unknown): unknown {
  try {
    return toJsonValue(value);
  } catch {
    return JSON.parse(JSON.stringify(value, lenient) ?? 'null');
  }
}

function lenient(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') return String(value);
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), item]));
  if (value instanceof Set) return [...value];
  return value;
}
