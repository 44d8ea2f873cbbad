/**
 * Many actors that nobody has talked to for a while: what waking one costs, and what the idle ones cost the worker.
 *
 * Every actor is given its entries, then all are unloaded; what the worker holds then, less what it held before, is the
 * cost of the idle ones. Waking is measured by asks to actors in random order, one at a time, less the time of an ask to
 * an actor that is loaded.
 */
import { connect, type Troupe } from '@troupe/client';
import { startServerProcess } from '@troupe/nats';
import { TYPE } from './machine.ts';
import { WorkerProcess } from './processes.ts';
import { progress, type Report } from './report.ts';
import { quantile } from './statistics.ts';

export interface ColdActorsOptions {
  readonly actors: number;
  readonly entriesPerActor: number;
}

const WAKES = 2_000;
const IN_FLIGHT = 1_024;
/** Unloads soon, so that the benchmark need not wait. */
const WORKER_OPTIONS = { idleUnloadMs: 1_000 };
const UNLOAD_TIMEOUT_MS = 120_000;

interface Stats {
  readonly resident: number;
  readonly counters: { readonly entries: number };
}

export async function benchColdActors({ actors, entriesPerActor }: ColdActorsOptions, report: Report): Promise<void> {
  await using server = await startServerProcess();
  await using stack = new AsyncDisposableStack();
  const worker = await WorkerProcess.start('troupe-worker.ts', [
    server.url,
    TYPE,
    'one',
    JSON.stringify(WORKER_OPTIONS),
  ]);
  stack.defer(() => worker.stop());
  const troupe = await connect({ url: server.url });
  stack.defer(() => troupe.close());
  await fill(troupe, 1_000, 1);
  await unloaded(worker);
  const before = await memoryOf(worker);
  await fill(troupe, actors, entriesPerActor);
  await unloaded(worker);
  const after = await memoryOf(worker);
  const cold = await askLatencies(troupe, actors, 'random');
  const warm = await askLatencies(troupe, actors, 'same');
  report({
    name: 'cold-actors',
    actors,
    entries: actors * entriesPerActor,
    wakeP50Ms: quantile(cold, 0.5) - quantile(warm, 0.5),
    askColdP50Ms: quantile(cold, 0.5),
    askColdP99Ms: quantile(cold, 0.99),
    askWarmP50Ms: quantile(warm, 0.5),
    heapBytesPerIdleActor: (after.heapUsed - before.heapUsed) / actors,
    residentBytesPerIdleActor: (after.rss - before.rss) / actors,
  });
}

async function fill(troupe: Troupe, actors: number, entriesPerActor: number): Promise<void> {
  progress(`  writing ${actors * entriesPerActor} entries to ${actors} actors`);
  const total = actors * entriesPerActor;
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < total) {
      const n = next++;
      await troupe.actor(TYPE, `cold-${n % actors}`).ask('x', { named: false });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, writer));
}

async function unloaded(worker: WorkerProcess): Promise<void> {
  const endAt = performance.now() + UNLOAD_TIMEOUT_MS;
  for (;;) {
    const { resident } = (await worker.ask('stats')) as Stats;
    if (resident === 0) return;
    if (performance.now() > endAt) throw new Error(`${resident} idle actors are still loaded`);
    await new Promise((resolve) => {
      setTimeout(resolve, 250);
    });
  }
}

/** After a full collection. The heap is what the actors cost; of what they took while loaded, Node may keep some pages. */
async function memoryOf(worker: WorkerProcess): Promise<NodeJS.MemoryUsage> {
  return (await worker.ask('collect')) as NodeJS.MemoryUsage;
}

async function askLatencies(troupe: Troupe, actors: number, which: 'random' | 'same'): Promise<Float64Array> {
  const latencies = new Float64Array(Math.min(WAKES, actors));
  for (let i = 0; i < latencies.length; i++) {
    // A stride that shares no factor with the count visits each actor once, in no order.
    const n = which === 'same' ? 0 : (i * 7_919) % actors;
    const from = performance.now();
    await troupe.actor(TYPE, `cold-${n}`).ask('x', { named: false });
    latencies[i] = performance.now() - from;
  }
  return latencies.sort();
}
