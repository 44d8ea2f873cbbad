/**
 * What looking inside costs: CPU per turn of server and worker together.
 *
 * - `observation-idle`: a worker that anybody may watch, and nobody does, over one that can't be watched.
 * - `observation-watched`: the same worker with one watcher of everything, over itself without.
 *
 * Pairs are interleaved, and begin with the one and the other in turn. Two processes of the same code never run quite alike,
 * so every few pairs both are started afresh.
 */
import { connect } from '@troupe/client';
import { watchActors } from '@troupe/inspect';
import { connectNats, createNatsPorts, resolveConfig, startServerProcess } from '@troupe/nats';
import { createSubjects } from '@troupe/wire';
import { cpuSeconds } from './cpu.ts';
import { type Caller, runLoad, SESSIONS } from './load.ts';
import { TYPE } from './machine.ts';
import { WorkerProcess } from './processes.ts';
import { progress, type Report } from './report.ts';
import { meanOf, median } from './statistics.ts';

export interface ObservationOptions {
  /** How often both are started afresh. */
  readonly generations: number;
  /** In each generation. */
  readonly pairs: number;
  readonly callers: number;
  readonly roundMs: number;
}

interface Site {
  readonly caller: Caller;
  readonly pids: readonly (number | undefined)[];
  /** Begins to watch everything. @returns how to stop, with how much was seen. */
  watch(): Promise<() => Promise<Seen>>;
  close(): Promise<void>;
}

interface Seen {
  readonly steps: number;
  readonly dropped: number;
}

const INPUT = 'm'.repeat(198);
const WARM_UP_MS = 5_000;
/** A watch reaches the worker, or ends there, within it. */
const SWITCH_MS = 100;
/** As real workers look for subscribers. */
const PROBE_MS = 2_000;

export async function benchObservation(options: ObservationOptions, report: Report): Promise<void> {
  const { generations, pairs, callers, roundMs } = options;
  const idle: number[] = [];
  const watched: number[] = [];
  const cpu: number[] = [];
  const seen: Seen[] = [];
  for (let generation = 0; generation < generations; generation++) {
    progress(`  observation: ${generation + 1} of ${generations}`);
    await using stack = new AsyncDisposableStack();
    const off = await openSite({ observe: false });
    stack.defer(() => off.close());
    const on = await openSite({ watchProbeMs: PROBE_MS });
    stack.defer(() => on.close());
    for (const site of [off, on]) await runLoad(site.caller, callers, WARM_UP_MS);
    const measure = (site: Site): Promise<number> => cpuPerTurn(site, callers, roundMs);
    for (let pair = 0; pair < pairs; pair++) {
      const [first, second] = pair % 2 === 0 ? [off, on] : [on, off];
      const [one, other] = [await measure(first), await measure(second)];
      idle.push(first === on ? one / other : other / one);
    }
    const measureWatched = async (): Promise<number> => {
      const stop = await on.watch();
      const figure = await measure(on);
      seen.push(await stop());
      return figure;
    };
    for (let pair = 0; pair < pairs; pair++) {
      const before = pair % 2 === 0 ? await measure(on) : undefined;
      const with1 = await measureWatched();
      const without = before ?? (await measure(on));
      cpu.push(without);
      watched.push(with1 / without);
    }
  }
  const common = { callers, pairs: idle.length };
  report({ name: 'observation-idle', ...common, ...ratioOf(idle) });
  report({
    name: 'observation-watched',
    ...common,
    ...ratioOf(watched),
    cpuSecondsPer10kTurns: median(cpu),
    stepsSeenPerSecond: median(seen.map(({ steps }) => steps / (roundMs / 1_000))),
    droppedPerSecond: median(seen.map(({ dropped }) => dropped / (roundMs / 1_000))),
  });
}

function ratioOf(ratios: readonly number[]): {
  readonly ratio: number;
  readonly low95: number;
  readonly high95: number;
} {
  const { mean, low, high } = meanOf(ratios);
  return { ratio: mean, low95: low, high95: high };
}

async function openSite(more: object): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServerProcess());
  const worker = await WorkerProcess.start('troupe-worker.ts', [server.url, TYPE, 'one', '{}', JSON.stringify(more)]);
  stack.defer(() => worker.stop());
  const troupe = await connect({ url: server.url });
  stack.defer(() => troupe.close());
  const connection = await connectNats({ servers: server.url, name: 'bench-watcher' });
  const { bus, close } = portsOf(connection);
  stack.defer(close);
  const actors = Array.from({ length: SESSIONS }, (_, n) => troupe.actor(TYPE, `s${n}`));
  const all = stack.move();
  return {
    caller: { call: (session) => actors[session]!.ask(INPUT) },
    pids: [server.pid, worker.pid],
    watch: () => watchAll(bus),
    close: () => all.disposeAsync(),
  };
}

function portsOf(connection: Awaited<ReturnType<typeof connectNats>>): {
  readonly bus: ReturnType<typeof createNatsPorts>['bus'];
  close(): Promise<void>;
} {
  const ports = createNatsPorts(connection, resolveConfig({}));
  return { bus: ports.bus, close: () => ports.close() };
}

async function watchAll(bus: ReturnType<typeof createNatsPorts>['bus']): Promise<() => Promise<Seen>> {
  let steps = 0;
  let first: number | undefined;
  let last = 0;
  const watch = watchActors({
    bus,
    subjects: createSubjects(),
    onObservation: ({ kind, dropped }) => {
      if (kind === 'step') steps++;
      first ??= dropped;
      last = dropped;
    },
  });
  await pause();
  return async () => {
    watch.close();
    await pause();
    return { steps, dropped: last - (first ?? 0) };
  };
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SWITCH_MS));
}

/** Seconds of CPU per 10,000 turns. */
async function cpuPerTurn({ caller, pids }: Site, callers: number, forMs: number): Promise<number> {
  const before = cpuSeconds(pids);
  const { turns } = await runLoad(caller, callers, forMs);
  return ((cpuSeconds(pids) - before) / turns) * 10_000;
}
