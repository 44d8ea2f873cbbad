/**
 * What MessagePack and msgpackr can't carry faithfully travels as one extension of ours: a tag and its parts.
 *
 * One extension type, because msgpackr registers them for the whole process; the number is the letter `T`, away from the
 * small numbers that applications choose.
 */
import { addExtension } from 'msgpackr';
import { CodecError } from './codec-error.ts';
import { TroupeError } from './troupe-error.ts';

/** Number of the extension. */
export const TAGGED_TYPE = 0x54;

/**
 * `map`: key, value, key, value … `text`: UTF-16 code units. `zero`: -0. `error`: name, message, cause, properties.
 * `failure`: a `TroupeError`: name, message, cause, code, actor, task id, retryable, details.
 */
export type Tag = 'map' | 'text' | 'zero' | 'error' | 'failure';

/** A value on its way into the encoder. */
export class Tagged {
  readonly parts: readonly [Tag, ...unknown[]];
  constructor(...parts: [Tag, ...unknown[]]) {
    this.parts = parts;
  }
}

addExtension({
  Class: Tagged,
  type: TAGGED_TYPE,
  write: (value: Tagged) => value.parts,
  read: (parts: unknown) => {
    if (!Array.isArray(parts)) throw unreadable();
    return untag(parts);
  },
});

const NATIVE_ERRORS: Readonly<Record<string, ErrorConstructor>> = Object.assign(Object.create(null), {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
});

/** Text with lone surrogates, which UTF-8 can't carry. */
export function tagText(text: string): Tagged {
  const units = new Uint16Array(text.length);
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
  return new Tagged('text', units);
}

function untag(parts: readonly unknown[]): unknown {
  switch (parts[0]) {
    case 'map':
      return toMap(parts);
    case 'text':
      return toText(parts[1]);
    case 'zero':
      return -0;
    case 'error':
      return toError(parts);
    case 'failure':
      return toFailure(parts);
    default:
      throw unreadable();
  }
}

function toMap(parts: readonly unknown[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (let i = 1; i + 1 < parts.length; i += 2) map.set(parts[i], parts[i + 1]);
  return map;
}

function toText(units: unknown): string {
  if (!(units instanceof Uint16Array)) throw unreadable();
  let text = '';
  for (let from = 0; from < units.length; from += 4_096) {
    text += String.fromCharCode(...units.subarray(from, from + 4_096));
  }
  return text;
}

/** The stack is not stored: it would differ between machines. The name and message stand in for it. */
function toError(parts: readonly unknown[]): Error {
  const [, name, message, cause, properties] = parts;
  if (typeof name !== 'string' || typeof message !== 'string') throw unreadable();
  const error =
    name === 'AggregateError' ? new AggregateError([], message) : new (NATIVE_ERRORS[name] ?? Error)(message);
  hide(error, 'stack', `${name}: ${message}`);
  if (error.name !== name) hide(error, 'name', name);
  if (cause !== undefined) hide(error, 'cause', cause);
  if (typeof properties !== 'object' || properties === null) return error;
  for (const [key, value] of Object.entries(properties)) {
    if (name === 'AggregateError' && key === 'errors') hide(error, key, value);
    else Object.defineProperty(error, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return error;
}

function toFailure(parts: readonly unknown[]): TroupeError {
  const [, name, message, cause, code, actor, taskId, retryable, details] = parts;
  if (typeof name !== 'string' || typeof message !== 'string' || typeof code !== 'string') throw unreadable();
  const error = new TroupeError(code, message, {
    actor: typeof actor === 'string' ? actor : undefined,
    taskId: typeof taskId === 'string' ? taskId : undefined,
    retryable: retryable === true,
    details,
    cause,
  });
  error.name = name;
  hide(error, 'stack', `${name}: ${message}`);
  return error;
}

function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, enumerable: false, configurable: true });
}

function unreadable(): CodecError {
  return new CodecError('InvalidPayload', 'The bytes hold a tagged value that this release does not know.');
}
