/**
 * Delta debugging: the few items that matter among many. After Zeller and Hildebrandt, "Simplifying and Isolating
 * Failure-Inducing Input", IEEE Transactions on Software Engineering 28(2), 2002: the algorithm ddmin.
 *
 * Invariants
 * 1. What is returned fails, as long as the whole does.
 * 2. Unless the tries ran out, it is 1-minimal: without any one of its items it doesn't fail.
 * 3. Items stay in their order.
 */

export interface DdminOptions {
  /** Tries at most. Default 20,000. */
  readonly triesMax?: number;
  /** Asked before each try: true ends it with what there is. Default: never. */
  readonly isOver?: () => boolean;
}

export interface DdminResult<T> {
  readonly items: readonly T[];
  readonly tries: number;
  /** False: it ended early, and more could go. */
  readonly minimal: boolean;
}

const TRIES_MAX = 20_000;

/**
 * Leaves out whatever can be left out.
 *
 * @param fails whether a part still fails. The whole has to.
 * @example ddmin([1, 2, 3, 4], (part) => part.includes(2) && part.includes(4)).items // [2, 4]
 */
export function ddmin<T>(
  whole: readonly T[],
  fails: (part: readonly T[]) => boolean,
  { triesMax = TRIES_MAX, isOver = () => false }: DdminOptions = {},
): DdminResult<T> {
  let items = whole;
  let parts = 2;
  let tries = 0;
  const canTry = () => tries < triesMax && !isOver();
  const failing = (candidates: Iterable<readonly T[]>): readonly T[] | undefined => {
    for (const one of candidates) {
      if (!canTry()) return undefined;
      tries++;
      if (fails(one)) return one;
    }
    return undefined;
  };
  if (items.length > 0 && canTry() && failing([[]]) !== undefined) return { items: [], tries, minimal: true };
  while (items.length >= 2 && canTry()) {
    const subset = failing(subsets(items, parts));
    if (subset !== undefined) {
      items = subset;
      parts = 2;
      continue;
    }
    // With two parts the complements are the subsets themselves.
    const complement = parts === 2 ? undefined : failing(complements(items, parts));
    if (complement !== undefined) {
      items = complement;
      parts = Math.max(parts - 1, 2);
    } else if (parts < items.length) parts = Math.min(items.length, parts * 2);
    else return { items, tries, minimal: canTry() };
  }
  return { items, tries, minimal: items.length < 2 };
}

function* subsets<T>(items: readonly T[], parts: number): Generator<readonly T[]> {
  for (const [from, to] of chunks(items.length, parts)) yield items.slice(from, to);
}

function* complements<T>(items: readonly T[], parts: number): Generator<readonly T[]> {
  for (const [from, to] of chunks(items.length, parts)) yield [...items.slice(0, from), ...items.slice(to)];
}

function* chunks(length: number, parts: number): Generator<readonly [number, number]> {
  for (let part = 0; part < parts; part++)
    yield [Math.floor((part * length) / parts), Math.floor(((part + 1) * length) / parts)];
}
