/**
 * Mixed load for as long as is wished, on as many actors as are wished, while memory, files and waits are looked at.
 *
 * Invariants
 * 1. Each actor has one caller, so what it must answer next is known exactly.
 * 2. A figure is compared with itself: the first third of the time behind the warm-up with the last third.
 * 3. What this process keeps is bounded: a number per actor, and the waits of one sample.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '../random.ts';
import { type WorkerFigures, World } from '../world.ts';

export interface SoakProofOptions {
  /** Each is given one task before the load begins. */
  readonly actors: number;
  /** Of these, the ones that the load goes to. */
  readonly active: number;
  readonly callers: number;
  readonly seconds: number;
  /** Seconds of one sample. */
  readonly every: number;
  readonly seed: number;
  readonly log?: (line: string) => void;
}

/** What was seen in one stretch of time. */
export interface SoakSample {
  readonly atSeconds: number;
  /** Tasks and reads ended, per second. */
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Resident memory; 0 where there is no `/proc`. */
  readonly workerMiB: number;
  /** Of that, JavaScript's heap in use, whatever of it is garbage. */
  readonly heapMiB: number;
  readonly serverMiB: number;
  /** Open file descriptors of worker and server. */
  readonly files: number;
  /** Messages in the journal. */
  readonly journal: number;
  /** Actors in the worker's memory, and what they take by its own estimate. */
  readonly resident: number;
  readonly residentMiB: number;
}

export interface SoakGrowth {
  /** The last third over the first one, of the medians. */
  readonly workerMemory: number;
  readonly serverMemory: number;
  readonly p99: number;
  /** The last third less the first one. */
  readonly files: number;
}

export interface SoakProofResult {
  readonly tasks: number;
  /** Seconds that the first task of every actor took. */
  readonly fillSeconds: number;
  readonly samples: readonly SoakSample[];
  readonly growth: SoakGrowth;
  /** What doesn't hold, a sentence each; empty when all does. The first hundred. */
  readonly violations: readonly string[];
}

const DEADLINE_MS = 60_000;
const FILL_CALLERS = 256;
const VIOLATIONS_MAX = 100;
/** Of a worker that doesn't answer. */
const NO_FIGURES: WorkerFigures = { resident: 0, residentBytes: 0, about: { heapUsedBytes: 0 } };
/** Characters of the worker's log that are shown when it has ended. */
const LOG_SHOWN = 2_000;
const WARM_UP_SHARE = 0.2;
/** Of a caller's requests: so many are sends without an answer, reads, and calls outside. */
const SENDS = 0.1;
const READS = 0.05;
const CALLS = 0.002;
const MIB = 1_048_576;

/** @example const { growth } = await proveSoak({ actors: 10_000, active: 1_000, callers: 32, seconds: 60, every: 5, seed: 1 }); */
export async function proveSoak(options: SoakProofOptions): Promise<SoakProofResult> {
  const { actors, seconds, every, log = () => undefined } = options;
  await using world = await World.start({ project: 'errands', partitions: 64 });
  const load = new Load(world, options);
  const fillSeconds = await load.fill();
  log(`${actors} actors have had a task each, ${Math.round(actors / fillSeconds)} per second`);
  const callers = load.start();
  const samples: SoakSample[] = [];
  const startedMs = performance.now();
  for (let at = every; at <= seconds && load.running; at += every) {
    await sleep(Math.max(0, startedMs + at * 1_000 - performance.now()));
    const sample = await load.sample((performance.now() - startedMs) / 1_000);
    samples.push(sample);
    log(showSample(sample));
  }
  load.stop();
  await Promise.all(callers);
  await load.check();
  return { tasks: load.tasks, fillSeconds, samples, growth: growthOf(samples), violations: load.violations };
}

/** One line of a report. */
export function showSample({
  atSeconds,
  rate,
  p50Ms,
  p99Ms,
  workerMiB,
  heapMiB,
  serverMiB,
  files,
  journal,
  resident,
  residentMiB,
}: SoakSample): string {
  return (
    `${atSeconds.toFixed(0).padStart(5)} s  ${String(Math.round(rate)).padStart(6)}/s  ` +
    `p50 ${p50Ms.toFixed(1)} ms  p99 ${p99Ms.toFixed(1)} ms  worker ${workerMiB.toFixed(0)} MiB (heap ${heapMiB.toFixed(0)})  ` +
    `server ${serverMiB.toFixed(0)} MiB  ${files} files  ${journal} entries  ${resident} actors of ${residentMiB.toFixed(0)} MiB`
  );
}

/** Compares the first third behind the warm-up with the last one. Where memory can't be looked at, its growth is not a number. */
export function growthOf(samples: readonly SoakSample[]): SoakGrowth {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  const third = Math.max(1, Math.floor(warm.length / 3));
  const [first, last] = [warm.slice(0, third), warm.slice(-third)];
  const ratio = (of: (sample: SoakSample) => number): number => {
    const before = median(first.map(of));
    return median(last.map(of)) / before;
  };
  return {
    workerMemory: ratio(({ workerMiB }) => workerMiB),
    serverMemory: ratio(({ serverMiB }) => serverMiB),
    p99: ratio(({ p99Ms }) => p99Ms),
    files: median(last.map(({ files }) => files)) - median(first.map(({ files }) => files)),
  };
}

class Load {
  readonly violations: string[] = [];
  tasks = 0;
  running = true;
  readonly #world: World;
  readonly #options: SoakProofOptions;
  /** Tasks that each tally has had. */
  readonly #counts: Uint32Array;
  #waitsMs: number[] = [];
  #sampledMs = performance.now();

  constructor(world: World, options: SoakProofOptions) {
    this.#world = world;
    this.#options = options;
    this.#counts = new Uint32Array(options.actors);
  }

  /** @returns seconds. */
  async fill(): Promise<number> {
    const startedMs = performance.now();
    let next = 0;
    const fillOne = async (): Promise<void> => {
      while (this.running && next < this.#counts.length) await this.#ask(next++);
    };
    await Promise.all(Array.from({ length: FILL_CALLERS }, fillOne));
    return (performance.now() - startedMs) / 1_000;
  }

  start(): Promise<void>[] {
    this.#waitsMs = [];
    this.#sampledMs = performance.now();
    const { callers, seed } = this.#options;
    return Array.from({ length: callers }, (_, caller) => this.#call(caller, createRandom(seed + caller)));
  }

  stop(): void {
    this.running = false;
  }

  async sample(atSeconds: number): Promise<SoakSample> {
    const waitsMs = this.#waitsMs.sort((a, b) => a - b);
    this.#waitsMs = [];
    const nowMs = performance.now();
    const seconds = (nowMs - this.#sampledMs) / 1_000;
    this.#sampledMs = nowMs;
    const [worker, server] = [this.#world.worker.pid, this.#world.server.pid];
    const { resident, residentBytes: actorBytes, about } = await this.#world.workerStats().catch(() => NO_FIGURES);
    const share = (of: number): number => waitsMs[Math.ceil(waitsMs.length * of) - 1] ?? 0;
    return {
      atSeconds,
      rate: waitsMs.length / seconds,
      p50Ms: share(0.5),
      p99Ms: share(0.99),
      workerMiB: residentBytes(worker) / MIB,
      heapMiB: about.heapUsedBytes / MIB,
      serverMiB: residentBytes(server) / MIB,
      files: openFiles(worker) + openFiles(server),
      journal: await this.#world.journalLength(),
      resident,
      residentMiB: actorBytes / MIB,
    };
  }

  /** Every actor of the load, and a thousand of the others, once more. */
  async check(): Promise<void> {
    const { actors, active } = this.#options;
    const last = Math.min(actors, active + 1_000);
    let next = 0;
    const checkOne = async (): Promise<void> => {
      while (this.violations.length === 0 && next < last) await this.#ask(next++);
    };
    await Promise.all(Array.from({ length: 64 }, checkOne));
  }

  async #call(caller: number, random: Random): Promise<void> {
    const { active, callers } = this.#options;
    const own = Math.floor((active - caller - 1) / callers) + 1;
    while (this.running && own > 0) {
      const at = caller + callers * Math.floor(random() * own);
      const startedMs = performance.now();
      const kind = random();
      if (kind < CALLS) await this.#errand(caller);
      else {
        if (kind < CALLS + SENDS) await this.#send(at);
        else if (kind < CALLS + SENDS + READS) await this.#read(at);
        else await this.#ask(at);
        this.#waitsMs.push(performance.now() - startedMs);
      }
    }
  }

  async #ask(at: number): Promise<void> {
    const expected = this.#counts[at]! + 1;
    await this.#try(`task ${expected} of actor ${at}`, async () => {
      const count = await this.#tally(at).ask(at, { deadlineMs: DEADLINE_MS });
      this.#counted(at);
      if (count !== expected) this.#violated(`task ${expected} of actor ${at} was number ${count}`);
    });
  }

  async #send(at: number): Promise<void> {
    await this.#try(`a send to actor ${at}`, async () => {
      await this.#tally(at).send(at, { deadlineMs: DEADLINE_MS });
      this.#counted(at);
    });
  }

  /** A read may come before a send is applied, and never shows more than was accepted. */
  async #read(at: number): Promise<void> {
    await this.#try(`a read of actor ${at}`, async () => {
      const { context } = await this.#tally(at).snapshot();
      const { count } = context as { count: number };
      if (count > this.#counts[at]!) this.#violated(`actor ${at} shows ${count} of ${this.#counts[at]} tasks`);
    });
  }

  async #errand(caller: number): Promise<void> {
    await this.#try(`a call of caller ${caller}`, async () => {
      const word = `${caller}`;
      const answer = await this.#world.troupe.actor('errand', word).ask(word, { deadlineMs: DEADLINE_MS });
      this.tasks++;
      if (answer !== word) this.#violated(`the call of caller ${caller} gave ${String(answer)}`);
    });
  }

  /** The first violation ends the load: afterwards nothing is known any more. */
  async #try(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#violated(`${what} failed: ${String(error)}`);
      if (!this.#world.worker.running && this.violations.length === 1)
        this.#violated(`the worker has ended: ${this.#world.log.slice(-LOG_SHOWN)}`);
      this.running = false;
    }
  }

  #tally(at: number) {
    return this.#world.troupe.actor('tally', `${at}`);
  }

  #counted(at: number): void {
    this.#counts[at]!++;
    this.tasks++;
  }

  #violated(sentence: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push(sentence);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function residentBytes(pid: number | undefined): number {
  try {
    const [, kibibytes = '0'] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kibibytes) * 1_024;
  } catch {
    return 0;
  }
}

function openFiles(pid: number | undefined): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
