/** What happens to single requests and messages of one connection. */

import type { Fault, FaultPlan, Operation } from '@troupe/runtime/internal';
import type { Random } from '../durable/random.ts';
import type { Noise } from './plan.ts';

/** What the network asks the world. */
export interface Weather {
  readonly random: Random;
  readonly noise: Noise;
  readonly calm: boolean;
  /** Time from the start, ms. */
  readonly nowMs: number;
  /** Streams have no leader now. */
  readonly leaderless: boolean;
  /** How many copies are still under way. */
  flying(ms: number): void;
  count(what: 'lost' | 'answersLost' | 'duplicated' | 'slow' | 'stale'): void;
}

/** Longest time that a request may be on its way, ms. */
const LATE_MS_MAX = 40_000;
/** Within a port's deadline. */
const SLOW_READ_MS_MAX = 4_500;

export class Network implements FaultPlan {
  readonly #weather: Weather;
  readonly #stalledUntilMs: () => number;
  #tickArrivesAtMs = 0;

  /** @param stalledUntilMs until when its consumers hand over nothing, ms from the start. */
  constructor(weather: Weather, stalledUntilMs: () => number = () => 0) {
    this.#weather = weather;
    this.#stalledUntilMs = stalledUntilMs;
  }

  decide({ kind }: Operation): Fault {
    const { random, noise, calm, leaderless, nowMs } = this.#weather;
    const delayMs = 0.2 + random() * random() * 6;
    const answerDelayMs = 0.2 + random() * random() * 6;
    if (leaderless && !kind.startsWith('bus.')) {
      this.#weather.count('lost');
      return { lose: 'request' };
    }
    if (calm) return kind.startsWith('tick.') ? this.#inOrder(delayMs, answerDelayMs) : { delayMs, answerDelayMs };
    const opens = kind === 'journal.open';
    const stalledMs = kind === 'journal.deliver' ? this.#stalledUntilMs() - nowMs : 0;
    if (stalledMs > 0) return { delayMs: stalledMs };
    const x = random();
    if (x < noise.lost) {
      this.#weather.count('lost');
      return { lose: 'request' };
    }
    if (kind.startsWith('tick.')) return this.#inOrder(delayMs, answerDelayMs);
    if (opens || kind.endsWith('deliver')) return { delayMs: this.#travel(delayMs, 2_000), answerDelayMs };
    const fault: Mutable<Fault> = { delayMs: this.#travel(delayMs, LATE_MS_MAX - 10_000), answerDelayMs };
    if (random() < noise.answersLost) {
      this.#weather.count('answersLost');
      fault.lose = 'answer';
    }
    if (random() < noise.duplicated) {
      this.#weather.count('duplicated');
      fault.duplicateAfterMs = random() < 0.6 ? random() * 2_500 : random() * LATE_MS_MAX;
      this.#weather.flying(delayMs + fault.duplicateAfterMs);
    }
    if (noise.busy > 0 && (kind === 'snapshot.save' || kind === 'record.put') && random() < noise.busy)
      fault.busy = true;
    if (noise.slowLoads !== undefined && kind === 'snapshot.load' && random() < noise.slowLoads)
      fault.answerDelayMs = random() * SLOW_READ_MS_MAX;
    if (noise.slowRecords !== undefined && kind === 'record.get' && random() < noise.slowRecords)
      fault.answerDelayMs = random() * SLOW_READ_MS_MAX;
    if (noise.stale > 0 && kind === 'snapshot.load' && random() < noise.stale) {
      this.#weather.count('stale');
      fault.staleMs = random() * 4_000;
    }
    return fault;
  }

  /**
   * Wake-ups are set by bare messages without any number that tells an older from a newer one, so here it counts that one
   * connection delivers in order and nothing twice, as TCP does; only connections overtake each other.
   */
  #inOrder(delayMs: number, answerDelayMs: number): Fault {
    const { calm, nowMs } = this.#weather;
    const travelMs = calm ? delayMs : this.#travel(delayMs, LATE_MS_MAX - 10_000);
    const arrivesAtMs = Math.max(this.#tickArrivesAtMs, nowMs + travelMs);
    this.#tickArrivesAtMs = arrivesAtMs;
    return { delayMs: arrivesAtMs - nowMs, answerDelayMs };
  }

  #travel(delayMs: number, slowMsMax: number): number {
    const { random, noise } = this.#weather;
    if (random() >= noise.slow) return delayMs;
    this.#weather.count('slow');
    const slowMs = random() * (random() < 0.3 ? slowMsMax : Math.min(4_000, slowMsMax));
    this.#weather.flying(slowMs);
    return slowMs;
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
