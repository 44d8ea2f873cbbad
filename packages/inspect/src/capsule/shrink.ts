/** The few entries of a capsule that matter. */
import type { Capsule, OpenCapsule, ReplayEntry } from './capsule.ts';
import { ddmin } from './ddmin.ts';
import { type Expectation, replaySteps } from './replay.ts';
import { isSameFailure, type StepFailure } from './step-failure.ts';

export interface ShrinkOptions {
  readonly expectation?: Expectation;
  /** Longest time, ms. Default 60,000; what is left then still fails. */
  readonly timeoutMs?: number;
}

export interface ShrunkCapsule {
  readonly capsule: Capsule;
  readonly tries: number;
  /** False: time ran out, and more could go. */
  readonly minimal: boolean;
}

const TIMEOUT_MS = 60_000;

/**
 * Leaves out every entry without which the same failure still shows. Undefined when the capsule doesn't fail with this code,
 * so that there is nothing to look for.
 *
 * @example shrinkCapsule(openCapsule(capsule, [order]))?.capsule.entries.length // 4
 */
export function shrinkCapsule(
  open: OpenCapsule,
  { expectation, timeoutMs = TIMEOUT_MS }: ShrinkOptions = {},
): ShrunkCapsule | undefined {
  const { capsule, entries } = open;
  const wanted = capsule.failure;
  if (wanted === undefined) return undefined;
  const failure = (part: readonly ReplayEntry[]) => failureOf(open, wanted, part, expectation);
  if (failure(entries) === undefined) return undefined;
  const endAt = performance.now() + timeoutMs;
  const { items, tries, minimal } = ddmin(entries, (part) => failure(part) !== undefined, {
    isOver: () => performance.now() > endAt,
  });
  const kept = new Set(items.map(({ seq }) => seq));
  return {
    tries,
    minimal,
    capsule: {
      ...capsule,
      entries: items.map(({ written }) => written),
      setAside: capsule.setAside.filter((seq) => kept.has(seq)),
      failure: failure(items) ?? wanted,
      shrunkFrom: capsule.shrunkFrom ?? entries.length,
    },
  };
}

function failureOf(
  open: OpenCapsule,
  wanted: StepFailure,
  part: readonly ReplayEntry[],
  expectation: Expectation | undefined,
): StepFailure | undefined {
  for (const { failure } of replaySteps(open, expectation, part))
    if (failure !== undefined && isSameFailure(failure, wanted)) return failure;
  return undefined;
}
