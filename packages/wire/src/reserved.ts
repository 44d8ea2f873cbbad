/** Every name that Troupe keeps for itself, in one place. */

/** Event types with these beginnings are made by the runtime only; from outside they are refused (`ReservedEvent`). */
export const RESERVED_EVENT_PREFIXES = ['xstate.', 'troupe.'] as const;

/** Event type that wraps a payload which isn't an event itself. */
export const TASK_EVENT = 'task';

/**
 * Types that no definition may have: `invalid` names the dead letters that have no valid address; the others are keys
 * that no stored object may have, and records are kept by type.
 */
export const RESERVED_TYPES = ['invalid', 'constructor', 'prototype'] as const;

/** Types whose definitions Troupe brings along. They have no privileges, but one name has one meaning. */
export const BUILT_IN_TYPES = ['memory', 'tool', 'supervisor'] as const;

/** The token after the prefix of every subject. */
export const SUBJECT_VERBS = [
  'task',
  'signal',
  'ask',
  'query',
  'event',
  'out',
  'stream',
  'dead',
  'inspect',
  'control',
  'tick',
  'parked',
  'snapshot',
  'journal',
  'forward',
] as const;

/** A token of `SUBJECT_VERBS`. */
export type SubjectVerb = (typeof SUBJECT_VERBS)[number];

/** Beginning of every header of ours. */
export const HEADER_PREFIX = 'Troupe-';

/**
 * True when an event of this type may not come from outside.
 *
 * @example isReservedEvent('xstate.done.actor.charge') // true
 */
export function isReservedEvent(type: string): boolean {
  return type.startsWith('xstate.') || type.startsWith('troupe.');
}
