/**
 * Random numbers from a seed: sfc32 over a 128-bit hash of the seed's text. Not for secrets: who knows the seed knows
 * the numbers. The generator is set up on its first use, since most steps ask for none.
 */

let seed = '';
let ready = false;
let a = 0;
let b = 0;
let c = 0;
let d = 0;

/** Where a generator stands, for putting it back. */
export interface RandomState {
  readonly seed: string;
  readonly ready: boolean;
  readonly words: readonly [number, number, number, number];
}

/** Starts again from `text`. */
export function seedRandom(text: string): void {
  seed = text;
  ready = false;
}

/** Where the generator stands now. */
export function saveRandom(): RandomState {
  return { seed, ready, words: [a, b, c, d] };
}

/** Goes back to where it stood. */
export function restoreRandom(state: RandomState): void {
  seed = state.seed;
  ready = state.ready;
  [a, b, c, d] = state.words;
}

/** The next 32 bits, as an unsigned number. */
export function randomWord(): number {
  if (!ready) prepare();
  const sum = (a + b + d) | 0;
  d = (d + 1) | 0;
  a = b ^ (b >>> 9);
  b = (c + (c << 3)) | 0;
  c = (c << 21) | (c >>> 11);
  c = (c + sum) | 0;
  return sum >>> 0;
}

/** The next number in [0, 1) with 53 random bits. */
export function randomFraction(): number {
  return ((randomWord() >>> 5) * 0x4000000 + (randomWord() >>> 6)) / 0x20000000000000;
}

function prepare(): void {
  a = 1779033703;
  b = 3144134277;
  c = 1013904242;
  d = 2773480762;
  for (let i = 0; i < seed.length; i++) {
    const code = seed.charCodeAt(i);
    a = b ^ Math.imul(a ^ code, 597399067);
    b = c ^ Math.imul(b ^ code, 2869860233);
    c = d ^ Math.imul(c ^ code, 951274213);
    d = a ^ Math.imul(d ^ code, 2716044179);
  }
  ready = true;
  for (let round = 0; round < 12; round++) randomWord();
}
