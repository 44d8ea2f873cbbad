/** Walking the parts of a machine's definition: configuration and implementations, for hashing and for searching. */
import type { AnyStateMachine } from 'xstate';
import { effectKind } from './effect-logic.ts';
import { isMachine } from './logic-kind.ts';

/** A piece of a definition: something with named parts, or a leaf. */
export interface Part {
  /** What it is itself, without its parts. */
  readonly label: string;
  readonly parts: readonly (readonly [name: string, value: unknown])[];
}

/** Fields that are XState's own code, and schemas, which have no part in what a machine does. */
const OMITTED = new Set(['resolve', 'retryResolve', 'execute', 'check', 'schemas', 'types']);

/** One level of a definition. Symbols among the keys are left out, getters are read. */
export function dissect(value: unknown): Part {
  if (typeof value === 'function') return dissectFunction(value as unknown as Record<string, unknown>);
  if (typeof value !== 'object' || value === null) return { label: `${typeof value} ${String(value)}`, parts: [] };
  if (isMachine(value)) return { label: 'machine', parts: machineParts(value) };
  if (value instanceof Date) return { label: `date ${value.getTime()}`, parts: [] };
  if (value instanceof RegExp) return { label: `regexp ${value}`, parts: [] };
  if (value instanceof Map)
    return {
      label: 'map',
      parts: [...value].flatMap(([key, inner], i) => [[`k${i}`, key] as const, [`v${i}`, inner] as const]),
    };
  if (value instanceof Set) return { label: 'set', parts: [...value].map((inner, i) => [String(i), inner]) };
  const logic = value as { transition?: unknown; getInitialSnapshot?: unknown; config?: unknown };
  if (typeof logic.transition === 'function' && typeof logic.getInitialSnapshot === 'function')
    return dissectLogic(value);
  return { label: Array.isArray(value) ? 'array' : 'object', parts: fields(value as Record<string, unknown>) };
}

function machineParts(machine: AnyStateMachine): [string, unknown][] {
  return [
    ['config', machine.config],
    ['implementations', machine.implementations],
  ];
}

/** Logic of XState's makers keeps the user's function as `config`; the rest is XState's. */
function dissectLogic(value: object): Part {
  const { config } = value as { config?: unknown };
  const kind = effectKind(value);
  if (kind !== undefined) {
    const mark = Object.getOwnPropertySymbols(value).map((symbol) => (value as Record<symbol, unknown>)[symbol]);
    return { label: `logic ${kind}`, parts: mark.map((each, i) => [String(i), each]) };
  }
  return config === undefined
    ? { label: 'logic', parts: fields(value as Record<string, unknown>) }
    : { label: 'logic', parts: [['config', config]] };
}

/** Actions and guards that XState made are named by their type; the user's own functions by their text. */
function dissectFunction(value: Record<string, unknown>): Part {
  const made = typeof value.resolve === 'function' || typeof value.check === 'function';
  const text = made ? String(value.type ?? value.name) : Function.prototype.toString.call(value);
  return { label: `function ${text}`, parts: fields(value) };
}

function fields(value: Record<string, unknown>): [string, unknown][] {
  return Object.keys(value)
    .filter((name) => !OMITTED.has(name))
    .map((name) => [name, value[name]]);
}
