/** Which states are active, and what of a machine was in use how often and how long. Pure. */
import { activeStateIds, type MachineBody, type StateStructure } from '@troupe/wire';
import type { LiveState, LiveStep } from '../../src/live-protocol.ts';
import { qualified } from '../chart/graph.ts';
import { isLasting, localId } from './timeline-rows.ts';

/** Every machine of an actor by its node path; `''` is its own. */
export type Machines = ReadonlyMap<string, StateStructure>;

/** Machines inside machines are looked for so deep; as the chart draws them. */
const DEPTH_MAX = 4;

export function machinesOf(body: MachineBody): Machines {
  const found = new Map<string, StateStructure>();
  const visit = (machine: MachineBody, path: string, depth: number): void => {
    found.set(path, machine.root);
    if (depth >= DEPTH_MAX) return;
    for (const { id, src } of invokesOf(machine.root)) {
      const below = machine.actors[src]?.machine;
      if (below !== undefined) visit(below, path === '' ? id : `${path}/${id}`, depth + 1);
    }
  };
  visit(body, '', 0);
  return found;
}

function invokesOf(state: StateStructure): StateStructure['invokes'] {
  return [...state.invokes, ...state.states.flatMap((below) => [...invokesOf(below)])];
}

/** Names of the active states, those of invoked machines included, as the chart's boxes are named. */
export function activeBoxes(machines: Machines, state: Pick<LiveState, 'value' | 'children'>): readonly string[] {
  const root = machines.get('');
  if (root === undefined || state.value === undefined) return [];
  const ids = activeStateIds(root, state.value);
  for (const [path, child] of Object.entries(state.children)) {
    const below = machines.get(path);
    if (below === undefined || child.value === undefined) continue;
    if (child.status === 'active') ids.push(...activeStateIds(below, child.value).map((id) => qualified(path, id)));
  }
  return ids;
}

/** Names of the transitions that a step took, as the chart's edges are named. */
export function takenEdges(step: LiveStep): readonly string[] {
  return step.transitions.map(({ id, path }) => qualified(path, id));
}

/** How often and how long, and what it cost. */
export interface Usage {
  /** Of a state: stays. Of a transition: times taken. */
  count: number;
  /** Of a state: how long it was active, ms. Of a transition: always 0, it takes no time of the journal's. */
  timeMs: number;
  /** Entries applied while the state was active; of a transition, in whose step it was taken. */
  steps: number;
  /** Computing of those steps that were seen live, microseconds, and how many these were. The journal doesn't keep it. */
  stepUs: number;
  timed: number;
  /** Effects that its steps asked for: of a state, those asked for on the way into it or in it. */
  effects: number;
  /** How long those that have a beginning and an end ran, ms. */
  effectMs: number;
}

/** Effects whose end is awaited. */
const OPEN_MAX = 10_000;

/**
 * Counts, times and costs over the steps that were added, in order.
 *
 * A state's cost is that of what was applied while it was active, so a state around others has the cost of all of them.
 */
export class Activity {
  readonly states = new Map<string, Usage>();
  readonly transitions = new Map<string, Usage>();
  readonly #machines: Machines;
  readonly #known = new Map<string, readonly string[]>();
  readonly #open = new Map<string, { readonly at: number; readonly users: readonly Usage[] }>();
  #active: readonly string[] = [];
  #at = 0;
  #seq = 0;

  constructor(machines: Machines) {
    this.#machines = machines;
  }

  /** Sequence of the last step added. */
  get seq(): number {
    return this.#seq;
  }

  add(step: LiveStep): void {
    if (step.seq <= this.#seq) return;
    const spent = this.#at === 0 ? 0 : Math.max(0, step.at - this.#at);
    for (const id of this.#active) usage(this.states, id).timeMs += spent;
    const active = this.#activeAfter(step);
    const before = new Set(this.#active);
    for (const id of active) if (!before.has(id)) usage(this.states, id).count++;
    const edges = [...new Set(takenEdges(step))].map((id) => usage(this.transitions, id));
    for (const id of takenEdges(step)) usage(this.transitions, id).count++;
    this.#addCost(step, active, edges);
    this.#active = active;
    this.#at = step.at;
    this.#seq = step.seq;
  }

  #addCost(step: LiveStep, active: readonly string[], edges: readonly Usage[]): void {
    const { at, stepUs, effects, settled } = step;
    // The first entry finds no state yet: what is active after it pays.
    const payers = (this.#active.length === 0 ? active : this.#active).map((id) => usage(this.states, id));
    for (const payer of [...payers, ...edges]) {
      payer.steps++;
      if (stepUs === undefined) continue;
      payer.stepUs += stepUs;
      payer.timed++;
    }
    const users = [...active.map((id) => usage(this.states, id)), ...edges];
    for (const { id, kind } of effects) {
      for (const user of users) user.effects++;
      if (isLasting(kind) && this.#open.size < OPEN_MAX) this.#open.set(id, { at, users });
    }
    if (settled === undefined) return;
    const ended = this.#open.get(localId(settled));
    this.#open.delete(localId(settled));
    for (const user of ended?.users ?? []) user.effectMs += Math.max(0, at - ended!.at);
  }

  /** Few values come again and again. */
  #activeAfter({ after }: LiveStep): readonly string[] {
    const name = JSON.stringify([after.value, Object.keys(after.children).length === 0 ? 0 : after.children]);
    let ids = this.#known.get(name);
    if (ids === undefined) {
      if (this.#known.size > 1_000) this.#known.clear();
      ids = activeBoxes(this.#machines, after);
      this.#known.set(name, ids);
    }
    return ids;
  }
}

function usage(map: Map<string, Usage>, id: string): Usage {
  let found = map.get(id);
  if (found === undefined) {
    found = { count: 0, timeMs: 0, steps: 0, stepUs: 0, timed: 0, effects: 0, effectMs: 0 };
    map.set(id, found);
  }
  return found;
}

/** Event types that the active states have a transition for, innermost first. */
export function allowedEvents(root: StateStructure, value: unknown): readonly string[] {
  const active = new Set(activeStateIds(root, value));
  const found = new Set<string>();
  const visit = (state: StateStructure): void => {
    if (!active.has(state.id)) return;
    for (const below of state.states) visit(below);
    for (const { kind, event } of state.transitions) if (kind === 'event') found.add(event);
  };
  visit(root);
  return [...found].filter((event) => !event.startsWith('xstate.') && !event.includes('*'));
}
