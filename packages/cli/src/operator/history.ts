/** History with states, opened with the project's definitions; and what forks of it are written with. */
import type { ActorDefinition } from '@troupe/core';
import { type Fork, forkState, type History } from '@troupe/inspect';
import type { OpenPorts } from '@troupe/service-worker';
import { type ActorAddress, formatAddress } from '@troupe/wire';
import type { CommandContext } from '../context.ts';
import { usageError } from '../usage-error.ts';
import { type AppliedEntry, applyEntry, operatorName } from './apply-entry.ts';

/** @throws TroupeError `ConfigInvalid` without a config file. */
export async function openStates(context: CommandContext, what: string): Promise<History> {
  const { config } = await context.requireConfig(what);
  const { ports } = await context.operator();
  const { openHistory } = await import('@troupe/inspect');
  return openHistory({ ports, actors: config.actors });
}

/** A fork that was looked at and found possible, and is not written yet. */
export interface PlannedFork {
  readonly from: ActorAddress;
  readonly to: ActorAddress;
  /** Entry that the state is of. */
  readonly seq: number;
  readonly fork: Fork;
}

/**
 * Looks whether a fork can be made; writes nothing. Undefined when the actor had no entry yet.
 *
 * @throws TroupeError `Usage` when there is an actor under the new address, or when effects would run again and nobody said
 *   that they may.
 */
export async function planFork(
  context: CommandContext,
  history: History,
  from: ActorAddress,
  to: ActorAddress,
  seq: number,
): Promise<PlannedFork | undefined> {
  const open = await context.operator();
  await assertFree(open, to);
  const state = await history.of(from).actorState(seq);
  if (state === undefined) return undefined;
  const fork = forkState(history.definition(from.type) as ActorDefinition, state, to, Date.now());
  if (fork.effects.length > 0 && !context.has('run-effects')) {
    const running = fork.effects.map(({ src }) => src).join(', ');
    throw usageError(
      `At entry ${state.seq} ${formatAddress(from)} was running ${running}, which ${formatAddress(to)} would run again. Add --run-effects if it may, or choose another sequence.`,
    );
  }
  return { from, to, seq: state.seq, fork };
}

/** What a planned fork has become. */
export interface MadeFork extends AppliedEntry {
  readonly from: string;
  /** Entry of the original that the state is of. */
  readonly fromSeq: number;
  /** Effects begun again, by name. */
  readonly effects: readonly string[];
  /** Asks of the original that end by their timeouts. */
  readonly asks: readonly string[];
}

/** Writes it. @throws TroupeError what the new actor refused it with. */
export async function makeFork(context: CommandContext, { from, to, seq, fork }: PlannedFork): Promise<MadeFork> {
  const open = await context.operator();
  const applied = await applyEntry(context, open, to, { kind: 'import', by: operatorName(), state: fork.state });
  return {
    ...applied,
    from: formatAddress(from),
    fromSeq: seq,
    effects: fork.effects.map(({ src }) => src),
    asks: fork.asks.map(({ src }) => src),
  };
}

export const RUN_EFFECTS = {
  'run-effects': { meaning: 'Effects that were running may be run again: tools are called, money is spent.' },
} as const;

/** A fork never replaces anybody. */
async function assertFree({ ports }: OpenPorts, address: ActorAddress): Promise<void> {
  const stored = await ports.snapshots.load(ports.journal.partitionOf(address), address);
  let isFree = stored === undefined;
  if (isFree) for await (const _entry of ports.journal.readActor(address, { last: 1 })) isFree = false;
  if (isFree) return;
  throw usageError(`There is an actor ${formatAddress(address)} already. Choose another key: a fork replaces nobody.`);
}
