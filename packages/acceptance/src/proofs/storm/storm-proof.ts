/**
 * A storm over real processes: three servers as `infra/` configures them, workers that reach each of them through a line of
 * their own, clients that send without a pause; and faults by a script that a seed decides. What holds is judged by
 * `checker.ts` from what the clients wrote down.
 *
 * Invariants
 * 1. One fault at a time, with at most one worker killed in the middle of it; the next one begins when every caller has had an answer again.
 * 2. A fault that nobody recovers from within `RECOVERY_MS_MAX` is a violation by itself.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Troupe } from '@troupe/client';
import { Cluster } from '../../cluster.ts';
import { Link } from '../../link.ts';
import { createRandom } from '../../random.ts';
import { until } from '../../waiting.ts';
import type { WorkerProcess } from '../../worker-process.ts';
import { Callers } from './callers.ts';
import { checkStorm } from './checker.ts';
import { FAULTS, type Fault, stormPlan } from './plan.ts';
import type { Delivery, StormRecord } from './record.ts';
import type { FaultReport, StormReport } from './report.ts';

export interface StormOptions {
  /** So long, and then until the last fault is over; at least one of each kind. */
  readonly minutes: number;
  readonly workers: number;
  readonly callers: number;
  readonly seed: number;
  /** How far into its range of lengths a fault may go, 0 to 1. Default 1. */
  readonly stretch?: number;
  readonly log?: (line: string) => void;
}

const PARTITIONS = 16;
const SERVERS = 3;
const RECOVERY_MS_MAX = 120_000;
const READ_TIMEOUT_MS = 10_000;
const SLOW_MS = 100;
/** Ended tasks that are asked for once more. */
const ASKED_AGAIN_MAX = 300;

/** One place of a worker: its lines stay, processes come and go. */
interface Berth {
  readonly links: readonly Link[];
  worker: WorkerProcess;
}

/** @example const { violations } = await proveStorm({ minutes: 10, workers: 4, callers: 16, seed: 1 }); */
export async function proveStorm(options: StormOptions): Promise<StormReport> {
  const { minutes, workers, callers: count, seed, stretch = 1, log = () => {} } = options;
  log(`3 servers, ${workers} workers, ${count} callers and their couriers, seed ${seed}`);
  const links: Link[] = [];
  await using cluster = await Cluster.start({ partitions: PARTITIONS, args: ['--no-advertise'] });
  try {
    const berths: Berth[] = [];
    for (let at = 0; at < workers; at++) {
      const own = await Promise.all(cluster.servers.map(({ port }) => Link.open(port)));
      links.push(...own);
      berths.push({ links: own, worker: launch(cluster, own) });
    }
    await Promise.all(berths.map(({ worker }) => worker.ready()));
    const troupe = await cluster.client();
    const callers = new Callers(troupe, count);
    await until('the first answers', () => callers.recoveredSince(0), RECOVERY_MS_MAX);
    const plan = stormPlan(createRandom(seed), workers, SERVERS, stretch);
    const faults: FaultReport[] = [];
    while (callers.nowMs < minutes * 60_000 || faults.length < FAULTS.length) {
      const fault = plan.next().value;
      faults.push(await live(cluster, berths, callers, fault));
      log(describe(faults.at(-1)!));
      if (faults.at(-1)!.recoveryMs === undefined) break;
      await sleep(fault.pauseMs);
    }
    await callers.stop();
    const { tasks } = callers;
    const asked = tasks.filter(({ outcomes }) => outcomes.length > 0);
    await callers.askAgain(asked.slice(-ASKED_AGAIN_MAX));
    const record = { tasks, states: await readStates(troupe, tasks), deliveries: readDeliveries(cluster.dir) };
    const violations = checkStorm(record);
    for (const fault of faults)
      if (fault.recoveryMs === undefined) violations.push(`nobody recovered from: ${describe(fault)}`);
    if (violations.length > 0)
      log(
        `${cluster.log}\n${tasks
          .flatMap(({ error }) => error ?? [])
          .slice(0, 20)
          .join('\n')}`,
      );
    return {
      seed,
      workers,
      seconds: callers.nowMs / 1_000,
      faults,
      answeredAtMs: callers.answeredAtMs,
      acknowledged: tasks.filter(({ acknowledged }) => acknowledged).length,
      unknown: tasks.filter(({ acknowledged }) => !acknowledged).length,
      ...deliveryCounts(record),
      violations,
    };
  } finally {
    await Promise.all(links.map((link) => link.close()));
  }
}

function launch(cluster: Cluster, links: readonly Link[]): WorkerProcess {
  const natsUrl = links.map(({ port }) => `tls://127.0.0.1:${port}`).join(',');
  return cluster.launchWorker({ project: 'storm', natsUrl, env: { TROUPE_NATS_URL: natsUrl } });
}

/** Makes a fault happen, ends it, and waits until every caller has had an answer to something sent later than its beginning. */
async function live(cluster: Cluster, berths: Berth[], callers: Callers, fault: Fault): Promise<FaultReport> {
  const atMs = callers.nowMs;
  let recoveryMs: number | undefined;
  const recovery = until('answers', () => callers.recoveredSince(atMs), RECOVERY_MS_MAX + fault.forMs).then(
    () => {
      recoveryMs = callers.nowMs - atMs;
    },
    () => undefined,
  );
  const also = fault.alsoKilled === undefined ? undefined : berths[fault.alsoKilled];
  const inMiddle = async (): Promise<void> => {
    await sleep(fault.forMs / 2);
    await also?.worker.kill();
    await sleep(fault.forMs / 2);
  };
  await happen(cluster, berths, fault, inMiddle);
  if (also !== undefined) await replace(cluster, also);
  await recovery;
  return { ...fault, atMs, recoveryMs, longestWaitMs: callers.longestWaitMs(atMs) };
}

async function happen(
  cluster: Cluster,
  berths: Berth[],
  { kind, victim }: Fault,
  inMiddle: () => Promise<void>,
): Promise<void> {
  if (kind === 'server killed' || kind === 'server restarted') {
    const server = cluster.servers[victim]!;
    if (kind === 'server killed') {
      await server.kill('SIGKILL');
      await inMiddle();
    }
    await server.restart();
    await cluster.settled();
    return;
  }
  const berth = berths[victim]!;
  switch (kind) {
    case 'worker killed':
      await berth.worker.kill();
      await inMiddle();
      await replace(cluster, berth);
      break;
    case 'worker frozen':
      berth.worker.freeze();
      await inMiddle();
      berth.worker.resume();
      break;
    case 'link cut':
      for (const link of berth.links) link.cut();
      break;
    case 'link silent':
      for (const link of berth.links) link.silence();
      break;
    case 'link slow':
      for (const link of berth.links) link.delay(SLOW_MS);
      break;
  }
  if (!kind.startsWith('link')) return;
  await inMiddle();
  for (const link of berth.links) link.heal();
}

async function replace(cluster: Cluster, berth: Berth): Promise<void> {
  berth.worker = launch(cluster, berth.links);
  await berth.worker.ready();
}

/** What each ledger has seen, read when nothing is under way any more. */
async function readStates(troupe: Troupe, tasks: StormRecord['tasks']): Promise<Record<string, number[]>> {
  const lasts = new Map(
    tasks.filter(({ type, acknowledged }) => type === 'ledger' && acknowledged).map(({ actor, task }) => [actor, task]),
  );
  const states: Record<string, number[]> = {};
  for (const [actor, last] of lasts) {
    const read = async (): Promise<number[] | undefined> => {
      const view = await troupe
        .actor('ledger', actor)
        .snapshot({ timeoutMs: READ_TIMEOUT_MS })
        .catch(() => undefined);
      const seen = (view?.context as { seen?: number[] } | undefined)?.seen;
      if (seen !== undefined) states[actor] = seen;
      return seen?.includes(last) ? seen : undefined;
    };
    // What isn't there in the end is for the checker to tell.
    await until(`the state of ${actor}`, read, READ_TIMEOUT_MS * 2).catch(() => undefined);
  }
  return states;
}

function readDeliveries(dir: string): Delivery[] {
  const lines = readFileSync(join(dir, 'deliveries'), 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => {
    const [name = '', pid = '', effectId = ''] = line.split(' ');
    return { name, pid, effectId };
  });
}

function deliveryCounts({
  deliveries,
  tasks,
}: StormRecord): Pick<StormReport, 'deliveries' | 'repeats' | 'unknownCalls'> {
  const names = new Set(deliveries.map(({ name }) => name));
  return {
    deliveries: deliveries.length,
    repeats: deliveries.length - names.size,
    unknownCalls: tasks.filter(({ outcomes }) => outcomes.includes('failed OutcomeUnknown')).length,
  };
}

function describe({ kind, victim, forMs, alsoKilled, recoveryMs, longestWaitMs }: FaultReport): string {
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  const also = alsoKilled === undefined ? '' : `, worker ${alsoKilled + 1} killed meanwhile`;
  const ended = recoveryMs === undefined ? 'never recovered' : `all answered after ${seconds(recoveryMs)}`;
  return `${kind} (${victim + 1}) for ${seconds(forMs)}${also}: ${ended}, longest wait ${seconds(longestWaitMs)}`;
}
