/**
 * What happens to an actor in one run: a list that can be repeated, and shortened without losing its meaning. An operation
 * refers to what is there when its turn comes ("the second effect that is open"), so any part of a script is a script.
 */
import type { ActorDefinition } from '@troupe/core';
import { between, pick, type Random } from './random.ts';

export type Operation =
  | { readonly kind: 'task' | 'signal'; readonly payload: unknown }
  /** The n-th open effect, counted over and over, ends; nothing when none is open. */
  | { readonly kind: 'outcome'; readonly which: number; readonly ok: boolean; readonly value: unknown }
  /** Time passes; `toTimer` as far as the next timer. */
  | { readonly kind: 'wait'; readonly ms: number; readonly toTimer: boolean }
  /** The worker dies, and the state comes back from its stored form. */
  | { readonly kind: 'crash' };

/** What the caller knows about events and outcomes. */
export interface Vocabulary {
  /** Fields of events, by type: one value, or a function that makes them. */
  readonly events: Readonly<Record<string, unknown>>;
  /** What effects end with, by name. */
  readonly outcomes: Readonly<Record<string, unknown>>;
}

/** Inputs that a task may well carry. */
const INPUTS: readonly unknown[] = [
  '',
  'hello',
  'My name is Ann',
  0,
  7,
  true,
  null,
  [],
  ['a', 'b'],
  {},
  { text: 'hi', n: 3 },
];
const VALUES: readonly unknown[] = [null, 'done', 42, true, { ok: true }, ['x']];
const WEIGHTS = [
  ['input', 50],
  ['outcome', 20],
  ['wait', 18],
  ['crash', 12],
] as const;
const TOTAL = WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);

/** A random script for a definition. */
export function makeScript(
  definition: ActorDefinition,
  vocabulary: Vocabulary,
  random: Random,
  length: number,
): Operation[] {
  const types = definition.driver.eventTypes.filter((type) => type !== '*' && !/^(xstate|troupe)\./.test(type));
  return Array.from({ length }, () => makeOperation(types.length === 0 ? ['task'] : types, vocabulary, random));
}

function makeOperation(types: readonly string[], vocabulary: Vocabulary, random: Random): Operation {
  const kind = weighted(random);
  if (kind === 'crash') return { kind };
  if (kind === 'wait') return { kind, ms: between(random, 0, 120_000), toTimer: random() < 0.6 };
  if (kind === 'outcome')
    return { kind, which: between(random, 0, 7), ok: random() < 0.75, value: makeOutcome(vocabulary, random) };
  return { kind: random() < 0.7 ? 'task' : 'signal', payload: makeEvent(pick(random, types), vocabulary, random) };
}

function weighted(random: Random): (typeof WEIGHTS)[number][0] {
  let at = random() * TOTAL;
  for (const [kind, weight] of WEIGHTS) {
    at -= weight;
    if (at < 0) return kind;
  }
  return 'input';
}

function makeEvent(type: string, { events }: Vocabulary, random: Random): unknown {
  const made = Object.hasOwn(events, type) ? sampleOf(events[type], random) : undefined;
  if (type === 'task') return { type, input: made ?? pick(random, INPUTS) };
  return typeof made === 'object' && made !== null ? { ...made, type } : { type };
}

function makeOutcome({ outcomes }: Vocabulary, random: Random): unknown {
  const names = Object.keys(outcomes);
  return names.length === 0
    ? pick(random, VALUES)
    : { byName: Object.fromEntries(names.map((name) => [name, sampleOf(outcomes[name], random)])) };
}

/** A function makes the value, a list is chosen from, everything else is the value. */
function sampleOf(source: unknown, random: Random): unknown {
  if (typeof source === 'function') return (source as (random: Random) => unknown)(random);
  return Array.isArray(source) && source.length > 0 ? pick(random, source) : source;
}

/** One operation in words. */
export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'task':
    case 'signal':
      return `${operation.kind} ${JSON.stringify(operation.payload)}`;
    case 'outcome':
      return operation.ok ? `an open effect ends with ${JSON.stringify(operation.value)}` : 'an open effect fails';
    case 'wait':
      return operation.toTimer ? 'time passes until the next timer' : `${operation.ms} ms pass`;
    case 'crash':
      return 'the worker crashes; the state is read from its stored form';
  }
}
