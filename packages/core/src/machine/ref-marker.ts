/**
 * References inside of what leaves the step: `sendTo('worker', ({ self }) => ({ type: 'work', replyTo: self }))`, or
 * `input: ({ self }) => ({ parent: self })`. They travel as markers, and become references again when they come back
 * as a field of an event, or reach a child that runs outside.
 *
 * A marker names a node of the same actor and nothing else, so a forged one reaches no further than its actor.
 */
import { isNodeRef } from './node-ref.ts';
import type { MachineEvent } from './types.ts';

/** A reference as plain data. */
export interface RefMarker {
  readonly 'troupe.ref': string;
  readonly session: string;
}

/** How deep values are searched for references. */
const DEPTH_MAX = 4;

/** The value with markers for the references in it; the value itself when it has none. */
export function detachRefs<T>(value: T): T {
  return replace(value, 0, (inner) =>
    isNodeRef(inner) ? ({ 'troupe.ref': inner.path, session: inner.sessionId } satisfies RefMarker) : undefined,
  ) as T;
}

/** The event with references for the markers among its fields. */
export function attachRefs(event: MachineEvent, refOf: (marker: RefMarker) => unknown): MachineEvent {
  let copy: Record<string, unknown> | undefined;
  for (const field in event) {
    const value = event[field];
    if (!isMarker(value)) continue;
    copy ??= { ...event };
    copy[field] = refOf(value);
  }
  return (copy as MachineEvent | undefined) ?? event;
}

/** A value for a child that runs outside, with stand-ins for the markers anywhere in it. */
export function reviveRefs(value: unknown, refOf: (marker: RefMarker) => unknown): unknown {
  return replace(value, 0, (inner) => (isMarker(inner) ? refOf(inner) : undefined));
}

function isMarker(value: unknown): value is RefMarker {
  return typeof value === 'object' && value !== null && 'troupe.ref' in value;
}

function replace(value: unknown, depth: number, swap: (value: object) => unknown): unknown {
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return value;
  const swapped = swap(value);
  if (swapped !== undefined) return swapped;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value;
  let copy: Record<string, unknown> | undefined;
  const fields = value as Record<string, unknown>;
  for (const key of Object.keys(fields)) {
    const inner = replace(fields[key], depth + 1, swap);
    if (inner === fields[key]) continue;
    copy ??= (Array.isArray(value) ? value.slice() : { ...fields }) as Record<string, unknown>;
    copy[key] = inner;
  }
  return copy ?? value;
}
