/**
 * Ids of tasks: `<22 random characters>-<n>`, numbered by actor, so that the actor remembers a range instead of each one.
 * The random bits are made in bulk.
 */
import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
const pool = Buffer.allocUnsafeSlow(ID_BYTES * 1_024);
let used = pool.length;

/** 128 random bits as 22 characters, unique everywhere. Valid as a subject token. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.toString('base64url', used - ID_BYTES, used);
}

/** The ids of one connection. */
export class TaskIds {
  readonly #actorsMax: number;
  /** By subject, in order of their first use. */
  readonly #series = new Map<string, Series>();

  /** @param actorsMax Actors whose numbering is kept; one used again later begins another series. Default 4,096. */
  constructor(actorsMax = 4_096) {
    this.#actorsMax = actorsMax;
  }

  /** A new id, unique everywhere. */
  next(subject: string): string {
    const series = this.#series.get(subject) ?? this.#begin(subject);
    return `${series.prefix}-${++series.n}`;
  }

  #begin(subject: string): Series {
    if (this.#series.size >= this.#actorsMax) this.#series.delete(this.#series.keys().next().value!);
    const series = { prefix: newId(), n: 0 };
    this.#series.set(subject, series);
    return series;
  }
}

interface Series {
  readonly prefix: string;
  n: number;
}
