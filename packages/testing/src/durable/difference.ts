/** Where two stored states differ first, in words. */
import { decodeState } from '@troupe/wire';

export interface Difference {
  /** For example `machine.context.total`. */
  readonly path: string;
  readonly first: string;
  readonly second: string;
}

/** Undefined when they are equal. */
export function differenceOf(first: Uint8Array, second: Uint8Array): Difference | undefined {
  if (Buffer.compare(first, second) === 0) return undefined;
  return (
    compare(decodeState(first), decodeState(second), '') ?? {
      path: 'the stored form',
      first: `${first.length} bytes`,
      second: `${second.length} bytes`,
    }
  );
}

function compare(first: unknown, second: unknown, path: string): Difference | undefined {
  if (Object.is(first, second)) return undefined;
  if (!isContainer(first) || !isContainer(second)) return differs(first, second, path);
  const [a, b] = [entriesOf(first), entriesOf(second)];
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const below = `${path}${path === '' ? '' : '.'}${key}`;
    const found =
      a.has(key) && b.has(key) ? compare(a.get(key), b.get(key), below) : differs(a.get(key), b.get(key), below);
    if (found !== undefined) return found;
  }
  return undefined;
}

function differs(first: unknown, second: unknown, path: string): Difference | undefined {
  const [a, b] = [show(first), show(second)];
  return a === b ? undefined : { path: path || 'the state', first: a, second: b };
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Date);
}

function entriesOf(value: object): Map<string, unknown> {
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [String(key), item]));
  if (value instanceof Set) return new Map([...value].map((item, i) => [String(i), item]));
  return new Map(Object.entries(value));
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid date' : value.toISOString();
  const text =
    JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item)) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
