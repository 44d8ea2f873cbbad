/** ELK in a worker of its own, started when the first chart is drawn. */

import type { MachineBody } from '@troupe/wire';
import ELK, { type ELK as Elk } from 'elkjs/lib/elk-api.js';
import { buildGraph } from './graph.ts';
import { type ChartLayout, layoutChart } from './layout.ts';
import { createMeasure } from './measure.ts';

let elk: Elk | undefined;
const kept = new Map<string, Promise<ChartLayout>>();
const KEPT_MAX = 16;

/** Lays a machine out, once for each `hash`. When ELK can't draw the arrows, the states come without them. */
export function chartOf(machine: MachineBody, hash: string): Promise<ChartLayout> {
  let found = kept.get(hash);
  if (found === undefined) {
    found = lay(machine);
    found.catch(() => kept.delete(hash));
    kept.set(hash, found);
    if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value!);
  }
  return found;
}

async function lay(machine: MachineBody): Promise<ChartLayout> {
  elk ??= new ELK({ workerFactory: () => new Worker('/elk-worker.js') });
  const graph = buildGraph(machine, createMeasure());
  try {
    return await layoutChart(elk, graph);
  } catch {
    return layoutChart(elk, { root: graph.root, edges: [] });
  }
}
