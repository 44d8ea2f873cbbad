/**
 * A rolling deploy from version 1 to 2 to 3 of a definition under load: workers are replaced one after the other, and in the
 * middle of each deploy one is killed with `kill -9`. No actor is suspended, and the state of each tells which code folded what.
 *
 * Invariants
 * 1. There are never fewer workers than at the beginning, less the one that was killed.
 * 2. An actor's version never goes back: its tasks by version 1, then a migration, its tasks by version 2, and so on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Trace } from '../agents/rolling.ts';
import { createRandom, type Random } from '../random.ts';
import type { WorkerProcess } from '../worker-process.ts';
import { World } from '../world.ts';

export interface DeployProofOptions {
  readonly workers: number;
  readonly callers: number;
  readonly seed: number;
  readonly log?: (line: string) => void;
}

export interface DeployProofResult {
  readonly tasks: number;
  readonly actors: number;
  /** Migrations seen in the states. */
  readonly migrations: number;
  /** The longest wait of a caller, ms. */
  readonly longestWaitMs: number;
  /** What doesn't hold, a sentence each; empty when all does. */
  readonly violations: readonly string[];
}

const DEADLINE_MS = 60_000;
const PAUSE_MS = 20;
const KEYS_PER_CALLER = 5;
const SETTLE_MS = 1_000;
const LAST_VERSION = 3;

/** @example const { violations } = await proveDeploy({ workers: 3, callers: 8, seed: 1 }); */
export async function proveDeploy(options: DeployProofOptions): Promise<DeployProofResult> {
  const { workers, callers, seed, log = () => {} } = options;
  const random = createRandom(seed);
  await using world = await World.start({ project: 'rolling-v1', idle: true });
  const running = await Promise.all(Array.from({ length: workers }, () => world.startWorker()));
  const load = new DeployLoad(world, callers);
  for (let version = 2; version <= LAST_VERSION; version++) {
    await sleep(SETTLE_MS);
    log(`version ${version}: ${await deploy(world, running, version, random)}, ${load.tasks} tasks`);
  }
  const violations = await load.finish();
  if (/actor suspended/.test(world.log)) violations.push('an actor was suspended');
  if (violations.length > 0) log(world.log);
  const { tasks, actors, migrations, longestWaitMs } = load;
  return { tasks, actors, migrations, longestWaitMs, violations };
}

/** Replaces each worker by one of the new version; half-way one that runs, old or new, is killed and replaced. */
async function deploy(world: World, running: WorkerProcess[], version: number, random: Random): Promise<string> {
  const project = `rolling-v${version}`;
  const old = [...running];
  const middle = Math.floor(old.length / 2);
  let killed = '';
  for (const [at, worker] of old.entries()) {
    if (at === middle) {
      const victims = running.filter((one) => one !== worker);
      const victim = victims[Math.floor(random() * victims.length)]!;
      killed = `killed a worker of the ${old.includes(victim) ? 'old' : 'new'} version`;
      const next = world.launchWorker({ project });
      // Amid the hand-over that its start causes.
      await sleep(random() * SETTLE_MS);
      await victim.kill();
      running.splice(running.indexOf(victim), 1, await next.ready());
    }
    if (!worker.running) continue;
    running.push(await world.startWorker({ project }));
    await worker.stop();
    running.splice(running.indexOf(worker), 1);
  }
  return killed;
}

class DeployLoad {
  readonly violations: string[] = [];
  tasks = 0;
  migrations = 0;
  longestWaitMs = 0;
  readonly #world: World;
  readonly #sent = new Map<string, { task: number; by: number }[]>();
  readonly #running: Promise<void>[];
  #stopped = false;

  constructor(world: World, callers: number) {
    this.#world = world;
    this.#running = Array.from({ length: callers }, (_, caller) => this.#run(caller));
  }

  get actors(): number {
    return this.#sent.size;
  }

  /** Stops, and compares what callers were told with what the actors hold. */
  async finish(): Promise<string[]> {
    await sleep(SETTLE_MS);
    this.#stopped = true;
    await Promise.all(this.#running);
    for (const key of this.#sent.keys()) await this.#check(key);
    return this.violations;
  }

  async #run(caller: number): Promise<void> {
    for (let task = 0; !this.#stopped; task++) {
      const key = `caller-${caller}-${task % KEYS_PER_CALLER}`;
      const sent = this.#sent.get(key) ?? [];
      this.#sent.set(key, sent);
      const startedMs = performance.now();
      try {
        const by = await this.#world.troupe.actor('rolling', key).ask(task, { deadlineMs: DEADLINE_MS });
        sent.push({ task, by: Number(by) });
      } catch (error) {
        this.violations.push(`${key}: task ${task} failed: ${String(error)}`);
        return;
      }
      this.longestWaitMs = Math.max(this.longestWaitMs, performance.now() - startedMs);
      this.tasks++;
      await sleep(PAUSE_MS);
    }
  }

  async #check(key: string): Promise<void> {
    const view = await this.#world.troupe.actor('rolling', key).snapshot({ timeoutMs: 20_000 });
    const { trace } = view.context as { trace: Trace };
    let version = 'by' in trace[0]! ? trace[0].by : Number.NaN;
    const folded: { task: number; by: number }[] = [];
    for (const step of trace) {
      if ('migrated' in step) {
        if (step.migrated !== version + 1) this.violations.push(`${key}: migrated from ${version} to ${step.migrated}`);
        version = step.migrated;
        this.migrations++;
      } else {
        if (step.by !== version)
          this.violations.push(`${key}: task ${step.task} was folded by ${step.by}, its state was of ${version}`);
        folded.push(step);
      }
    }
    if (version !== LAST_VERSION) this.violations.push(`${key}: ended at version ${version}`);
    const [told, held] = [this.#sent.get(key) ?? [], folded].map((list) =>
      list.map(({ task, by }) => `${task} by ${by}`).join(', '),
    );
    if (told !== held) this.violations.push(`${key}: callers were told ${told}, its state says ${held}`);
  }
}
