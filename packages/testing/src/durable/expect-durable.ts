/** The crash-replay checker. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ActorDefinition, defineActor } from '@troupe/core';
import type { AnyStateMachine } from 'xstate';
import { checkScript } from './check-script.ts';
import { foldScript } from './folding.ts';
import { NotDurableError } from './not-durable-error.ts';
import { between, seededRandom } from './random.ts';
import { makeScript, type Operation, type Vocabulary } from './script.ts';
import { shrink } from './shrink.ts';

/** How `expectDurable` looks. */
export interface DurableOptions {
  /** Random sequences. Default 200. */
  readonly runs?: number;
  /** Longest sequence. Default 24. */
  readonly stepsMax?: number;
  /** Where randomness begins. Default: another one each time, named in the error. */
  readonly seed?: number;
  /**
   * What events carry, by type: the fields, a list to choose from, or a function `(random) => fields`. `task` is the input
   * of task events. Default: nothing, and a mix of inputs for `task`.
   */
  readonly events?: Readonly<Record<string, unknown>>;
  /** What invoked effects end with, by name under `setup({ actors })`; as `events`. Default: a mix. */
  readonly outcomes?: Readonly<Record<string, unknown>>;
  /** The machine's input. Default `{ type, key }`. */
  readonly input?: unknown;
}

/** What was looked at. */
export interface DurableReport {
  readonly runs: number;
  readonly operations: number;
  readonly crashes: number;
  /** Inputs that the machine took. */
  readonly accepted: number;
  readonly seed: number;
}

/** Runs between two turns of the event loop. */
const RUNS_AT_ONCE = 20;

/**
 * Checks that a machine, or an agent, comes through any crash: folds random sequences of its own events, ends of effects,
 * passing time and crashes, once straight and once through its stored form in another environment, and compares states and
 * effects after every step.
 *
 * @throws NotDurableError with the shortest sequence that fails, what differs, and the likely reason; `Error` when the
 *   machine took none of the events, so that nothing was checked.
 * @example test('survives any crash', () => expectDurable(order, { runs: 500, events: { paid: { amount: 5 } } }));
 */
export async function expectDurable(
  machine: AnyStateMachine | ActorDefinition,
  options: DurableOptions = {},
): Promise<DurableReport> {
  const definition = definitionOf(machine, options);
  const vocabulary: Vocabulary = { events: options.events ?? {}, outcomes: options.outcomes ?? {} };
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  const runs = options.runs ?? 200;
  const totals = { operations: 0, crashes: 0, accepted: 0 };
  for (let run = 0; run < runs; run++) {
    if (run % RUNS_AT_ONCE === RUNS_AT_ONCE - 1) await nextTurn();
    const runSeed = seed + run;
    const random = seededRandom(runSeed);
    const script = makeScript(definition, vocabulary, random, between(random, 1, options.stepsMax ?? 24));
    check(definition, script, runSeed);
    totals.operations += script.length;
    totals.crashes += script.filter(({ kind }) => kind === 'crash').length;
    totals.accepted += acceptedIn(definition, script);
  }
  if (totals.accepted === 0) throw nothingChecked(definition, runs);
  return { runs, seed, ...totals };
}

function check(definition: ActorDefinition, script: readonly Operation[], seed: number): void {
  if (checkScript(definition, script) === undefined) return;
  const shortest = shrink(script, (part) => checkScript(definition, part) !== undefined);
  const failure = checkScript(definition, shortest) ?? checkScript(definition, script);
  // A failure that comes and goes is one of outside state, too.
  throw new NotDurableError(
    definition.type,
    shortest,
    failure ?? { at: shortest.length - 1, cause: 'outside state' },
    seed,
  );
}

/** Inputs that neither were refused nor have to wait. */
function acceptedIn(definition: ActorDefinition, script: readonly Operation[]): number {
  const traces = foldScript(definition, script, { crashes: false });
  return script.filter((operation, i) => {
    if (operation.kind !== 'task' && operation.kind !== 'signal') return false;
    return traces[i]!.refused === undefined && traces[i]!.waiting <= (traces[i - 1]?.waiting ?? 0);
  }).length;
}

function definitionOf(machine: AnyStateMachine | ActorDefinition, options: DurableOptions): ActorDefinition {
  if ('driver' in machine) return machine as ActorDefinition;
  const input = Object.hasOwn(options, 'input') ? { input: () => options.input } : {};
  return defineActor({ type: 'checked', version: 1, machine, ...input });
}

function nothingChecked(definition: ActorDefinition, runs: number): Error {
  return new Error(
    `expectDurable checked nothing: in ${runs} runs '${definition.type}' took none of its events (${definition.driver.eventTypes.join(', ') || 'it has none'}). Give what they carry: expectDurable(machine, { events: { paid: { amount: 5 } } }).`,
  );
}
