/**
 * States of one actor kept in memory, so that stepping through its history folds a few entries and not all of them.
 *
 * Invariants
 * 1. Sorted by sequence, one per sequence.
 * 2. Bounded by count and by the bytes they would take stored; beyond, every second one goes, the oldest stays.
 */
import { type ActorDefinition, type ActorState, definitionFor, storeState } from '@troupe/core';
import { encodeState } from '@troupe/wire';

/** Entries folded between two marks. */
export const MARK_EVERY = 64;
/** Marks of one actor. */
export const MARKS_MAX = 1_024;
/** Their states together, as stored, bytes. */
export const MARK_BYTES_MAX = 8 * 1_048_576;

export interface Mark {
  readonly seq: number;
  /** Entries folded since the beginning. */
  readonly count: number;
  readonly state: ActorState;
  readonly bytes: number;
}

export class Marks {
  readonly #definition: ActorDefinition;
  #marks: Mark[] = [];
  #bytes = 0;

  constructor(definition: ActorDefinition) {
    this.#definition = definition;
  }

  get size(): number {
    return this.#marks.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The newest at or below a sequence. */
  before(seq: number): Mark | undefined {
    const at = this.#indexAfter(seq);
    return at === 0 ? undefined : this.#marks[at - 1];
  }

  /** The oldest above a sequence. */
  after(seq: number): Mark | undefined {
    return this.#marks[this.#indexAfter(seq)];
  }

  /** Keeps a state that is known to be right. Invariant 2. */
  add(state: ActorState): void {
    const at = this.#indexAfter(state.seq);
    if (this.#marks[at - 1]?.seq === state.seq) return;
    const code = definitionFor(this.#definition, state.version) ?? this.#definition;
    const bytes = encodeState(storeState(code, state)).length;
    this.#marks.splice(at, 0, { seq: state.seq, count: state.count, state, bytes });
    this.#bytes += bytes;
    while (this.#marks.length > 1 && (this.#marks.length > MARKS_MAX || this.#bytes > MARK_BYTES_MAX)) this.#thin();
  }

  clear(): void {
    this.#marks = [];
    this.#bytes = 0;
  }

  #thin(): void {
    this.#marks = this.#marks.filter((_mark, i) => i % 2 === 0);
    this.#bytes = this.#marks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** How many lie at or below a sequence. */
  #indexAfter(seq: number): number {
    let low = 0;
    let high = this.#marks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#marks[middle]!.seq <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
