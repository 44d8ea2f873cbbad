/**
 * What more workers cost: turns per second and CPU per turn with one, two and four worker processes.
 *
 * Each size has a server of its own, with a journal of its own, and all of them stay up; rounds go through the sizes in turn, so
 * that whatever else the machine does meanwhile hits all. Workers that have nothing to do cost next to nothing: that is
 * measured too. CPU is counted by process, so it says what a turn costs also where the cores are too few to show it as speed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Troupe } from '@troupe/client';
import { type ServerProcess, startServerProcess } from '@troupe/nats';
import { PARTITIONS_DEFAULT } from '@troupe/wire';
import { cpuSeconds } from './cpu.ts';
import { type Caller, runLoad, SESSIONS } from './load.ts';
import { TYPE } from './machine.ts';
import { WorkerProcess } from './processes.ts';
import { progress, type Report } from './report.ts';
import { median } from './statistics.ts';

export interface ScaleOptions {
  /** How many workers, each size in turn. */
  readonly sizes: readonly number[];
  readonly callers: number;
  readonly rounds: number;
  readonly roundMs: number;
  /** Turns per worker before anything is measured: until the compiler has seen enough. */
  readonly warmUpTurns: number;
}

/** A turn's payload: 200 bytes as JSON. */
const INPUT = 'm'.repeat(198);
const WARM_UP_ROUND_MS = 1_000;
const WARM_UP_MS_MAX = 30_000;
const SETTLE_MS_MAX = 30_000;
const IDLE_MS = 3_000;

interface Site {
  readonly workers: readonly WorkerProcess[];
  readonly server: ServerProcess;
  readonly caller: Caller;
  readonly rounds: Round[];
  close(): Promise<void>;
}

interface Round {
  readonly turnsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU seconds per 10,000 turns. */
  readonly workerCpu: number;
  readonly serverCpu: number;
}

export async function benchScale(options: ScaleOptions, report: Report): Promise<void> {
  const { sizes, callers, rounds, roundMs } = options;
  await using stack = new AsyncDisposableStack();
  const sites = new Map<number, Site>();
  for (const size of sizes) {
    const site = await openSite(size);
    stack.defer(() => site.close());
    sites.set(size, site);
  }
  const idle = new Map<number, number>();
  for (const [size, site] of sites) idle.set(size, await idleCpu(site));
  for (const [size, site] of sites) {
    progress(`  warming up ${size}`);
    await warmUp(site, size * options.warmUpTurns, callers);
  }
  for (let round = 0; round < rounds; round++) {
    progress(`  scale: round ${round + 1} of ${rounds}`);
    for (const site of sites.values()) site.rounds.push(await measure(site, callers, roundMs));
  }
  for (const [size, site] of sites) reportSize(report, size, callers, site, idle.get(size)!);
  reportRatios(report, sites);
}

async function openSite(size: number): Promise<Site> {
  progress(`  starting ${size}`);
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServerProcess());
  const workers: WorkerProcess[] = [];
  // One after the other: the first makes the streams.
  for (let n = 0; n < size; n++) {
    const worker = await WorkerProcess.start('troupe-worker.ts', [server.url, TYPE, 'one']);
    stack.defer(() => worker.stop());
    workers.push(worker);
  }
  await settled(workers);
  const troupe = await connect({ url: server.url });
  stack.defer(() => troupe.close());
  const all = stack.move();
  return { workers, server, caller: callerOf(troupe), rounds: [], close: () => all.disposeAsync() };
}

/** Resolves once every partition is live at some worker, and every worker has some. */
async function settled(workers: readonly WorkerProcess[]): Promise<void> {
  const endAt = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const owned: number[] = [];
    for (const worker of workers) owned.push(((await worker.ask('stats')) as { readonly live: number }).live);
    const total = owned.reduce((sum, one) => sum + one, 0);
    if (total === PARTITIONS_DEFAULT && owned.every((one) => one > 0)) {
      progress(`  partitions: ${owned.join(', ')}`);
      return;
    }
    if (performance.now() > endAt)
      throw new Error(
        `after ${SETTLE_MS_MAX} ms the workers hold ${owned.join(', ')} partitions of ${PARTITIONS_DEFAULT}`,
      );
    await sleep(100);
  }
}

function callerOf(troupe: Troupe): Caller {
  const actors = Array.from({ length: SESSIONS }, (_, n) => troupe.actor(TYPE, `s${n}`));
  return { call: (session) => actors[session]!.ask(INPUT) };
}

/** Seconds of CPU per second that server and workers use when nothing is to do. */
async function idleCpu(site: Site): Promise<number> {
  const before = workerCpu(site) + serverCpu(site);
  await sleep(IDLE_MS);
  return (workerCpu(site) + serverCpu(site) - before) / (IDLE_MS / 1_000);
}

async function warmUp({ caller }: Site, wanted: number, callers: number): Promise<void> {
  const endAt = performance.now() + WARM_UP_MS_MAX;
  for (let turns = 0; turns < wanted && performance.now() < endAt; ) {
    turns += (await runLoad(caller, callers, WARM_UP_ROUND_MS)).turns;
  }
}

async function measure(site: Site, callers: number, forMs: number): Promise<Round> {
  const workersBefore = workerCpu(site);
  const serverBefore = serverCpu(site);
  const { turns, turnsPerSecond, p50Ms, p99Ms } = await runLoad(site.caller, callers, forMs);
  const per10k = (seconds: number): number => (seconds / turns) * 10_000;
  return {
    turnsPerSecond,
    p50Ms,
    p99Ms,
    workerCpu: per10k(workerCpu(site) - workersBefore),
    serverCpu: per10k(serverCpu(site) - serverBefore),
  };
}

function workerCpu({ workers }: Site): number {
  return cpuSeconds(workers.map(({ pid }) => pid));
}

function serverCpu({ server }: Site): number {
  return cpuSeconds([server.pid]);
}

function reportSize(report: Report, workers: number, callers: number, { rounds }: Site, idle: number): void {
  const of = (field: keyof Round): number => median(rounds.map((one) => one[field]));
  report({
    name: 'scale',
    workers,
    callers,
    turnsPerSecond: of('turnsPerSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    cpuSecondsPer10kTurns: of('workerCpu') + of('serverCpu'),
    workerCpuSecondsPer10kTurns: of('workerCpu'),
    serverCpuSecondsPer10kTurns: of('serverCpu'),
    idleCpuSecondsPerSecond: idle,
  });
}

/** Against the smaller sizes, round by round; and what the figures would allow with cores enough. */
function reportRatios(report: Report, sites: ReadonlyMap<number, Site>): void {
  const [first, ...others] = [...sites];
  if (first === undefined) return;
  const [, one] = first;
  for (const [at, [size, site]] of others.entries()) {
    const [before, smaller] = [...sites][at]!;
    const ratio = (bigger: Site, base: Site, of: (round: Round) => number): number =>
      median(bigger.rounds.map((round, n) => of(round) / of(base.rounds[n]!)));
    report({
      name: 'scale-ratio',
      workers: size,
      [`turnsOver${before}`]: ratio(site, smaller, ({ turnsPerSecond }) => turnsPerSecond),
      [`cpuOver${first[0]}`]: ratio(site, one, ({ workerCpu: w, serverCpu: s }) => w + s),
      [`workerCpuOver${first[0]}`]: ratio(site, one, (round) => round.workerCpu),
      [`serverCpuOver${first[0]}`]: ratio(site, one, (round) => round.serverCpu),
      // With a core for each worker and enough for the server: what the workers alone could do.
      workerBoundTurnsPerSecond: (size * 10_000) / median(site.rounds.map((round) => round.workerCpu)),
      serverCoresAtThat:
        (size * median(site.rounds.map((round) => round.serverCpu))) /
        median(site.rounds.map((round) => round.workerCpu)),
    });
  }
}
