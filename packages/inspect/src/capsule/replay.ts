/**
 * Folding a capsule, offline.
 *
 * Invariants
 * 1. Nothing outside is called: effects are data, and their recorded outcomes are entries.
 * 2. The same capsule with the same code gives the same steps.
 */
import { type ActorState, type Effect, effectIdOf, type OpenEffect, parseEffectId, step } from '@troupe/core';
import { refuseEntry } from '@troupe/core/internal';
import type { EntryBody, JournalEntry } from '@troupe/wire';
import { setAside } from '../set-aside.ts';
import type { OpenCapsule, ReplayEntry } from './capsule.ts';
import { failureAmong, failureOf, type StepFailure } from './step-failure.ts';

/** What an expectation is asked about: a state, and the step that led to it. */
export interface ExpectedStep {
  readonly seq: number;
  /** Unix ms. */
  readonly at: number;
  readonly entry: EntryBody;
  readonly value: unknown;
  readonly context: unknown;
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  /** Before the step. */
  readonly before: { readonly value: unknown; readonly context: unknown };
  readonly effects: readonly Effect[];
}

/** What must hold after every step: it returns false, or throws, when it doesn't. May be typed more closely by its author. */
// biome-ignore lint/suspicious/noExplicitAny: users write expectations about their own contexts
export type Expectation = (step: any) => unknown;

export interface ReplayedStep {
  readonly entry: JournalEntry;
  readonly before: ActorState;
  /** The same as before when the step threw. */
  readonly after: ActorState;
  readonly effects: readonly Effect[];
  readonly failure: StepFailure | undefined;
}

/**
 * Folds a capsule, step by step.
 *
 * @param entries those to fold. Default: all of it.
 */
export function* replaySteps(
  open: OpenCapsule,
  expectation?: Expectation,
  entries: readonly ReplayEntry[] = open.entries,
): Generator<ReplayedStep, void> {
  let state = open.base;
  for (const one of entries) {
    const stepped = stepOne(open, state, one);
    state = stepped.after;
    yield expectation === undefined || stepped.failure?.kind === 'thrown'
      ? stepped
      : { ...stepped, failure: brokenBy(open, stepped, expectation) ?? stepped.failure };
    if (stepped.failure?.kind === 'thrown') return;
  }
}

function stepOne(open: OpenCapsule, before: ActorState, one: ReplayEntry): ReplayedStep {
  const entry: JournalEntry = { seq: one.seq, at: one.at, body: aimed(before, one) };
  try {
    const { state, effects } = open.setAside.has(entry.seq)
      ? refuseEntry(open.definition, before, entry, setAside(entry.seq))
      : step(open.definition, before, entry, one.size);
    return { entry, before, after: state, effects, failure: failureAmong(entry.seq, effects) };
  } catch (error) {
    return { entry, before, after: before, effects: [], failure: failureOf('thrown', entry.seq, error) };
  }
}

/** An outcome goes to the effect that it names; else, in changed code, to the oldest open one of the same name. */
function aimed(state: ActorState, { body, src }: ReplayEntry): EntryBody {
  if (src === undefined || (body.kind !== 'outcome' && body.kind !== 'stream')) return body;
  const id = parseEffectId(body.effectId);
  if (id !== undefined && state.effects.get(`${id.seq}.${id.n}`)?.src === src) return body;
  let oldest: OpenEffect | undefined;
  for (const effect of state.effects.values())
    if (effect.src === src && (oldest === undefined || effect.openedAt < oldest.openedAt)) oldest = effect;
  return oldest === undefined ? body : { ...body, effectId: effectIdOf(state.address, oldest.id) };
}

function brokenBy(open: OpenCapsule, stepped: ReplayedStep, expectation: Expectation): StepFailure | undefined {
  return checkExpectation(open.definition.driver, stepped, expectation);
}

/** The failure of an expectation after a step; undefined when it holds. */
export function checkExpectation(
  driver: OpenCapsule['definition']['driver'],
  { entry, before, after, effects }: Pick<ReplayedStep, 'entry' | 'before' | 'after' | 'effects'>,
  expectation: Expectation,
): StepFailure | undefined {
  if (after.machine === undefined) return undefined;
  const view = driver.view(after.machine);
  const past = before.machine === undefined ? undefined : driver.view(before.machine);
  const asked: ExpectedStep = {
    seq: entry.seq,
    at: entry.at,
    entry: entry.body,
    value: view.value,
    context: view.context,
    status: view.status,
    before: { value: past?.value, context: past?.context },
    effects,
  };
  try {
    if (expectation(asked) !== false) return undefined;
    return { kind: 'expectation', seq: entry.seq, code: 'Expectation', message: 'It does not hold.' };
  } catch (error) {
    return failureOf('expectation', entry.seq, error);
  }
}
