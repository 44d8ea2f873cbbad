/** What is drawn of a machine, and how large: the input of the layout. Pure; how wide text is comes from outside. */
import type { LogicStructure, MachineBody, StateStructure, TransitionStructure } from '@troupe/wire';
import { cut, eventLabel, isUnnamed } from '../text.ts';

/** Width of a text, px. */
export type Measure = (text: string, font: ChartFont) => number;
export type ChartFont = 'title' | 'line';

export type BoxKind = StateStructure['kind'] | 'invoked' | 'initial' | 'entry';

/** A state, a machine inside a state, or one of the dots where arrows begin and end. */
export interface GraphBox {
  /** Of a state: its id, behind `<node path>#` in an invoked machine. */
  readonly id: string;
  readonly kind: BoxKind;
  readonly title: string;
  readonly lines: readonly string[];
  /** Deep history; a region of a parallel state; the state that has it. */
  readonly deep: boolean;
  readonly region: boolean;
  readonly state: StateStructure | undefined;
  /** Transitions that stay, with the line that tells each. */
  readonly inside: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly headerHeight: number;
  readonly children: readonly GraphBox[];
}

export interface GraphEdge {
  readonly id: string;
  /** What observations call it, behind `<node path>#`; undefined for the arrow to an initial state. */
  readonly transitionId: string | undefined;
  readonly source: string;
  readonly target: string;
  readonly lines: readonly string[];
  readonly labelWidth: number;
  readonly labelHeight: number;
}

export interface Graph {
  readonly root: GraphBox;
  readonly edges: readonly GraphEdge[];
}

/** Heights, px; the style sheet's font sizes belong to them. */
export const SIZES = { title: 22, line: 16, stats: 14, padding: 10, gap: 12, dot: 12, history: 26, labelPadding: 6 };
const TEXT_MAX = 44;
const LINES_MAX = 8;
/** Machines inside machines are drawn so deep. */
const DEPTH_MAX = 4;
/** What counts and times take beside the title. */
const STATS_WIDTH_MIN = 92;

/** @example buildGraph(structure, measure).edges.length */
export function buildGraph(machine: MachineBody, measure: Measure): Graph {
  const edges: GraphEdge[] = [];
  const builder = new Builder(measure, edges);
  return { root: builder.machine(machine, '', 0), edges };
}

/** As boxes and edges name a state or transition of the machine at a node path. */
export function qualified(path: string, id: string): string {
  return path === '' ? id : `${path}#${id}`;
}

class Builder {
  readonly #measure: Measure;
  readonly #edges: GraphEdge[];

  constructor(measure: Measure, edges: GraphEdge[]) {
    this.#measure = measure;
    this.#edges = edges;
  }

  machine(machine: MachineBody, path: string, depth: number): GraphBox {
    return this.#state(machine.root, { machine, path, depth, region: false });
  }

  #state(state: StateStructure, at: Place): GraphBox {
    const id = qualified(at.path, state.id);
    if (state.kind === 'history') return this.#history(state, id, at);
    const outside: TransitionStructure[] = [];
    const staying: TransitionStructure[] = [];
    for (const one of state.transitions) (stays(one) ? staying : outside).push(one);
    const children = [
      ...state.states.map((below) => this.#state(below, { ...at, region: state.kind === 'parallel' })),
      ...this.#invoked(state, at),
      ...this.#initial(state, id, at),
    ];
    children.push(...this.#arrows(state, id, outside, at));
    return this.#box(state, id, at.region, staying, children);
  }

  #history(state: StateStructure, id: string, at: Place): GraphBox {
    if (state.initial !== undefined) this.#edge(`${id}|default`, undefined, id, qualified(at.path, state.initial), []);
    return dot(id, 'history', SIZES.history, { title: state.key, deep: state.history === 'deep', state });
  }

  /** Machines that run inside while the state is active. */
  #invoked(state: StateStructure, at: Place): GraphBox[] {
    if (at.depth >= DEPTH_MAX) return [];
    return state.invokes.flatMap(({ id, src }) => {
      const logic: LogicStructure | undefined = at.machine.actors[src];
      if (logic?.machine === undefined) return [];
      const path = at.path === '' ? id : `${at.path}/${id}`;
      const root = this.machine(logic.machine, path, at.depth + 1);
      return [{ ...root, kind: 'invoked' as const, title: cut(isUnnamed(id) ? src : `${id}: ${src}`, TEXT_MAX) }];
    });
  }

  #initial(state: StateStructure, id: string, at: Place): GraphBox[] {
    if (state.kind !== 'compound' || state.initial === undefined) return [];
    const from = `${id}|initial`;
    const actions = actionLine(state.initialActions);
    this.#edge(`${from}>`, undefined, from, qualified(at.path, state.initial), actions === '' ? [] : [actions]);
    return [dot(from, 'initial', SIZES.dot, { title: '' })];
  }

  /**
   * One edge for each target. An arrow between a state and one around it would have to run along its own border, so it begins
   * or ends at a dot inside the outer one.
   *
   * @returns the dots that belong into this state.
   */
  #arrows(state: StateStructure, id: string, transitions: readonly TransitionStructure[], at: Place): GraphBox[] {
    const dots: GraphBox[] = [];
    for (const transition of transitions) {
      for (const [index, targetId] of transition.targets.entries()) {
        const name = qualified(at.path, transition.id);
        const edgeId = index === 0 ? name : `${name}>${index}`;
        const lines = index === 0 ? transitionLines(transition) : [];
        const target = qualified(at.path, targetId);
        if (contains(state, targetId)) {
          const from = `${edgeId}|from`;
          dots.push(dot(from, 'entry', SIZES.dot, { title: '' }));
          this.#edge(edgeId, name, from, target, lines);
        } else this.#edge(edgeId, name, id, target, lines);
      }
    }
    return dots;
  }

  #edge(id: string, transitionId: string | undefined, source: string, target: string, lines: readonly string[]): void {
    const shown = lines.map((line) => cut(line, TEXT_MAX));
    // Room for the count behind the first line.
    const width = shown.length === 0 ? 0 : Math.max(...shown.map((line) => this.#measure(line, 'line')), 30) + 44;
    const labelHeight = shown.length === 0 ? 0 : shown.length * SIZES.line + SIZES.labelPadding;
    this.#edges.push({ id, transitionId, source, target, lines: shown, labelWidth: Math.ceil(width), labelHeight });
  }

  #box(
    state: StateStructure,
    id: string,
    region: boolean,
    staying: readonly TransitionStructure[],
    children: readonly GraphBox[],
  ): GraphBox {
    const lines = stateLines(state, staying).map((line) => cut(line, TEXT_MAX));
    const title = cut(state.key, TEXT_MAX);
    const width = Math.max(
      this.#measure(title, 'title') + 8,
      STATS_WIDTH_MIN,
      ...lines.map((line) => this.#measure(line, 'line')),
    );
    const headerHeight = SIZES.padding + SIZES.title + SIZES.stats + lines.length * SIZES.line + 6;
    return {
      id,
      kind: state.kind,
      title,
      lines,
      deep: false,
      region,
      state,
      inside: staying.map((one) => one.id),
      width: Math.ceil(width + 2 * SIZES.gap),
      height: Math.ceil(headerHeight),
      headerHeight: Math.ceil(headerHeight),
      children,
    };
  }
}

interface Place {
  readonly machine: MachineBody;
  readonly path: string;
  readonly depth: number;
  readonly region: boolean;
}

function dot(
  id: string,
  kind: BoxKind,
  size: number,
  rest: { readonly title: string; readonly deep?: boolean; readonly state?: StateStructure },
): GraphBox {
  const { title, deep = false, state } = rest;
  const empty = { lines: [], inside: [], region: false, children: [] };
  return { ...empty, id, kind, title, deep, state, width: size, height: size, headerHeight: 0 };
}

/** Told by a line of the box: it enters nothing, or only the state that it leaves. */
function stays({ targets, source }: TransitionStructure): boolean {
  return targets.length === 0 || (targets.length === 1 && targets[0] === source);
}

function contains(state: StateStructure, id: string): boolean {
  return state.states.some((below) => below.id === id || contains(below, id));
}

function stateLines(state: StateStructure, staying: readonly TransitionStructure[]): string[] {
  const lines = [
    ...(state.entry.length > 0 ? [`entry / ${actionNames(state.entry)}`] : []),
    ...(state.exit.length > 0 ? [`exit / ${actionNames(state.exit)}`] : []),
    ...state.invokes.map(({ id, src }) => `runs ${src}${id.includes(src) || isUnnamed(id) ? '' : ` as ${id}`}`),
    ...staying.map((one) => `${one.targets.length > 0 ? '↻ ' : ''}${transitionLines(one).join(' ')}`),
    ...(state.tags.length > 0 ? [`# ${state.tags.join(' ')}`] : []),
  ];
  return lines.length <= LINES_MAX
    ? lines
    : [...lines.slice(0, LINES_MAX - 1), `and ${lines.length - LINES_MAX + 1} more`];
}

function transitionLines(transition: TransitionStructure): string[] {
  const guard = transition.guard === undefined ? '' : ` [${transition.guard}]`;
  const actions = actionLine(transition.actions);
  return [`${eventLabel(transition.event, transition.delay)}${guard}`, ...(actions === '' ? [] : [actions])];
}

function actionLine(actions: readonly string[]): string {
  return actions.length === 0 ? '' : `/ ${actionNames(actions)}`;
}

/** Those of Troupe and of the engine (`troupe.reply`, `xstate.assign`) by what they are called in code. */
function actionNames(actions: readonly string[]): string {
  return actions.map((name) => name.replace(/^(troupe|xstate)\./, '')).join(', ');
}
