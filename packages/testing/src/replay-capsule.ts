/** A failure of one actor, seen again in a test. */
import { readFile } from 'node:fs/promises';
import { type ActorDefinition, describeState, type StateDescription } from '@troupe/core';
import {
  type Capsule,
  describeFailure,
  type Expectation,
  finalOf,
  openCapsule,
  parseCapsule,
  replaySteps,
  type StepFailure,
} from '@troupe/inspect';
import { TroupeError } from '@troupe/wire';

/** How `replayCapsule` looks. */
export interface ReplayCapsuleOptions {
  /** The code to replay it with: `actors` of a config. */
  readonly actors: readonly ActorDefinition[];
  /** What must hold after every step: returns false, or throws, when it doesn't. Default: that of the capsule's own failure. */
  readonly expect?: Expectation;
}

/** What a replay came to. */
export interface ReplayedCapsule {
  /** After the last entry, as a query would show it. */
  readonly state: StateDescription;
  readonly steps: number;
}

/**
 * Folds a capsule that `troupe repro` has written, offline: no server, no effect. Any failure in a step at which the capsule
 * failed, or of the same kind and code anywhere, fails the test; a capsule without a failure has to end in the state that it
 * was taken in.
 *
 * @param capsule the file, or what is in it.
 * @returns the state at the end.
 * @throws Error naming entry and failure; TroupeError `Usage` for what is no capsule.
 * @example
 * test('order/42 takes entry 873', async () => {
 *   await replayCapsule(new URL('./order-42-873.capsule.json', import.meta.url), { actors: config.actors });
 * });
 */
export async function replayCapsule(
  capsule: Capsule | URL | string,
  { actors, expect }: ReplayCapsuleOptions,
): Promise<ReplayedCapsule> {
  const read = parseCapsule(isCapsule(capsule) ? capsule : JSON.parse(await readFile(capsule, 'utf8')));
  if (read.failure?.kind === 'expectation' && expect === undefined)
    throw new TroupeError(
      'Usage',
      `The capsule of ${read.actor} broke an expectation, which is code and not part of it. Give it: replayCapsule(file, { actors, expect: (step) => ... }).`,
    );
  const open = openCapsule(read, actors);
  let state = open.base;
  let steps = 0;
  for (const { after, failure } of replaySteps(open, expect)) {
    steps++;
    state = after;
    if (failure !== undefined && matters(failure, read.failure))
      throw new Error(`${read.actor}: ${describeFailure(failure)}`);
  }
  if (read.final !== undefined && finalOf(open.definition, state) !== read.final)
    throw new Error(
      `${read.actor} comes to another state than the capsule was taken in: ${JSON.stringify(describeState(open.definition, state).value)}.`,
    );
  return { state: describeState(open.definition, state), steps };
}

/** Others that were there before are none of this test's business; what takes the place of the fault is. */
function matters(failure: StepFailure, wanted: StepFailure | undefined): boolean {
  if (wanted === undefined) return false;
  if (failure.kind === 'thrown' || failure.seq === wanted.seq) return true;
  return failure.kind === wanted.kind && failure.code === wanted.code;
}

function isCapsule(value: Capsule | URL | string): value is Capsule {
  return typeof value === 'object' && !(value instanceof URL);
}
