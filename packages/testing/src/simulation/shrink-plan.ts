/**
 * The shortest plan found that still breaks the same invariant: faults, tasks, operations and noise are taken out as long as
 * it does.
 *
 * Invariants
 * 1. What is returned was run and failed in the same way.
 * 2. It ends: after `TRIES_MAX` runs, or at the deadline.
 */
import type { Noise, Plan, PlannedTask } from './plan.ts';
import { withoutNoise } from './plan.ts';
import type { GuardName } from './switches.ts';
import { runWorld } from './world.ts';

/** Runs that may be spent on it. */
const TRIES_MAX = 400;
/** Time that may be spent on it by the wall clock, ms. */
const DEADLINE_MS = 60_000;

export interface ShrinkOptions {
  readonly without?: readonly GuardName[];
  /** The invariant that has to break. */
  readonly kind: string;
  /** Default 400. */
  readonly triesMax?: number;
  /** Default 60,000. */
  readonly deadlineMs?: number;
}

/** @returns the shortest plan found; the one given, when nothing of it can be spared. */
export async function shrinkPlan(plan: Plan, options: ShrinkOptions): Promise<Plan> {
  const endAtMs = performance.now() + (options.deadlineMs ?? DEADLINE_MS);
  let tries = options.triesMax ?? TRIES_MAX;
  const fails = async (candidate: Plan): Promise<boolean> => {
    if (tries-- <= 0 || performance.now() > endAtMs) return false;
    const { violations } = await runWorld(candidate, { without: options.without ?? [] });
    return violations.some(({ kind }) => kind === options.kind);
  };
  let current = plan;
  const attempt = async (candidate: Plan): Promise<void> => {
    if (await fails(candidate)) current = candidate;
  };
  await attempt({ ...current, entriesMin: 0 });
  await attempt(withoutNoise(current));
  current = await shorter(
    current,
    (one) => one.faults,
    (one, faults) => ({ ...one, faults }),
    fails,
  );
  current = await shorter(
    current,
    (one) => one.tasks,
    (one, tasks) => ({ ...one, tasks }),
    fails,
  );
  for (const name of Object.keys(current.noise) as (keyof Noise)[])
    if ((current.noise[name] ?? 0) > 0) await attempt({ ...current, noise: { ...current.noise, [name]: 0 } });
  for (let at = 0; at < current.tasks.length; at++) {
    current = await shorter(
      current,
      (one) => one.tasks[at]!.operations,
      (one, operations) => ({ ...one, tasks: one.tasks.with(at, { ...one.tasks[at]!, operations } as PlannedTask) }),
      fails,
    );
  }
  return shorter(
    current,
    (one) => one.faults,
    (one, faults) => ({ ...one, faults }),
    fails,
  );
}

/** Halves first, then smaller parts, then one by one. */
async function shorter<T>(
  plan: Plan,
  partsOf: (plan: Plan) => readonly T[],
  withParts: (plan: Plan, parts: readonly T[]) => Plan,
  fails: (plan: Plan) => Promise<boolean>,
): Promise<Plan> {
  let current = plan;
  for (let size = Math.ceil(partsOf(plan).length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < partsOf(current).length; ) {
      const parts = partsOf(current);
      const candidate = withParts(current, [...parts.slice(0, from), ...parts.slice(from + size)]);
      if (await fails(candidate)) current = candidate;
      else from += size;
    }
  }
  return current;
}
