/** Random moments that can be had again. */

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export type Random = () => number;

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** `TROUPE_SEED`, else a new one: printed by whoever uses it, so that a failure can be had again. */
export function chooseSeed(): number {
  const given = Number(process.env.TROUPE_SEED);
  return Number.isSafeInteger(given) && given > 0 ? given : (Date.now() * 2_654_435_761) % 2 ** 31;
}
