/**
 * Three servers as `infra/` configures them, workers, and clients that send without a pause, while one server after the other
 * is killed with `kill -9`: every other time the leader of the journal. What was acknowledged is judged by the clients' own
 * record: there once, in order; what got no answer is there once or not at all.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Troupe } from '@troupe/client';
import { createNatsPorts } from '@troupe/nats';
import type { NatsServerHandle } from '@troupe/testing';
import { Cluster } from '../cluster.ts';
import { createRandom, type Random } from '../random.ts';
import { until } from '../waiting.ts';

export interface ClusterProofOptions {
  readonly kills: number;
  readonly workers: number;
  readonly callers: number;
  readonly journalStreams: number;
  readonly seed: number;
  readonly log?: (line: string) => void;
}

export interface ClusterProofResult {
  readonly acknowledged: number;
  /** Sent, and nothing heard within the deadline. */
  readonly unknown: number;
  readonly kills: number;
  readonly leaderKills: number;
  readonly seconds: number;
  /** Longest time without any outcome around each kill, ms. */
  readonly stallsMs: readonly number[];
  /** Partitions that changed hands. */
  readonly takeovers: number;
  /** What doesn't hold, a sentence each; empty when all does. */
  readonly violations: readonly string[];
}

/** Who owns a partition, and for which time. */
export interface Ownership {
  readonly owner: string;
  readonly epoch: number;
}

/** What one caller sent to one actor, in the order of sending. */
interface SessionRecord {
  readonly key: string;
  readonly sent: { readonly task: number; state: 'unknown' | 'acknowledged' }[];
  /** Outcomes that contradict each other. */
  readonly violations: string[];
}

const PARTITIONS = 8;
const DEADLINE_MS = 60_000;
const READ_TIMEOUT_MS = 30_000;
const DEAD_MS_MAX = 2_000;
const PAUSE_MS_MAX = 1_500;
const SHOWN_MAX = 20;

/** @example const { violations } = await proveCluster({ kills: 20, workers: 2, callers: 16, journalStreams: 1, seed: 1 }); */
export async function proveCluster(options: ClusterProofOptions): Promise<ClusterProofResult> {
  const { kills, callers, journalStreams, seed, log = () => {} } = options;
  log(
    `3 servers, ${options.workers} workers, ${callers} callers, ${journalStreams} journals, ${kills} kills, seed ${seed}`,
  );
  await using cluster = await Cluster.start({ partitions: PARTITIONS, journalStreams });
  await startWorkers(cluster, options.workers);
  const troupe = await cluster.client();
  const before = await readOwnership(cluster);
  const load = new Load(troupe, callers);
  const startedMs = performance.now();
  const random = createRandom(seed);
  const stallsMs: number[] = [];
  let leaderKills = 0;
  for (let kill = 0; kill < kills; kill++) {
    const leader = await cluster.leaderOf(cluster.config.journals[kill % journalStreams]!.name);
    const victim = kill % 2 === 0 ? leader : anyOf(cluster.servers, random);
    if (victim === leader) leaderKills++;
    load.longestGapMs();
    await killAndRestart(victim, random);
    await cluster.settled();
    await load.goesOn();
    stallsMs.push(load.longestGapMs());
    log(
      `kill ${kill + 1} of ${victim === leader ? 'the leader' : 'a server'}: longest stall ${stallsMs.at(-1)} ms, ${load.done} outcomes`,
    );
    await sleep(random() * PAUSE_MS_MAX);
  }
  const records = await load.stop();
  const seconds = (performance.now() - startedMs) / 1_000;
  const violations = await judge(troupe, records);
  const takeovers = changesOf(before, await readOwnership(cluster));
  if (violations.length > 0) log(cluster.log);
  const all = records.flatMap(({ sent }) => sent);
  const acknowledged = all.filter(({ state }) => state === 'acknowledged').length;
  return {
    acknowledged,
    unknown: all.length - acknowledged,
    kills,
    leaderKills,
    seconds,
    stallsMs,
    takeovers,
    violations: violations.slice(0, SHOWN_MAX),
  };
}

/** Starts workers of the ledger, and waits until each holds its share. */
export async function startWorkers(cluster: Cluster, count: number): Promise<void> {
  const workers = Array.from({ length: count }, () => cluster.launchWorker({ project: 'load' }));
  await Promise.all(workers.map((worker) => worker.ready()));
  await until('every partition to be owned by a worker of its own share', async () => {
    const owners = [...(await readOwnership(cluster)).values()].map(({ owner }) => owner);
    return owners.length === cluster.config.partitions && new Set(owners).size === count && !owners.includes('');
  });
}

/** Who owns each partition, as stored. */
export async function readOwnership(cluster: Cluster): Promise<ReadonlyMap<string, Ownership>> {
  const ports = createNatsPorts(await cluster.connectAs('operator'), cluster.config);
  try {
    const records = await ports.records.list('partition');
    return new Map([...records].map(([key, { value }]) => [key, value as Ownership]));
  } finally {
    await ports.close();
  }
}

/** How many partitions were taken over in between, counted by their epochs. */
export function changesOf(before: ReadonlyMap<string, Ownership>, after: ReadonlyMap<string, Ownership>): number {
  return [...after].reduce((sum, [key, { epoch }]) => sum + epoch - (before.get(key)?.epoch ?? 0), 0);
}

async function killAndRestart(victim: NatsServerHandle, random: Random): Promise<void> {
  await victim.kill('SIGKILL');
  await sleep(random() * DEAD_MS_MAX);
  await victim.restart();
}

function anyOf(servers: readonly NatsServerHandle[], random: Random): NatsServerHandle {
  return servers[Math.floor(random() * servers.length)]!;
}

/** Callers, each with an actor of its own: asks and sends in turn, one after the other, until they are stopped. */
export class Load {
  readonly #troupe: Troupe;
  readonly #callers: Promise<SessionRecord>[];
  #stopped = false;
  #done = 0;
  #lastAtMs = performance.now();
  #gapMs = 0;

  /** @param name begins the keys of the actors: two loads need two. */
  constructor(troupe: Troupe, callers: number, name = 'session') {
    this.#troupe = troupe;
    this.#callers = Array.from({ length: callers }, (_, caller) => this.#run(`${name}-${caller}`));
  }

  /** Outcomes and acknowledgements so far. */
  get done(): number {
    return this.#done;
  }

  /** The longest time without any since this was last asked, ms. */
  longestGapMs(): number {
    const gapMs = Math.max(this.#gapMs, performance.now() - this.#lastAtMs);
    this.#gapMs = 0;
    this.#lastAtMs = performance.now();
    return Math.round(gapMs);
  }

  /** Waits until every caller could have had an answer since now. */
  async goesOn(): Promise<void> {
    const from = this.#done;
    await until('answers after a kill', () => this.#done >= from + this.#callers.length, DEADLINE_MS);
  }

  async stop(): Promise<SessionRecord[]> {
    this.#stopped = true;
    return Promise.all(this.#callers);
  }

  async #run(key: string): Promise<SessionRecord> {
    const actor = this.#troupe.actor('ledger', key);
    const record: SessionRecord = { key, sent: [], violations: [] };
    for (let task = 0; !this.#stopped; task++) {
      const entry: SessionRecord['sent'][number] = { task, state: 'unknown' };
      record.sent.push(entry);
      try {
        if (task % 2 === 0) {
          const count = await actor.ask(task, { deadlineMs: DEADLINE_MS });
          // With nothing unknown before it, it must be exactly the next one.
          const certain = record.sent.every(({ state }, at) => state === 'acknowledged' || at === task);
          if (certain && count !== task + 1)
            record.violations.push(`${key}: task ${task} took effect as number ${count}`);
        } else await actor.send(task, { deadlineMs: DEADLINE_MS });
        entry.state = 'acknowledged';
      } catch {
        // Unknown: it may have taken effect, once.
      }
      this.#count();
    }
    return record;
  }

  #count(): void {
    this.#done++;
    const nowMs = performance.now();
    this.#gapMs = Math.max(this.#gapMs, nowMs - this.#lastAtMs);
    this.#lastAtMs = nowMs;
  }
}

/** Compares what the clients know with what the actors hold. */
export async function judge(troupe: Troupe, records: readonly SessionRecord[]): Promise<string[]> {
  const violations = records.flatMap((record) => record.violations);
  for (const { key, sent } of records) {
    const acknowledged = sent.filter(({ state }) => state === 'acknowledged').map(({ task }) => task);
    const seen = await until(`the state of ${key}`, () => seenBy(troupe, key, acknowledged.at(-1)), READ_TIMEOUT_MS);
    const counts = new Map<number, number>();
    for (const task of seen) counts.set(task, (counts.get(task) ?? 0) + 1);
    for (const task of acknowledged)
      if (!counts.has(task)) violations.push(`${key}: acknowledged task ${task} is lost`);
    for (const [task, count] of counts)
      if (count > 1) violations.push(`${key}: task ${task} took effect ${count} times`);
    if (!seen.every((task, at) => at === 0 || task > seen[at - 1]!)) violations.push(`${key}: out of order`);
    const foreign = seen.filter((task) => task >= sent.length);
    if (foreign.length > 0) violations.push(`${key}: tasks that nobody sent: ${foreign.join(', ')}`);
  }
  return violations;
}

/** What the actor has seen, once it has seen `last`; what it has seen so far after a while. */
async function seenBy(troupe: Troupe, key: string, last: number | undefined): Promise<number[] | undefined> {
  const endAtMs = performance.now() + 10_000;
  for (;;) {
    const view = await troupe
      .actor('ledger', key)
      .snapshot({ timeoutMs: 10_000 })
      .catch(() => undefined);
    const seen = (view?.context as { seen?: number[] } | undefined)?.seen;
    if (seen !== undefined && (last === undefined || seen.includes(last) || performance.now() > endAtMs)) return seen;
    if (performance.now() > endAtMs) return seen;
    await sleep(100);
  }
}
