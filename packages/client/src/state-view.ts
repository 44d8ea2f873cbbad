/** An actor's state as its owner answered it. */

/** The value of a machine's state: the name of one state, or an object per region. */
export type StateValue = string | { readonly [region: string]: StateValue };

/** A timer that waits. */
export interface TimerView {
  readonly id: string;
  /** Unix ms. */
  readonly dueAt: number;
  /** Type of the event it will send. */
  readonly event?: string;
  /** Of which child; empty for the actor itself. */
  readonly path?: string;
}

/** What the owner says about a state. */
export interface StateFields {
  readonly type: string;
  readonly key: string;
  /** Version of the definition that folded it. */
  readonly version: number;
  /** Sequence of the last entry in it. */
  readonly seq: number;
  /** The actor's time: that of its last entry, Unix ms. */
  readonly now: number;
  /** Entries folded since the actor's beginning. */
  readonly count: number;
  /** Turns ended since the actor's beginning. */
  readonly turns: number;
  /** `active`, `done`, `error` or `stopped`, as XState says. */
  readonly status: string;
  readonly value: StateValue;
  readonly context: unknown;
  /** Once it is done. */
  readonly output?: unknown;
  /** Why it failed. */
  readonly error?: unknown;
  /** Tags of the active states. */
  readonly tags: readonly string[];
  /** Child actors, by id, as far as the owner tells. */
  readonly children: unknown;
  /** The open turn; times in Unix ms. */
  readonly turn?:
    | { readonly seq: number; readonly taskId: string; readonly openedAt: number; readonly deadlineAt: number }
    | undefined;
  /** Tasks that wait for another state. */
  readonly stash: { readonly depth: number; readonly bytes: number };
  readonly timers: readonly TimerView[];
  /** Effects that are running. */
  readonly effects: readonly unknown[];
}

/**
 * A state, with the questions that XState's snapshots answer. A copy: it doesn't change when the actor does.
 *
 * @example
 * const state = await john.snapshot();
 * if (state.matches({ payment: 'open' }) && !state.hasTag('frozen')) console.log(state.context);
 */
export interface StateView extends StateFields {
  /**
   * True when the state is in `partial`: a state name (dots go deeper), or an object naming the regions that matter.
   */
  matches(partial: StateValue): boolean;
  /** True when an active state has this tag. */
  hasTag(tag: string): boolean;
}

/** What a view is when the owner leaves something out. */
const ABSENT: StateFields = {
  type: '',
  key: '',
  version: 0,
  seq: 0,
  now: 0,
  count: 0,
  turns: 0,
  status: 'active',
  value: {},
  context: undefined,
  tags: [],
  children: {},
  stash: { depth: 0, bytes: 0 },
  timers: [],
  effects: [],
};

/** Makes a view of an answer. */
export function toStateView(answer: Partial<StateFields>): StateView {
  const told = Object.entries(answer).filter(([, field]) => field !== undefined);
  const fields: StateFields = { ...ABSENT, ...Object.fromEntries(told) };
  return {
    ...fields,
    matches: (partial) => matchesState(partial, fields.value),
    hasTag: (tag) => fields.tags.includes(tag),
  };
}

/**
 * True when `value` is in `partial`, as XState's `matchesState` decides.
 *
 * @example matchesState('payment', { payment: 'open' }) // true
 */
export function matchesState(partial: StateValue, value: StateValue): boolean {
  const wanted = typeof partial === 'string' ? nest(partial) : partial;
  const seen = typeof value === 'string' ? nest(value) : value;
  if (typeof wanted === 'string') return typeof seen === 'string' ? wanted === seen : Object.hasOwn(seen, wanted);
  if (typeof seen === 'string') return false;
  return Object.keys(wanted).every((name) => Object.hasOwn(seen, name) && matchesState(wanted[name]!, seen[name]!));
}

/** `a.b.c` as `{ a: { b: 'c' } }`; a dot in a name is written `\.`. */
function nest(path: string): StateValue {
  if (!path.includes('.')) return path;
  const names = path.split(/(?<!\\)\./).map((name) => name.replaceAll('\\.', '.'));
  return names.reduceRight<StateValue>((inner, name) => (inner === '' ? name : { [name]: inner }), '');
}
