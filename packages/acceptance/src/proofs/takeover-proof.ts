/**
 * Several workers under load, of which one is killed, frozen or stopped again and again, and another one started in its place:
 * nothing is lost or doubled, and how long callers wait.
 *
 * Invariants
 * 1. What holds is judged by what clients and the world outside saw alone: counts in answers, and notes of calls.
 * 2. A stall is the longest wait of a caller for a task that was under way within the event; callers whose partition was not touched
 *    count too, so that the figures are those of all callers.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Troupe } from '@troupe/client';
import { createRandom } from '../random.ts';
import type { WorkerProcess } from '../worker-process.ts';
import { World } from '../world.ts';

/** `quiet`: nothing happens, to know what callers wait anyway. */
export type TakeoverKind = 'quiet' | 'kill' | 'freeze' | 'stop' | 'join';

export interface TakeoverProofOptions {
  /** Ends of workers; each is followed by the start of another one. */
  readonly events: number;
  readonly workers: number;
  readonly callers: number;
  /** Every so many-th end is a freeze for `freezeMs`; 0: none. */
  readonly freezeEvery: number;
  readonly freezeMs: number;
  readonly seed: number;
  readonly log?: (line: string) => void;
}

export interface TakeoverProofResult {
  readonly tasks: number;
  readonly calls: number;
  /** Calls that were made again: allowed after a kill or a freeze, at most once each. */
  readonly repeats: number;
  /** By kind of event, what each caller waited at most, ms. */
  readonly stalls: Readonly<Record<TakeoverKind, readonly number[]>>;
  /** By kind of event, what the caller that waited longest waited, ms. */
  readonly worst: Readonly<Record<TakeoverKind, readonly number[]>>;
  /** What doesn't hold, a sentence each; empty when all does. */
  readonly violations: readonly string[];
}

const DEADLINE_MS = 60_000;
const PAUSE_MS = 25;
const SETTLE_MS = 1_500;
/** Callers have to be quiet again within this. */
const RECOVER_MS_MAX = 45_000;
const SHOWN_MAX = 20;
/** Before every so many-th event the same is measured with nothing happening. */
const QUIET_EVERY = 5;

/** @example const { violations } = await proveTakeover({ events: 10, workers: 3, callers: 32, ... }); */
export async function proveTakeover(options: TakeoverProofOptions): Promise<TakeoverProofResult> {
  const { events, workers, callers, freezeEvery, freezeMs, seed, log = () => {} } = options;
  log(`${events} events, ${workers} workers, ${callers} callers, seed ${seed}`);
  await using world = await World.start({ project: 'errands', partitions: 64, idle: true });
  const random = createRandom(seed);
  const running: WorkerProcess[] = [];
  for (let at = 0; at < workers; at++) running.push(await world.startWorker());
  const load = new Load(world.troupe, callers, log);
  const stalls: Record<TakeoverKind, number[]> = { quiet: [], kill: [], freeze: [], stop: [], join: [] };
  const worst: Record<TakeoverKind, number[]> = { quiet: [], kill: [], freeze: [], stop: [], join: [] };
  const during = async (kind: TakeoverKind, happen: () => Promise<void>): Promise<void> => {
    const seen = await load.during(happen);
    stalls[kind].push(...seen);
    worst[kind].push(Math.max(...seen));
    const heapMib = Math.round(process.memoryUsage().heapUsed / 1_048_576);
    log(`${kind}: at most ${Math.round(Math.max(...seen))} ms (${load.tasks} tasks so far, heap ${heapMib} MiB)`);
  };
  await sleep(SETTLE_MS);
  for (let event = 1; event <= events; event++) {
    if (event % QUIET_EVERY === 1) await during('quiet', () => sleep(SETTLE_MS));
    const ended = running.splice(Math.floor(random() * running.length), 1)[0]!;
    const freezes = freezeEvery > 0 && event % freezeEvery === 0;
    if (freezes) {
      await during('freeze', async () => {
        ended.freeze();
        await sleep(freezeMs);
        ended.resume();
        await sleep(SETTLE_MS);
      });
      await ended.kill();
      await sleep(SETTLE_MS);
    } else if (random() < 0.5) await during('kill', () => ended.kill());
    else await during('stop', async () => void (await ended.stop()));
    await during('join', async () => void running.push(await world.startWorker()));
  }
  await load.stop();
  const { calls, repeats, violations } = checkCalls(world.notes('calls'), load);
  violations.unshift(...load.violations);
  if (violations.length > 0) log(world.log);
  return { tasks: load.tasks, calls, repeats, stalls, worst, violations: violations.slice(0, SHOWN_MAX) };
}

/** Callers that ask one task after the other, each its own actor. */
class Load {
  readonly violations: string[] = [];
  /** Errands that ended well, by name. */
  readonly succeeded = new Set<string>();
  tasks = 0;
  readonly #troupe: Troupe;
  readonly #waits: { sinceMs: number; longestMs: number }[] = [];
  readonly #callers: Promise<void>[];
  readonly #log: (line: string) => void;
  #over = false;

  constructor(troupe: Troupe, callers: number, log: (line: string) => void) {
    this.#troupe = troupe;
    this.#log = log;
    this.#callers = Array.from({ length: callers }, (_, at) => this.#tally(at));
    for (let at = 0; at < Math.ceil(callers / 4); at++)
      this.#callers.push(this.#errands('errand', at), this.#errands('once-errand', at));
  }

  /** Told at once, and kept as far as they are shown: a caller that fails again and again must not fill the memory. */
  #violated(what: string): void {
    if (this.violations.length >= SHOWN_MAX) return;
    this.violations.push(what);
    this.#log(`violation: ${what}`);
  }

  /** @returns what each caller of `tally` waited at most meanwhile, and until none waits for something from before. */
  async during(happen: () => Promise<void>): Promise<number[]> {
    for (const wait of this.#waits) wait.longestMs = 0;
    await happen();
    const endedMs = performance.now();
    await sleep(SETTLE_MS);
    while (this.#waits.some(({ sinceMs }) => sinceMs !== 0 && sinceMs < endedMs)) {
      if (performance.now() - endedMs > RECOVER_MS_MAX) throw new Error('callers still wait for what began before');
      await sleep(50);
    }
    return this.#waits.map(({ longestMs }) => longestMs);
  }

  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#callers);
  }

  async #tally(caller: number): Promise<void> {
    const actor = this.#troupe.actor('tally', `caller-${caller}`);
    const wait = { sinceMs: 0, longestMs: 0 };
    this.#waits.push(wait);
    for (let task = 1; !this.#over; task++) {
      wait.sinceMs = performance.now();
      try {
        const count = await actor.ask(task, { deadlineMs: DEADLINE_MS });
        if (count !== task) this.#violated(`task ${task} of caller ${caller} was number ${count} to take effect`);
      } catch (error) {
        this.#violated(`task ${task} of caller ${caller} failed: ${String(error)}`);
        return;
      }
      wait.longestMs = Math.max(wait.longestMs, performance.now() - wait.sinceMs);
      wait.sinceMs = 0;
      this.tasks++;
      await sleep(PAUSE_MS);
    }
  }

  async #errands(type: 'errand' | 'once-errand', caller: number): Promise<void> {
    const actor = this.#troupe.actor(type, `caller-${caller}`);
    for (let task = 1; !this.#over; task++) {
      const name = `${type}-${caller}-${task}`;
      try {
        const answer = await actor.ask(name, { deadlineMs: DEADLINE_MS });
        if (answer !== name) this.#violated(`${name} was answered with ${String(answer)}`);
        this.succeeded.add(name);
      } catch (error) {
        const unknown = type === 'once-errand' && (error as { code?: string }).code === 'OutcomeUnknown';
        if (!unknown) this.#violated(`${name} failed: ${String(error)}`);
        await sleep(PAUSE_MS);
      }
      this.tasks++;
    }
  }
}

function checkCalls(
  notes: readonly string[],
  load: Load,
): { readonly calls: number; readonly repeats: number; readonly violations: string[] } {
  const byName = new Map<string, string[]>();
  for (const line of notes) {
    const [name = '', pid = '', effect = ''] = line.split(' ');
    byName.set(name, [...(byName.get(name) ?? []), `${effect} in ${pid}`]);
  }
  const violations: string[] = [];
  let repeats = 0;
  for (const [name, made] of byName) {
    repeats += made.length - 1;
    const effects = new Set(made.map((one) => one.split(' ')[0]));
    if (effects.size > 1) violations.push(`${name} was called under several ids: ${made.join(', ')}`);
    if (name.startsWith('once-') && made.length > 1)
      violations.push(`${name} was called ${made.length} times although it may never be: ${made.join(', ')}`);
    if (new Set(made).size < made.length)
      violations.push(`${name} was called twice by one process: ${made.join(', ')}`);
  }
  for (const name of load.succeeded) if (!byName.has(name)) violations.push(`${name} was answered but never called`);
  return { calls: notes.length, repeats, violations };
}

/** The share `p` of the values lies at or below it; NaN without values. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * p) - 1)] ?? Number.NaN;
}
