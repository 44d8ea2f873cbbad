/** What people see of an actor's state: the answer to `query state`, and what time travel shows of an earlier one. */
import { type ActorDefinition, definitionFor } from './definition.ts';
import { effectIdOf } from './effect.ts';
import type { ChildView, InvokeKind, MachineView } from './machine/types.ts';
import type { ActorState } from './state.ts';
import { compareIds } from './step/draft.ts';

export interface TimerDescription {
  /** `<seq>.<n>`: what `troupe timers cancel` takes. */
  readonly id: string;
  /** Unix ms. */
  readonly dueAt: number;
  /** Type of the event that it makes. */
  readonly event: string;
  readonly path: string;
}

export interface EffectDescription {
  /** Global id. */
  readonly id: string;
  readonly kind: InvokeKind;
  readonly src: string;
  /** Unix ms. */
  readonly openedAt: number;
  /** Turn it belongs to; 0 for none. */
  readonly turn: number;
}

/** A whole state, for people. */
export interface StateDescription {
  readonly type: string;
  readonly key: string;
  readonly version: number;
  /** Last entry applied. */
  readonly seq: number;
  /** Time of the state, Unix ms. */
  readonly now: number;
  /** Entries folded since the beginning. */
  readonly count: number;
  /** Turns ended since the beginning. */
  readonly turns: number;
  readonly status: MachineView['status'];
  readonly value: unknown;
  readonly context: unknown;
  readonly output: unknown;
  readonly tags: readonly string[];
  readonly children: Readonly<Record<string, ChildView>>;
  readonly turn:
    | { readonly seq: number; readonly taskId: string; readonly openedAt: number; readonly deadlineAt: number }
    | undefined;
  readonly stash: { readonly depth: number; readonly bytes: number };
  readonly timers: readonly TimerDescription[];
  readonly effects: readonly EffectDescription[];
}

/**
 * Describes a state. `definition` is the newest code; the state may be of an older version that it lists.
 *
 * @example describeState(definition, state).value // 'idle'
 */
export function describeState(definition: ActorDefinition, state: ActorState): StateDescription {
  const code = definitionFor(definition, state.version) ?? definition;
  const view = state.machine === undefined ? undefined : code.driver.view(state.machine);
  const { turn } = state;
  return {
    type: state.address.type,
    key: state.address.key,
    version: state.version,
    seq: state.seq,
    now: state.now,
    count: state.count,
    turns: state.turns,
    status: view?.status ?? 'active',
    value: view?.value,
    context: view?.context,
    output: view?.output,
    tags: view?.tags ?? [],
    children: view?.children ?? {},
    turn: turn && {
      seq: turn.seq,
      taskId: turn.taskId,
      openedAt: turn.openedAt,
      deadlineAt: turn.deadlineAt,
    },
    stash: { depth: state.stash.length, bytes: state.stashBytes },
    timers: describeTimers(state),
    effects: inOrder(state.effects.values()).map((effect) => ({
      id: effectIdOf(state.address, effect.id),
      kind: effect.kind,
      src: effect.src,
      openedAt: effect.openedAt,
      turn: effect.turn,
    })),
  };
}

/** The timers that will fire, the next one first. */
export function describeTimers(state: ActorState): TimerDescription[] {
  const timers = inOrder(state.timers.values()).sort((a, b) => a.dueAt - b.dueAt);
  return timers.map((timer) => ({ id: timer.id, dueAt: timer.dueAt, event: timer.event.type, path: timer.path }));
}

/** By id, so that two folds that reach the same state are described alike. */
function inOrder<T extends { readonly id: string }>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => compareIds(a.id, b.id));
}
