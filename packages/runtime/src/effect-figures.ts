/**
 * What a worker counts of its effects, watched or not: a few additions per effect, in one record per kind of effect.
 */
import { countDuration, noDurations } from './duration-buckets.ts';

/** Kinds of effects (actor type and source) that are told apart; further ones are counted together as `other`. */
export const EFFECT_KINDS_MAX = 500;

/** Of one kind of effect, since the worker started. */
export interface EffectFigure {
  /** Actor type. */
  readonly type: string;
  /** What the machine invokes. */
  readonly src: string;
  /** Begun, each once, however often it was tried. */
  readonly started: number;
  /** Tries after the first. */
  readonly retried: number;
  /** Those that ended with a result or an error; what was cancelled or handed over is none of them. */
  readonly ended: number;
  /** Of those, the ones with an error. */
  readonly failed: number;
  /** Time of all that ended, with their retries, seconds. */
  readonly seconds: number;
  /** Per bound of `DURATION_BUCKETS_S`, not cumulated, and one for what took longer. */
  readonly buckets: readonly number[];
}

type Counted = { -readonly [Name in keyof EffectFigure]: EffectFigure[Name] } & { readonly buckets: number[] };

export class EffectFigures {
  readonly #kinds = new Map<string, Counted>();

  started(type: string, src: string): void {
    this.#of(type, src).started++;
  }

  retried(type: string, src: string): void {
    this.#of(type, src).retried++;
  }

  ended(type: string, src: string, succeeded: boolean, durationMs: number): void {
    const figure = this.#of(type, src);
    figure.ended++;
    if (!succeeded) figure.failed++;
    countDuration(figure, durationMs);
  }

  read(): readonly EffectFigure[] {
    return [...this.#kinds.values()].map((figure) => ({ ...figure, buckets: [...figure.buckets] }));
  }

  #of(type: string, src: string): Counted {
    const key = `${type} ${src}`;
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    const full = this.#kinds.size >= EFFECT_KINDS_MAX && type !== 'other';
    if (full) return this.#of('other', 'other');
    const figure = { type, src, started: 0, retried: 0, ended: 0, failed: 0, seconds: 0, buckets: noDurations() };
    this.#kinds.set(key, figure);
    return figure;
  }
}
