/**
 * A state of one actor made into the beginning of another.
 *
 * Invariants
 * 1. The fork answers nobody who waits for the original: reply addresses and askers are left behind.
 * 2. What had five minutes left has five minutes left: due times move by the time that has passed since.
 * 3. What ran outside is begun again by the fork, under the fork's own effect ids; claims and positions in streams are not
 *    taken over. Asks under way were the original's: in the fork they end when their time is up.
 */
import {
  type ActorDefinition,
  type ActorState,
  effectIdOf,
  migrateState,
  type OpenEffect,
  type StashedInput,
  type StoredActorState,
  type StoredTurn,
  storeState,
  type TurnOrigin,
} from '@troupe/core';
import type { ActorAddress } from '@troupe/wire';

export interface Fork {
  /** For an `import` entry of the new actor. */
  readonly state: StoredActorState;
  /** What the fork begins again as soon as it is there: tools are called, money is spent. */
  readonly effects: readonly { readonly id: string; readonly src: string; readonly kind: string }[];
  /** Asks of the original that the fork waits for in vain. */
  readonly asks: readonly { readonly id: string; readonly src: string }[];
}

/**
 * Prepares a fork of a state.
 *
 * @param definition the newest code; the state may be of an older version that it migrates.
 * @param nowMs Unix ms: when the fork begins.
 * @throws TroupeError `MigrationMissing`, `MigrationFailed` when the state can't be taken to the newest version.
 * @example
 * const { state } = forkState(order, await line.actorState(1_017), { type: 'order', key: 'try' }, Date.now());
 * await ports.journal.append({ type: 'order', key: 'try' }, { kind: 'import', by: 'ann', state });
 */
export function forkState(
  definition: ActorDefinition,
  original: ActorState,
  target: ActorAddress,
  nowMs: number,
): Fork {
  const state = original.version === definition.version ? original : migrateState(definition, original, definition);
  const stored = storeState(definition, state);
  const passedMs = Math.max(0, nowMs - state.now);
  const effects = stored.effects.map((effect) => restarted(effect, passedMs));
  const named = (kind: boolean) =>
    stored.effects
      .filter((effect) => (effect.kind === 'ask') === kind)
      .map((effect) => ({ id: effectIdOf(target, effect.id), src: effect.src, kind: effect.kind }));
  return {
    effects: named(false),
    asks: named(true),
    state: {
      ...stored,
      type: target.type,
      key: target.key,
      now: nowMs,
      activeAt: nowMs,
      turn: stored.turn && movedTurn(stored.turn, passedMs),
      stash: stored.stash.map((input) => movedInput(input, passedMs)),
      effects,
      timers: stored.timers.map((timer) => ({ ...timer, dueAt: timer.dueAt + passedMs })),
      senders: [],
      redriven: [],
    },
  };
}

function restarted(effect: OpenEffect, passedMs: number): OpenEffect {
  const { openedAt, deadlineAt } = effect;
  return {
    ...effect,
    openedAt: openedAt + passedMs,
    deadlineAt: deadlineAt === undefined ? undefined : deadlineAt + passedMs,
    claim: undefined,
    run: 0,
    n: 0,
  };
}

function movedTurn(turn: StoredTurn, passedMs: number): StoredTurn {
  const { openedAt, deadlineAt, origin } = turn;
  return {
    ...turn,
    openedAt: openedAt + passedMs,
    deadlineAt: deadlineAt + passedMs,
    origin: nobody(origin),
    start: undefined,
  };
}

function movedInput(input: StashedInput, passedMs: number): StashedInput {
  const { at, deadlineAt, origin } = input;
  return { ...input, at: at + passedMs, deadlineAt: deadlineAt + passedMs, origin: origin && nobody(origin) };
}

/** Invariant 1. */
function nobody(origin: TurnOrigin): TurnOrigin {
  const contentType = origin.kind === 'client' ? origin.contentType : 'application/json';
  return { kind: 'client', replyTo: [], contentType, memoryId: undefined };
}
