/**
 * Random machines and random events: the driver against XState's own live actor, and against itself after a trip through
 * bytes. `TROUPE_PROPERTY_RUNS` sets the number of machines (default 60).
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { throughBytes } from './support/driving.ts';
import { type Operation, Pilot } from './support/pilot.ts';
import { build, type MachineSpec, specs } from './support/random-machine.ts';
import { travel } from './support/travel.ts';
import { Twins } from './support/twins.ts';

const numRuns = Number(process.env.TROUPE_PROPERTY_RUNS ?? 60);

// XState's development build warns of events to actors that have ended, which are part of the game here.
console.warn = () => {};

/** Where the driver differs from a live actor on purpose; the generators or the comparison leave these out. */
export const DELIBERATE_DIFFERENCES = [
  'An error that no state handles fails the step and leaves the state; a live root goes to status error.',
  'A step of a child that throws has no effects; live custom actions before the throw have run.',
  'A step of more than 10,000 microsteps, all nodes together, fails as endless; live it goes on, for ever if need be.',
  'A second timer with the id of a pending one replaces it; live both fire.',
  'Starting a child under an id in use stops the older child; live it runs on, unreachable.',
  'A child that is stopped, or whose id is taken, within its first step is never started; live it may run for a moment.',
  'spawnChild without an id gives every child its own id; live the second replaces the first.',
  'A stopped child forgets its snapshot; live its reference still answers the last one.',
  'Snapshots of outside children carry no input and no subscription.',
  'Callbacks, observables and promises start after the step; live they may send during it.',
  'Children below a child whose step threw end with it; live they run on.',
] as const;

const operations = fc.array(
  fc.record({
    kind: fc.constantFrom('send', 'send', 'send', 'sendChild', 'resolve', 'reject', 'next', 'back', 'fire'),
    pick: fc.nat(7),
    event: fc.nat(4),
  }) as fc.Arbitrary<Operation>,
  { minLength: 1, maxLength: 12 },
);

test('the driver does what a live actor does', () => {
  fc.assert(
    fc.property(specs, operations, (spec, ops) => {
      const twins = new Twins(spec);
      check(twins, true);
      for (const op of ops) {
        if (twins.over) return;
        twins.apply(op);
        check(twins, false);
      }
    }),
    { numRuns },
  );
}, 600_000);

test('a trip through bytes before every step changes nothing', () => {
  fc.assert(
    fc.property(specs, operations, (spec, ops) => {
      const kept = tryPilot(spec);
      const reloaded = tryPilot(spec);
      if (kept === undefined || reloaded === undefined) return;
      for (const op of ops) {
        reloaded.driven.reload();
        expect(throughBytes(stored(reloaded))).toEqual(throughBytes(stored(kept)));
        const move = kept.plan(op);
        const same = reloaded.plan(op);
        expect(same).toEqual(move);
        if (move === undefined || same === undefined) continue;
        const failed = attempt(() => kept.make(move));
        expect(attempt(() => reloaded.make(same))).toEqual(failed);
        expect(plain(reloaded.driven.actions)).toEqual(plain(kept.driven.actions));
        expect(reloaded.driven.changed).toBe(kept.driven.changed);
        if (failed !== undefined) return;
      }
    }),
    { numRuns },
  );
}, 600_000);

test('two steps from one state are the same, and leave it as it was', () => {
  fc.assert(
    fc.property(specs, operations, (spec, ops) => {
      const pilot = tryPilot(spec);
      if (pilot === undefined) return;
      const { driven } = pilot;
      for (const op of ops) {
        const move = pilot.plan(op);
        if (move === undefined) continue;
        const before = driven.state;
        const storedBefore = throughBytes(driven.driver.persist(before));
        const { seq } = driven;
        const failed = attempt(() => pilot.make(move));
        const first = { state: throughBytes(stored(pilot)), actions: plain(driven.actions) };
        expect(throughBytes(driven.driver.persist(before))).toEqual(storedBefore);
        if (failed !== undefined) return;
        driven.state = before;
        driven.seq = seq;
        pilot.make(move);
        expect({ state: throughBytes(stored(pilot)), actions: plain(driven.actions) }).toEqual(first);
      }
    }),
    { numRuns },
  );
}, 600_000);

test('another process goes on from the bytes in the same way', () => {
  const samples = fc.sample(fc.tuple(specs, operations), { seed: 7, numRuns: 12 });
  const here = samples.map(([spec, ops]) => travel(spec, ops));
  const cases = samples.map(([spec, ops], i) => ({ spec, ops, start: here[i]!.start }));
  const worker = fileURLToPath(new URL('./support/elsewhere.ts', import.meta.url));
  const run = spawnSync(process.execPath, ['--no-warnings', worker], { input: serialize(cases), maxBuffer: 1 << 26 });
  expect(run.stderr.toString()).toBe('');
  expect(deserialize(run.stdout)).toEqual(here.map(({ steps }) => steps));
}, 120_000);

function check(twins: Twins, first: boolean): void {
  if (twins.over) return;
  const { live, driven } = twins.seen;
  expect(driven).toEqual(live);
  expect(twins.timers.driven).toEqual(twins.timers.live);
  if (!first) expect(twins.traces.driven).toEqual(twins.traces.live);
}

/** The actions without their functions. */
function plain(actions: readonly object[]): unknown {
  return actions.map((action) => ({ ...action, run: undefined }));
}

function stored({ driven }: Pilot): unknown {
  return driven.driver.persist(driven.state);
}

/** A pilot, unless the machine fails at its start. */
function tryPilot(spec: MachineSpec): Pilot | undefined {
  try {
    return new Pilot(build(spec));
  } catch {
    return undefined;
  }
}

/** The message of what was thrown. */
function attempt(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return String(error);
  }
}
