/** How things are written for people. Everything here returns plain text: what the page shows, it shows as text nodes. */

/** At most `max` characters, the last of them an ellipsis when something is left out. */
export function cut(text: string, max: number): string {
  const flat = text.replaceAll(/[\s\p{Cc}]+/gu, ' ');
  return flat.length <= max ? flat : `${flat.slice(0, max - 1)}…`;
}

/** An event of the engine's own in words; any other as it is. */
export function eventLabel(event: string, delay?: string): string {
  if (event === '') return 'always';
  if (delay !== undefined) return `after ${/^\d+$/.test(delay) ? duration(Number(delay)) : delay}`;
  const own = /^xstate\.(done|error)\.(actor|state)\.(.*)$/.exec(event);
  // The engine names an invoke without an id by its place (`0.order.paying`): that says nothing more.
  if (own !== null) return own[2] === 'state' || isUnnamed(own[3] ?? '') ? own[1]! : `${own[1]} ${own[3]}`;
  if (/^xstate\.after\./.test(event)) return `after ${event.split('.')[2] ?? ''}`;
  return event.replace(/^xstate\./, '');
}

/** Whether an invoke has no id of its own. */
export function isUnnamed(id: string): boolean {
  return /^\d+\./.test(id);
}

/** A length of time in two or three digits. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '';
  if (ms < 1) return `${ms > 0 ? '<1' : '0'} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1_000)} s`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} min`;
  return `${Math.floor(ms / 86_400_000)} d ${Math.floor((ms % 86_400_000) / 3_600_000)} h`;
}

/** What steps cost in computing, of those of which it is known: `1.2 ms in 30`; empty for none. */
export function computing({ stepUs, timed }: { readonly stepUs: number; readonly timed: number }): string {
  if (timed === 0) return '';
  return `${stepUs < 1_000 ? `${Math.round(stepUs)} µs` : duration(stepUs / 1_000)} in ${timed}`;
}

/** Time of day with milliseconds; with the date when it isn't today's. */
export function instant(at: number, now = Date.now()): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  const pad = (value: number, digits = 2): string => String(value).padStart(digits, '0');
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
  if (new Date(now).toDateString() === date.toDateString()) return time;
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${time}`;
}

/** How long ago, roughly. */
export function age(at: number, now: number): string {
  const ms = Math.max(0, now - at);
  if (ms < 1_000) return 'now';
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`;
  return `${Math.floor(ms / 86_400_000)} d`;
}

/** A state value on one line: `paying.card`, `{left: a, right: b}`. */
export function stateText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const regions = Object.entries(value).map(([key, below]) => {
    const inner = stateText(below);
    return { key, inner };
  });
  if (regions.length === 1) return regions.map(({ key, inner }) => (inner === '' ? key : `${key}.${inner}`)).join('');
  return regions.map(({ key, inner }) => (inner === '' ? key : `${key}.${inner}`)).join(' | ');
}

/** Any value on one line, at most `max` characters. */
export function short(value: unknown, max = 80): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return cut(value, max);
  try {
    return cut(JSON.stringify(value) ?? String(value), max);
  } catch {
    return String(value);
  }
}
