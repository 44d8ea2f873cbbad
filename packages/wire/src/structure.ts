/** A machine as data: what a page needs to draw it. Plain JSON, without any code of the machine's. */

/** What a node of an actor runs. `machine` and `transition` are stepped inside the actor. */
export type NodeKind = 'machine' | 'transition' | 'promise' | 'callback' | 'observable' | 'ask' | 'tool';

/** A transition as written in the machine. */
export interface TransitionStructure {
  /** `<source id>|<event>|<n>`, n counting from 0 among those of one source and event. Observations name it. */
  readonly id: string;
  /** Event descriptor: a type, `a.*`, `*`, one of the engine's (`xstate.done.actor.x`), or `''` for `always`. */
  readonly event: string;
  readonly kind: 'event' | 'always' | 'after' | 'done' | 'error';
  /** Of `after`: milliseconds, or the name of the delay. */
  readonly delay?: string;
  /** Id of the state that has it. */
  readonly source: string;
  /** Ids of the states entered; none when it stays where it is. */
  readonly targets: readonly string[];
  /** Name of the guard; `(inline)` for a function without one. */
  readonly guard?: string;
  readonly actions: readonly string[];
  readonly reenter: boolean;
  readonly description?: string;
}

/** Something that a state starts on entry and stops on exit. */
export interface InvokeStructure {
  readonly id: string;
  /** Name under `setup({ actors })`. */
  readonly src: string;
}

/** A state with the states inside it, in the order of the machine's text. */
export interface StateStructure {
  /** Unique in the machine, for example `order.paying.card`. */
  readonly id: string;
  readonly key: string;
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly history?: 'shallow' | 'deep';
  /** Of a compound state: id of the state that it starts in. Of a history state: its default, if it has one. */
  readonly initial?: string;
  /** Actions of the initial transition. */
  readonly initialActions: readonly string[];
  readonly tags: readonly string[];
  readonly description?: string;
  /** As written; left out when it isn't plain JSON data. */
  readonly meta?: unknown;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly invokes: readonly InvokeStructure[];
  readonly transitions: readonly TransitionStructure[];
  readonly states: readonly StateStructure[];
}

/** What stands under `setup({ actors })`. */
export interface LogicStructure {
  readonly kind: NodeKind;
  /** Of a machine that is stepped inside the actor. */
  readonly machine?: MachineBody;
}

/** A machine, without who has it. */
export interface MachineBody {
  readonly id: string;
  readonly root: StateStructure;
  readonly actors: Readonly<Record<string, LogicStructure>>;
}

/** The machine of an actor type. */
export interface MachineStructure extends MachineBody {
  readonly type: string;
  readonly version: number;
  /** Of the definition: changes whenever the structure may have. */
  readonly hash: string;
}

/**
 * Ids of the active states, outermost first, of a state value.
 *
 * @param value as XState writes it: `'idle'`, `{ paying: 'card' }`, `{ left: 'a', right: { b: 'c' } }`.
 * @example activeStateIds(structure.root, { paying: 'card' }) // ['order', 'order.paying', 'order.paying.card']
 */
export function activeStateIds(root: StateStructure, value: unknown): string[] {
  const ids = [root.id];
  const inner = typeof value === 'string' ? { [value]: {} } : value;
  if (typeof inner !== 'object' || inner === null) return ids;
  for (const [key, below] of Object.entries(inner)) {
    const state = root.states.find((one) => one.key === key);
    if (state !== undefined) ids.push(...activeStateIds(state, below));
  }
  return ids;
}
