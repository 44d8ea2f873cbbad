/** The shortest part of a script that still fails: halves first, then one by one. */

/** Folds that may be spent on it. */
const TRIES_MAX = 400;

/** @param fails whether a script fails; called at most `TRIES_MAX` times. */
export function shrink<T>(script: readonly T[], fails: (script: readonly T[]) => boolean): readonly T[] {
  let current = script;
  let tries = 0;
  for (let size = Math.ceil(current.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < current.length && tries < TRIES_MAX; ) {
      const shorter = [...current.slice(0, from), ...current.slice(from + size)];
      tries++;
      if (shorter.length < current.length && fails(shorter)) current = shorter;
      else from += size;
    }
  }
  return current;
}
