/**
 * What must not stand in a log: secrets by the name of their field, and credentials inside of addresses.
 *
 * It is a net under careful callers, not a licence: a secret in the middle of a sentence is not found.
 */

/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

/** Fields whose values are secret wherever they stand, compared without case, `_` and `-`. */
const SECRET_FIELDS = new Set([
  'pass',
  'password',
  'passwd',
  'token',
  'accesstoken',
  'refreshtoken',
  'secret',
  'clientsecret',
  'apikey',
  'authorization',
  'cookie',
  'setcookie',
  'creds',
  'credentials',
  'seed',
  'jwt',
  'privatekey',
  'nkey',
]);

/** `//user:password@` of any URL. */
const URL_CREDENTIALS = /\/\/[^\s/@"']+@/g;

/** Deeper values are cut off. */
const DEPTH_MAX = 6;
/** Further items of a list are cut off. */
const ITEMS_MAX = 100;

/** @example redactText('nats://ann:x@host') // 'nats://[redacted]@host' */
export function redactText(text: string): string {
  return text.includes('@') ? text.replace(URL_CREDENTIALS, `//${REDACTED}@`) : text;
}

/** A copy without secrets, bounded in depth and length. Never throws. Errors become their name, message, code and stack. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return `${value}`;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return '[deeper]';
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return redactList(value, depth);
  return redactFields(value, depth);
}

function redactList(list: readonly unknown[], depth: number): unknown[] {
  const items = list.slice(0, ITEMS_MAX).map((item) => redact(item, depth + 1));
  return list.length > ITEMS_MAX ? [...items, `[${list.length - ITEMS_MAX} more]`] : items;
}

function redactFields(fields: object, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    copy[key] = isSecret(key) ? REDACTED : attempt(() => redact((fields as Record<string, unknown>)[key], depth + 1));
  }
  return copy;
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const code = (error as { code?: unknown }).code;
  return {
    name,
    message: redactText(String(message)),
    ...(code === undefined ? {} : { code }),
    ...(stack === undefined ? {} : { stack: redactText(stack) }),
    ...(cause === undefined ? {} : { cause: redact(cause, depth + 1) }),
  };
}

/** Whether a field of this name holds a secret. */
export function isSecret(field: string): boolean {
  return SECRET_FIELDS.has(field.toLowerCase().replace(/[_-]/g, ''));
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return '[unreadable]';
  }
}
