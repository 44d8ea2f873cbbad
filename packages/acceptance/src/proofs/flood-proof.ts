/**
 * One key is flooded while others of the same partition are asked now and then: how long these wait, and that nothing is lost.
 *
 * Invariants
 * 1. The flood is paced by the clock, not by the answers: a worker that falls behind is not spared.
 * 2. Every key is of one partition, by the same hash as the servers use.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActorRef } from '@troupe/client';
import { partitionOf } from '@troupe/wire';
import { PARTITIONS } from '../partitions.ts';
import { World } from '../world.ts';

export interface FloodProofOptions {
  /** Tasks per second at the one key. */
  readonly rate: number;
  readonly seconds: number;
  /** Other keys of its partition; each is asked every `EVERY_MS`. */
  readonly others: number;
}

export interface FloodProofResult {
  /** Accepted per second. */
  readonly floodRate: number;
  /** Sent to the one key and accepted. */
  readonly flooded: number;
  /** Not sent, or refused: the client's or the server's bounds were reached. */
  readonly refused: number;
  /** What other keys waited without the flood, ms, sorted. */
  readonly quietMs: readonly number[];
  /** And with it. */
  readonly floodedMs: readonly number[];
  /** Until the flood was worked off, ms. */
  readonly behindMs: number;
  /** What doesn't hold, a sentence each; empty when all does. */
  readonly violations: readonly string[];
}

const EVERY_MS = 100;
const QUIET_MS = 3_000;
const SLICE_MS = 5;
const DEADLINE_MS = 60_000;
const IN_FLIGHT_MAX = 4_096;

/** @example const { floodedMs } = await proveFlood({ rate: 5_000, seconds: 20, others: 10 }); */
export async function proveFlood({ rate, seconds, others }: FloodProofOptions): Promise<FloodProofResult> {
  await using world = await World.start({ project: 'tallies', inFlightMax: IN_FLIGHT_MAX });
  const key = 'flooded';
  const partition = partitionOf({ type: 'tally', key }, PARTITIONS);
  const neighbours: string[] = [];
  for (let at = 0; neighbours.length < others; at++)
    if (partitionOf({ type: 'tally', key: `other-${at}` }, PARTITIONS) === partition) neighbours.push(`other-${at}`);
  const actors = neighbours.map((name) => world.troupe.actor('tally', name));
  const quiet = new Callers(actors);
  await sleep(QUIET_MS);
  const quietMs = await quiet.stop();
  const callers = new Callers(actors, quiet.counts);
  const { accepted, refused } = await flood(world, key, rate, seconds);
  const floodedMs = await callers.stop();
  const startedMs = performance.now();
  const count = await world.troupe.actor('tally', key).ask(0, { deadlineMs: DEADLINE_MS });
  const violations = [...quiet.violations, ...callers.violations];
  if (count !== accepted + 1) violations.push(`${accepted} tasks were accepted, the actor counts ${Number(count) - 1}`);
  const behindMs = performance.now() - startedMs;
  return { floodRate: accepted / seconds, flooded: accepted, refused, quietMs, floodedMs, behindMs, violations };
}

async function flood(world: World, key: string, rate: number, seconds: number) {
  const actor = world.troupe.actor('tally', key);
  const startedMs = performance.now();
  const endAtMs = startedMs + seconds * 1_000;
  const underWay = new Set<Promise<void>>();
  let sent = 0;
  let accepted = 0;
  let refused = 0;
  for (let nowMs = startedMs; nowMs < endAtMs; nowMs = performance.now()) {
    const due = Math.floor(((nowMs - startedMs) / 1_000) * rate);
    for (; sent < due; sent++) {
      // Said to be refused when this side's own bound is reached: memory is not what takes the flood.
      if (underWay.size >= IN_FLIGHT_MAX) {
        refused++;
        continue;
      }
      const one: Promise<void> = actor
        .send(sent, { named: false })
        .then(
          () => void accepted++,
          () => void refused++,
        )
        .finally(() => underWay.delete(one));
      underWay.add(one);
    }
    await sleep(SLICE_MS);
  }
  await Promise.all(underWay);
  return { accepted, refused };
}

/** Asks each actor every `EVERY_MS`, and notes how long it took. */
class Callers {
  readonly violations: string[] = [];
  readonly counts: number[];
  readonly #waitsMs: number[] = [];
  readonly #running: Promise<void>[];
  #stopped = false;

  constructor(actors: readonly ActorRef[], counts: readonly number[] = actors.map(() => 0)) {
    this.counts = [...counts];
    this.#running = actors.map((actor, at) => this.#run(actor, at));
  }

  /** @returns what each task waited, ms, sorted. */
  async stop(): Promise<number[]> {
    this.#stopped = true;
    await Promise.all(this.#running);
    return this.#waitsMs.sort((a, b) => a - b);
  }

  async #run(actor: ActorRef, at: number): Promise<void> {
    await sleep((EVERY_MS * at) / this.counts.length);
    while (!this.#stopped) {
      const startedMs = performance.now();
      try {
        const count = await actor.ask(at, { deadlineMs: DEADLINE_MS });
        this.counts[at]!++;
        if (count !== this.counts[at])
          this.violations.push(`task ${this.counts[at]} of ${actor.address.key} was number ${count}`);
      } catch (error) {
        this.violations.push(`a task of ${actor.address.key} failed: ${String(error)}`);
        return;
      }
      this.#waitsMs.push(performance.now() - startedMs);
      await sleep(EVERY_MS);
    }
  }
}
