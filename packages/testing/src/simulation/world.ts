/**
 * One simulated world: real workers on ports in memory, under virtual time, with clients, faults and witnesses.
 *
 * Invariants
 * 1. Same plan, same run: all that is left to chance comes from the plan's seed.
 * 2. What a process does happens on its own clock: it stops with it, and ends with it in the middle of anything.
 * 3. After `STORM_MS` nothing goes wrong any more; within `SETTLE_MS_MAX` everything must have come to its end.
 */
import type { ActorDefinition } from '@troupe/core';
import { MemoryBroker, VirtualClock } from '@troupe/runtime/internal';
import { seededRandom } from '../durable/random.ts';
import { clerk, type Outside, setOutside, TYPE } from './clerk.ts';
import { Client } from './client.ts';
import { checkEnd } from './final-checks.ts';
import { Network, type Weather } from './network.ts';
import { LEASE_MS, Oracle } from './oracle.ts';
import { type Plan, type PlannedTask, STORM_MS } from './plan.ts';
import { ProcessClock, type Running } from './process-clock.ts';
import { type Process, Processes } from './processes.ts';
import { blindFor, type GuardName, withoutGuards } from './switches.ts';
import { type Violation, Violations } from './violations.ts';

/** Everything must have come to its end this long after the storm, ms. */
const SETTLE_MS_MAX = 240_000;
/** How far time moves between two looks, ms. */
const LOOK_EVERY_MS = 500;
const DRAIN_MS = 120_000;
/** What stands still when the storm ends goes on after so long, ms. */
const THAW_MS = 1_000;

export interface WorldReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** How often each thing happened. */
  readonly counts: Readonly<Record<string, number>>;
  /** Equal for equal runs. */
  readonly digest: number;
  /** The last lines that workers logged. */
  readonly log: readonly string[];
}

export interface WorldOptions {
  /** Guards that are off. */
  readonly without?: readonly GuardName[];
  /** Ends at the first violation. Default true. */
  readonly failFast?: boolean;
}

/** Lives through a plan and says what was seen. */
export async function runWorld(plan: Plan, options: WorldOptions = {}): Promise<WorldReport> {
  const without = options.without ?? [];
  return withoutGuards(without, async () => {
    const world = new World(plan, without, options.failFast ?? true);
    setOutside(world);
    try {
      return await world.live();
    } finally {
      setOutside(undefined);
    }
  });
}

class World implements Outside, Weather {
  readonly random: () => number;
  readonly noise: Plan['noise'];
  calm = false;
  readonly #plan: Plan;
  readonly #failFast: boolean;
  readonly #time = new VirtualClock({ callbacksMax: 2_000_000 });
  readonly #serverClock: ProcessClock<undefined>;
  readonly #violations: Violations;
  readonly #definition: ActorDefinition;
  readonly #oracle: Oracle;
  readonly #broker: MemoryBroker;
  readonly #clients: Client[] = [];
  readonly #running: Running<Process> = { process: undefined };
  readonly #processes: Processes;
  readonly #calls = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  #leaderlessUntil = 0;
  #flyingUntil = 0;
  #added = 0;

  constructor(plan: Plan, without: readonly GuardName[], failFast: boolean) {
    this.#plan = plan;
    this.#failFast = failFast;
    this.#violations = new Violations(() => this.#time.monotonic(), blindFor(without));
    this.random = seededRandom(plan.seed ^ 0x0ddba11);
    this.noise = plan.noise;
    this.#definition = clerk(plan.snapshotEntries, plan.mailboxDepth);
    this.#serverClock = new ProcessClock<undefined>(this.#time, { process: undefined }, undefined, 1);
    this.#oracle = new Oracle(this.#definition, plan.partitions, this.#violations, () => this.#serverClock.now());
    this.#broker = new MemoryBroker({
      clock: this.#serverClock,
      partitions: plan.partitions,
      overtaken: 'skip',
      watch: this.#oracle,
    });
    this.#processes = new Processes({
      plan,
      time: this.#time,
      serverClock: this.#serverClock,
      broker: this.#broker,
      oracle: this.#oracle,
      weather: this,
      definition: this.#definition,
      violations: this.#violations,
      running: this.#running,
      random: this.random,
      repliesEarly: without.includes('R13'),
      count: (what) => this.count(what),
      leaderless: (ms) => {
        this.#leaderlessUntil = this.#time.monotonic() + ms;
      },
    });
    for (let at = 0; at < plan.clients; at++) this.#clients.push(this.#client(at));
    const journal = this.#broker.connect({ name: 'partitions' }).journal;
    const partitions = new Map(
      Oracle.names(plan.actors).map((name) => [
        name,
        journal.partitionOf({ type: TYPE, key: name.slice(TYPE.length + 1) }),
      ]),
    );
    this.#oracle.partitionOf = (name) => partitions.get(name) ?? -1;
  }

  get leaderless(): boolean {
    return this.#time.monotonic() < this.#leaderlessUntil;
  }

  get nowMs(): number {
    return this.#time.monotonic();
  }

  flying(ms: number): void {
    this.#flyingUntil = Math.max(this.#flyingUntil, this.#time.monotonic() + ms);
  }

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  async live(): Promise<WorldReport> {
    for (let place = 0; place < this.#plan.workers; place++) this.#processes.start(place);
    for (const fault of this.#plan.faults) this.#time.setTimer(() => this.#processes.strike(fault), fault.atMs);
    for (const client of this.#clients) client.wake();
    this.#time.setTimer(() => this.#calmDown(), STORM_MS);
    try {
      await this.#untilSettled();
      if (!this.#over) await this.#handBack();
      if (!this.#over) checkEnd(this.#oracle, this.#clients, this.#violations);
    } catch (error) {
      this.#violations.add('the world broke', String((error as Error).stack ?? error));
    }
    return this.#report();
  }

  /** @see Outside */
  call(kind: 'call' | 'once', effectId: string, ms: number): Promise<number> {
    const process = this.#running.process!;
    const before = this.#calls.get(effectId) ?? 0;
    this.#calls.set(effectId, before + 1);
    this.count('calls');
    if (before > 0) this.count('repeatedCalls');
    if (!this.#oracle.isOpen(effectId)) this.count('needlessCalls');
    if (!this.#oracle.knowsCall(effectId))
      this.#violations.add('an effect started before its entry was durable', effectId);
    if (kind === 'once' && before > 0) this.#violations.add('a call that may happen once happened twice', effectId);
    if (process.unread.has(this.#oracle.partitionOf(effectId.slice(0, effectId.indexOf('@')))))
      this.#violations.add('an effect started before the records were read', `${effectId} by ${process.id}`);
    const value = Math.floor(this.random() * 1e6);
    return new Promise((resolve) => {
      process.clock.setTimer(() => resolve(value), ms);
    });
  }

  get #over(): boolean {
    return this.#failFast && this.#violations.any;
  }

  async #untilSettled(): Promise<void> {
    const endAt = STORM_MS + SETTLE_MS_MAX;
    await this.#time.advance(STORM_MS);
    let why: string | undefined;
    while (!this.#over && this.#time.monotonic() < endAt) {
      why = this.#unsettled();
      if (why === undefined) return;
      await this.#time.advance(LOOK_EVERY_MS);
    }
    if (!this.#over) this.#violations.add('never settled', why ?? '');
  }

  #unsettled(): string | undefined {
    if (this.#time.monotonic() < this.#flyingUntil) return 'copies are under way';
    for (const client of this.#clients) if (!client.done) return 'a client waits';
    return this.#oracle.unsettled() ?? this.#unowned();
  }

  #unowned(): string | undefined {
    if (this.#time.monotonic() < STORM_MS + THAW_MS + LEASE_MS)
      return 'what stood still may not know yet that its lease is over';
    let owned = 0;
    for (const process of this.#processes.all) {
      const stats = process?.worker?.stats();
      if (stats === undefined) return 'a worker is starting';
      if (stats.outboxWaiting > 0 || stats.effectsRunning > 0) return `${stats.id} is busy`;
      owned += stats.live;
    }
    return owned === this.#plan.partitions ? undefined : `${owned} of ${this.#plan.partitions} partitions are live`;
  }

  /** Everything is given back in order: then the stored snapshots are the whole truth. */
  async #handBack(): Promise<void> {
    const heads = new Map([...this.#oracle.actors].map(([name, { state }]) => [name, state.seq]));
    let left = 0;
    for (const process of this.#processes.all) {
      left++;
      void process!.worker!.drain({ deadlineMs: DRAIN_MS }).then(() => {
        left--;
      });
    }
    const done = await this.#time.advanceUntil(() => left === 0, DRAIN_MS);
    if (!done) this.#violations.add('a drain did not end', `${left} workers`);
    for (const [name, head] of heads) {
      const { snapshotSeq } = this.#oracle.actors.get(name)!;
      if (snapshotSeq < head)
        this.#violations.add('a drain left something behind', `${name}: ${snapshotSeq}, true ${head}`);
    }
  }

  #calmDown(): void {
    this.calm = true;
    this.#leaderlessUntil = 0;
    this.#broker.start();
    for (const [place, process] of this.#processes.all.entries()) {
      if (process === undefined) this.#processes.start(place);
    }
    this.#processes.thaw(THAW_MS);
  }

  #client(at: number): Client {
    const name = `c${at}`;
    const planned = this.#plan.tasks.filter((task) => task.client === at);
    let n = 0;
    return new Client({
      name,
      ports: this.#broker.connect({ name: `client-${at}`, faults: new Network(this) }),
      clock: this.#time,
      random: this.random,
      violations: this.#violations,
      replies: this.#oracle.replies,
      actors: this.#plan.actors,
      skewMs: Math.round((this.random() - 0.5) * 4_000),
      next: () => planned[n++] ?? this.#another(at),
    });
  }

  /** One more task while there are too few entries. */
  #another(client: number): PlannedTask | undefined {
    if (this.#oracle.entries >= this.#plan.entriesMin || this.#violations.any) return undefined;
    const number = ++this.#added;
    return { id: `c${client}-x${number}`, client, key: `a${number % this.#plan.actors}`, operations: [], pauseMs: 200 };
  }

  #report(): WorldReport {
    const { entries, snapshots, purged, checkpoints, digest } = this.#oracle;
    const counts = { ...Object.fromEntries(this.#counts), entries, snapshots, purged, checkpoints };
    const elapsedMs = Math.round(this.#time.monotonic());
    return {
      seed: this.#plan.seed,
      violations: this.#violations.all(),
      counts: { ...counts, elapsedMs },
      digest,
      log: this.#processes.lines,
    };
  }
}
