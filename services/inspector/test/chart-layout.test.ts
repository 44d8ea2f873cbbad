import type { MachineBody, StateStructure, TransitionStructure } from '@troupe/wire';
import Elk from 'elkjs/lib/elk.bundled.js';
import { describe, expect, test } from 'vitest';
import { findOverlaps } from '../page/chart/geometry.ts';
import { buildGraph, type Measure } from '../page/chart/graph.ts';
import { layoutChart } from '../page/chart/layout.ts';

const elk = new Elk.default();
/** About as wide as DejaVu Sans, which is wider than most. */
const measure: Measure = (text, font) => text.length * (font === 'title' ? 9 : 7);

function state(id: string, kind: StateStructure['kind'], rest: Partial<StateStructure> = {}): StateStructure {
  const none = { initialActions: [], tags: [], entry: [], exit: [], invokes: [], transitions: [], states: [] };
  return { id, key: id.split('.').at(-1)!, kind, ...none, ...rest };
}

function transition(
  source: string,
  event: string,
  targets: readonly string[],
  rest: Partial<TransitionStructure> = {},
) {
  const kind = event === '' ? ('always' as const) : ('event' as const);
  return { id: `${source}|${event}|0`, event, kind, source, targets, actions: [], reenter: false, ...rest };
}

/** Parallel, nested, history, final and invoked parts; arrows across, inwards, outwards, staying, to two regions. */
const everything: MachineBody = {
  id: 'm',
  actors: {
    charge: { kind: 'promise' },
    courier: {
      kind: 'machine',
      machine: {
        id: 'c',
        actors: {},
        root: state('c', 'compound', {
          initial: 'c.waiting',
          states: [
            state('c.waiting', 'atomic', { transitions: [transition('c.waiting', 'PICKED_UP', ['c.there'])] }),
            state('c.there', 'final'),
          ],
        }),
      },
    },
  },
  root: state('m', 'compound', {
    initial: 'm.idle',
    transitions: [
      transition('m', 'RESET', ['m.idle'], { actions: ['clear'] }),
      transition('m', 'PING', []),
      transition('m', 'JUMP', ['m.work.left.two', 'm.work.right.b']),
    ],
    states: [
      state('m.idle', 'atomic', {
        entry: ['greet'],
        tags: ['calm'],
        transitions: [
          transition('m.idle', 'START', ['m.work'], { guard: 'isReady', actions: ['count', 'tell'] }),
          transition('m.idle', 'RESUME', ['m.work.left.memory']),
          transition('m.idle', 'AGAIN', ['m.idle'], { reenter: true }),
        ],
      }),
      state('m.work', 'parallel', {
        transitions: [
          transition('m.work', 'STOP', ['m.idle']),
          transition('m.work', '', ['m.end'], { guard: 'isOver' }),
        ],
        states: [
          state('m.work.left', 'compound', {
            initial: 'm.work.left.one',
            states: [
              state('m.work.left.one', 'atomic', {
                invokes: [{ id: 'pay', src: 'charge' }],
                transitions: [
                  transition('m.work.left.one', 'xstate.done.actor.pay', ['m.work.left.two'], { kind: 'done' }),
                  transition('m.work.left.one', 'xstate.error.actor.pay', ['m'], { kind: 'error' }),
                ],
              }),
              state('m.work.left.two', 'atomic', {
                transitions: [transition('m.work.left.two', 'BACK', ['m.work.left'], { reenter: true })],
              }),
              state('m.work.left.memory', 'history', { history: 'deep', initial: 'm.work.left.two' }),
            ],
          }),
          state('m.work.right', 'compound', {
            initial: 'm.work.right.a',
            states: [
              state('m.work.right.a', 'atomic', {
                invokes: [{ id: 'bring', src: 'courier' }],
                transitions: [
                  transition('m.work.right.a', 'xstate.after.1000.m', ['m.work.right.b'], {
                    kind: 'after',
                    delay: '1000',
                  }),
                ],
              }),
              state('m.work.right.b', 'final'),
            ],
          }),
        ],
      }),
      state('m.end', 'final'),
    ],
  }),
};

describe('the layout of a chart', () => {
  test('parallel, nested, history, final and invoked parts lie apart, and so do labels', async () => {
    const graph = buildGraph(everything, measure);
    const layout = await layoutChart(elk, graph);
    expect(findOverlaps(layout)).toEqual([]);
    const kinds = new Set(layout.boxes.map(({ box }) => box.kind));
    expect([...kinds].sort()).toEqual(
      ['atomic', 'compound', 'entry', 'final', 'history', 'initial', 'invoked', 'parallel'].sort(),
    );
  });

  test('every transition that leads somewhere is a line, from its state to its target', async () => {
    const layout = await layoutChart(elk, buildGraph(everything, measure));
    const places = new Map(layout.boxes.map((one) => [one.box.id, one]));
    const named = new Set(layout.edges.map(({ edge }) => edge.transitionId).filter((id) => id !== undefined));
    expect(named.size).toBe(11);
    for (const { edge, lines } of layout.edges) {
      const target = places.get(edge.target)!;
      const end = lines.at(-1)!.at(-1)!;
      expect(end.x, edge.id).toBeGreaterThanOrEqual(target.x - 1);
      expect(end.x, edge.id).toBeLessThanOrEqual(target.x + target.width + 1);
      expect(end.y, edge.id).toBeGreaterThanOrEqual(target.y - 1);
      expect(end.y, edge.id).toBeLessThanOrEqual(target.y + target.height + 1);
    }
  });

  test('what stays in its state is told by a line of its box', () => {
    const { root } = buildGraph(everything, measure);
    expect(root.lines).toContain('PING');
    const idle = root.children.find(({ id }) => id === 'm.idle')!;
    expect(idle.lines).toEqual(['entry / greet', '↻ AGAIN', '# calm']);
    expect(idle.inside).toEqual(['m.idle|AGAIN|0']);
  });

  test('states and transitions of an invoked machine are named behind its node path', () => {
    const { edges } = buildGraph(everything, measure);
    expect(edges.map(({ transitionId }) => transitionId)).toContain('bring#c.waiting|PICKED_UP|0');
  });

  test('the check of overlaps sees a box and a label that were moved onto another', async () => {
    const layout = await layoutChart(elk, buildGraph(everything, measure));
    const idle = layout.boxes.find(({ box }) => box.id === 'm.idle')!;
    const moved = layout.boxes.map((one) => (one.box.id === 'm.end' ? { ...one, x: idle.x + 2, y: idle.y + 2 } : one));
    expect(findOverlaps({ ...layout, boxes: moved })).toContain('m.idle lies over m.end');
    const edges = layout.edges.map((one) =>
      one.label === undefined ? one : { ...one, label: { ...one.label, x: idle.x, y: idle.y } },
    );
    expect(findOverlaps({ ...layout, edges }).length).toBeGreaterThan(1);
  });

  test('forty random machines are drawn with nothing over anything else', { timeout: 60_000 }, async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const layout = await layoutChart(elk, buildGraph(randomMachine(seed), measure));
      expect(findOverlaps(layout), `seed ${seed}`).toEqual([]);
    }
  });
});

/** Nested up to four deep, with about as many transitions as states, between any two of them. */
function randomMachine(seed: number): MachineBody {
  const random = generator(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const make = (id: string, depth: number, kinds: readonly StateStructure['kind'][]): StateStructure => {
    const kind = depth === 0 ? 'atomic' : pick(kinds);
    const entry = random() < 0.3 ? ['note', 'greet'] : [];
    if (kind === 'atomic') return state(id, kind, { entry });
    const inner: readonly StateStructure['kind'][] =
      kind === 'parallel' ? ['compound', 'atomic'] : ['atomic', 'compound', 'atomic', 'parallel'];
    const states = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, at) =>
      make(`${id}.s${at}`, depth - 1, inner),
    );
    if (kind === 'parallel') return state(id, kind, { states, entry });
    if (random() < 0.3) states.push(state(`${id}.h`, 'history', { history: 'shallow' }));
    if (random() < 0.3) states.push(state(`${id}.f`, 'final'));
    return state(id, kind, { states, entry, initial: states[0]!.id });
  };
  const root = make('m', 1 + (seed % 4), ['compound', 'parallel']);
  const all = flatten(root);
  const sources = all.filter(({ kind }) => kind !== 'final' && kind !== 'history');
  const transitions = all.map((_, at) => {
    const guard = random() < 0.3 ? { guard: 'isReady' } : {};
    return transition(pick(sources).id, `EVENT_${at}`, [pick(all).id], {
      actions: random() < 0.3 ? ['note'] : [],
      ...guard,
    });
  });
  const withTransitions = (one: StateStructure): StateStructure => ({
    ...one,
    states: one.states.map(withTransitions),
    transitions: transitions.filter(({ source }) => source === one.id),
  });
  return { id: 'm', actors: {}, root: withTransitions(root) };
}

function flatten(one: StateStructure): StateStructure[] {
  return [one, ...one.states.flatMap(flatten)];
}

function generator(seed: number): () => number {
  let now = (seed * 2_654_435_761) >>> 0;
  return () => {
    now = (Math.imul(now, 1_664_525) + 1_013_904_223) >>> 0;
    return now / 2 ** 32;
  };
}
