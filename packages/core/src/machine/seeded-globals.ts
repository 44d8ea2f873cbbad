/**
 * Clock and randomness during a step. Everyday machines call `Date.now()`, `new Date()`, `Math.random()`,
 * `crypto.randomUUID()`; between `enterSeed` and `leaveSeed` these, `Date()`, `crypto.getRandomValues` and
 * `performance.now` answer from the step's time and seed, so that a replay gets the same answers.
 *
 * This is the only file that touches these globals.
 *
 * Invariants
 * 1. What was installed before `enterSeed` is back after the matching `leaveSeed`, test doubles included.
 * 2. Re-entrant: an inner pair leaves the outer one's clock and place in the random sequence alone.
 * 3. A date made inside is an ordinary `Date`: same prototype, same `instanceof`.
 *
 * Not covered, because no global leads there: functions taken out before the step (`const { now } = Date`),
 * `import { randomUUID } from 'node:crypto'`, and the zone and locale of the process.
 */
import {
  type RandomState,
  randomFraction,
  randomWord,
  restoreRandom,
  saveRandom,
  seedRandom,
} from './seeded-random.ts';

interface World {
  Date: DateConstructor;
  readonly crypto?: { randomUUID?: unknown; getRandomValues?: unknown };
  readonly performance?: { now?: unknown };
}

const world = globalThis as unknown as World;
const RealDate = world.Date;

let now = 0;
let depth = 0;
const outer: { readonly now: number; readonly random: RandomState }[] = [];

let savedDate: DateConstructor;
let savedRandom: () => number;
let savedUuid: unknown;
let savedValues: unknown;
let savedPerformance: unknown;

/**
 * From here on the clock stands at `stepNow` (Unix ms) and randomness comes from `seed`. Pair it with `leaveSeed` in a
 * `finally`.
 *
 * @example enterSeed('support/john@42', entry.at); try { step(); } finally { leaveSeed(); }
 */
export function enterSeed(seed: string, stepNow: number): void {
  if (depth === 0) install();
  else outer.push({ now, random: saveRandom() });
  depth++;
  now = stepNow;
  seedRandom(seed);
}

/** Undoes the matching `enterSeed`. */
export function leaveSeed(): void {
  depth--;
  if (depth === 0) {
    uninstall();
    return;
  }
  const before = outer.pop()!;
  now = before.now;
  restoreRandom(before.random);
}

function install(): void {
  const { crypto, performance } = world;
  savedDate = world.Date;
  savedRandom = Math.random;
  world.Date = SeededDate;
  Math.random = randomFraction;
  if (crypto !== undefined) {
    savedUuid = crypto.randomUUID;
    savedValues = crypto.getRandomValues;
    crypto.randomUUID = seededUuid;
    crypto.getRandomValues = seededValues;
  }
  if (performance !== undefined) {
    savedPerformance = performance.now;
    performance.now = seededNow;
  }
}

function uninstall(): void {
  const { crypto, performance } = world;
  world.Date = savedDate;
  Math.random = savedRandom;
  if (crypto !== undefined) {
    crypto.randomUUID = savedUuid;
    crypto.getRandomValues = savedValues;
  }
  if (performance !== undefined) performance.now = savedPerformance;
}

function seededNow(): number {
  return now;
}

/** Callable and constructible as `Date` is; without arguments it stands at the step's time. */
const SeededDate = function (...args: []): Date | string {
  if (new.target === undefined) return new RealDate(now).toString();
  const target = (new.target as unknown) === SeededDate ? RealDate : new.target;
  return Reflect.construct(RealDate, args.length === 0 ? [now] : args, target) as Date;
} as unknown as DateConstructor;
Object.defineProperties(SeededDate, {
  name: { value: 'Date' },
  prototype: { value: RealDate.prototype },
  now: { value: seededNow },
  parse: { value: RealDate.parse },
  UTC: { value: RealDate.UTC },
});

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function seededUuid(): string {
  const bytes = seededValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  let text = '';
  for (let i = 0; i < 16; i++)
    text += i === 4 || i === 6 || i === 8 || i === 10 ? `-${HEX[bytes[i]!]}` : HEX[bytes[i]!];
  return text;
}

function seededValues<T extends ArrayBufferView>(view: T): T {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  for (let i = 0; i < bytes.length; i += 4) {
    const word = randomWord();
    for (let j = 0; j < 4 && i + j < bytes.length; j++) bytes[i + j] = word >>> (8 * j);
  }
  return view;
}
