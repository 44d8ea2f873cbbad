/**
 * An actor's state as it is stored: plain data for the codec, and back.
 *
 * Invariants
 * 1. Restoring what was stored gives a state that behaves the same in every step.
 * 2. Two folds that reach the same state store the same data in the same order: maps are sorted,
 *    and what time has made meaningless is left out.
 */
import type { ActorAddress } from '@troupe/wire';
import { formatAddress, TroupeError } from '@troupe/wire';
import type { ActorDefinition } from './definition.ts';
import { nextDueAt } from './next-due.ts';
import { PersistentMap } from './persistent-map.ts';
import {
  type ActorState,
  emptyState,
  type OpenEffect,
  type OpenTurn,
  type PendingTimer,
  type SenderMark,
} from './state.ts';
import { compareIds } from './step/draft.ts';
import { type StoredTaskMemory, TaskMemory } from './task-memory.ts';

/** Version of the stored form. Raised only together with an upgrade below. */
export const STATE_FORMAT = 1;

/** An open turn as stored. */
export interface StoredTurn extends Omit<OpenTurn, 'start'> {
  readonly start:
    | { readonly machine: unknown; readonly effects: readonly OpenEffect[]; readonly timers: readonly PendingTimer[] }
    | undefined;
}

/** The stored form of an actor's state. */
export interface StoredActorState {
  readonly format: number;
  readonly engine: string;
  readonly type: string;
  readonly key: string;
  readonly version: number;
  readonly hash: string;
  readonly seq: number;
  readonly now: number;
  readonly count: number;
  readonly machine: unknown;
  readonly turn: StoredTurn | undefined;
  readonly stash: ActorState['stash'];
  readonly effects: readonly OpenEffect[];
  readonly timers: readonly PendingTimer[];
  readonly tasks: StoredTaskMemory;
  readonly senders: readonly (readonly [string, SenderMark])[];
  readonly redriven: readonly number[];
  readonly recent: ActorState['recent'];
  readonly turns: number;
  readonly activeAt: number;
}

/**
 * The stored form of a state, for `encodeState` of wire.
 * @throws `NotStorable` when the machine holds what no codec can keep (the step refuses that before).
 */
export function storeState(definition: ActorDefinition, state: ActorState): StoredActorState {
  const { driver } = definition;
  const { turn } = state;
  const start = turn?.start;
  return {
    format: STATE_FORMAT,
    engine: driver.engine,
    type: state.address.type,
    key: state.address.key,
    version: state.version,
    hash: state.hash,
    seq: state.seq,
    now: state.now,
    count: state.count,
    machine: state.machine === undefined ? undefined : driver.persist(state.machine),
    turn: turn && {
      ...turn,
      start: start && {
        machine: driver.persist(start.machine),
        effects: inOrder(start.effects),
        timers: inOrder(start.timers),
      },
    },
    stash: state.stash,
    effects: inOrder(state.effects),
    timers: inOrder(state.timers),
    tasks: state.tasks.store(state.now),
    senders: [...state.senders.entries()]
      .filter(([, mark]) => mark.until >= state.now)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    redriven: state.redriven,
    recent: state.recent,
    turns: state.turns,
    activeAt: state.activeAt,
  };
}

/**
 * The state behind a stored form. `definition` must be the code of the stored version.
 * @throws TroupeError `JournalGap` when the form is not one of ours or belongs to another actor.
 */
export function decodeStoredState(definition: ActorDefinition, address: ActorAddress, stored: unknown): ActorState {
  const data = checkStored(address, stored);
  const { driver } = definition;
  const state: ActorState = {
    ...emptyState(address, data.version, data.hash),
    seq: data.seq,
    now: data.now,
    count: data.count,
    machine: data.machine === undefined ? undefined : driver.restore(data.machine),
    turn: restoreTurn(definition, data.turn),
    stash: data.stash,
    stashBytes: data.stash.reduce((sum, one) => sum + one.bytes, 0),
    effects: byId(data.effects),
    timers: byId(data.timers),
    tasks: TaskMemory.restore(data.tasks),
    senders: PersistentMap.from(data.senders),
    redriven: data.redriven,
    recent: data.recent,
    turns: data.turns,
    activeAt: data.activeAt,
  };
  return { ...state, nextDueAt: nextDueAt(definition, state) };
}

/** Just enough of a stored state to decide which code may read it. */
export function storedVersion(stored: unknown): {
  readonly version: number;
  readonly hash: string;
  readonly engine: string;
  readonly seq: number;
} {
  const data = stored as StoredActorState;
  return { version: data.version, hash: data.hash, engine: data.engine, seq: data.seq };
}

/** A state with its machine gone and everything open ended; what must be remembered stays. */
export function resetState(state: ActorState): ActorState {
  return {
    ...state,
    machine: undefined,
    turn: undefined,
    stash: [],
    stashBytes: 0,
    effects: PersistentMap.empty(),
    timers: PersistentMap.empty(),
    recent: [],
    nextDueAt: Number.POSITIVE_INFINITY,
  };
}

function restoreTurn(definition: ActorDefinition, turn: StoredTurn | undefined): OpenTurn | undefined {
  if (turn === undefined) return undefined;
  const { start } = turn;
  return {
    ...turn,
    start: start && {
      machine: definition.driver.restore(start.machine),
      effects: byId(start.effects),
      timers: byId(start.timers),
    },
  };
}

function checkStored(address: ActorAddress, stored: unknown): StoredActorState {
  const data = stored as Partial<StoredActorState> | null;
  if (typeof data !== 'object' || data === null || data.format !== STATE_FORMAT) {
    throw new TroupeError(
      'JournalGap',
      `The stored state of ${formatAddress(address)} has format ${JSON.stringify(data?.format)}; this code reads ${STATE_FORMAT}. Use the Troupe version that wrote it, or one newer than it.`,
    );
  }
  return data as StoredActorState;
}

function inOrder<T extends { readonly id: string }>(map: PersistentMap<T>): T[] {
  return [...map.values()].sort((a, b) => compareIds(a.id, b.id));
}

function byId<T extends { readonly id: string }>(items: readonly T[]): PersistentMap<T> {
  return PersistentMap.from(items.map((item) => [item.id, item] as const));
}
