/** What an operator sees of an actor's state, read from its journal. */
import { type ActorDefinition, type ActorState, definitionFor, type StoredActorState, storeState } from '@troupe/core';
import type { ActorAddress } from '@troupe/wire';

/** A timer that will fire, or an effect whose end is awaited. */
export interface PendingWork {
  /** `<seq>.<n>`: what `troupe timers cancel` takes. */
  readonly id: string;
  /** The event of a timer; the name of an effect. */
  readonly what: string;
  /** When it fires or times out, Unix ms; undefined for never. */
  readonly dueAt: number | undefined;
}

/** An actor's state as of one entry of its journal. */
export interface JournalState {
  readonly address: ActorAddress;
  /** Last entry that it stands for. */
  readonly seq: number;
  /** Time of that entry, Unix ms. */
  readonly at: number;
  /** Entries folded since the actor's beginning. */
  readonly count: number;
  readonly version: number;
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly value: unknown;
  readonly context: unknown;
  readonly output?: unknown;
  readonly tags: readonly string[];
  /** The open turn, if there is one. */
  readonly turn: { readonly taskId: string; readonly openedAt: number; readonly deadlineAt: number } | undefined;
  /** Inputs that wait for the turn to end or the state to change. */
  readonly waiting: number;
  readonly timers: readonly PendingWork[];
  readonly effects: readonly PendingWork[];
  /** All of it as stored, for export. */
  store(): StoredActorState;
}

/** The view of a state. `definition` is the newest code; the state may be of an older version that it lists. */
export function viewState(definition: ActorDefinition, state: ActorState): JournalState {
  const code = definitionFor(definition, state.version) ?? definition;
  const view = state.machine === undefined ? undefined : code.driver.view(state.machine);
  const { turn } = state;
  return {
    address: state.address,
    seq: state.seq,
    at: state.now,
    count: state.count,
    version: state.version,
    status: view?.status ?? 'active',
    value: view?.value,
    context: view?.context,
    ...(view?.output === undefined ? {} : { output: view.output }),
    tags: view?.tags ?? [],
    turn: turn && { taskId: turn.taskId, openedAt: turn.openedAt, deadlineAt: turn.deadlineAt },
    waiting: state.stash.length,
    timers: inOrder([...state.timers.values()].map(({ id, event, dueAt }) => ({ id, what: event.type, dueAt }))),
    effects: inOrder(
      [...state.effects.values()].map(({ id, src, deadlineAt }) => ({ id, what: src, dueAt: deadlineAt })),
    ),
    store: () => storeState(code, state),
  };
}

function inOrder(work: readonly PendingWork[]): PendingWork[] {
  return [...work].sort((a, b) => (a.dueAt ?? Number.POSITIVE_INFINITY) - (b.dueAt ?? Number.POSITIVE_INFINITY));
}
